/** How sacctmgr tells what it does. The forms were read off Slurm 22.05. */

import type { Association } from "../../../core/policy/records.ts";
import type { Setting } from "./patch.ts";

/** `  U = ada       A = nlp        C = lab       ` */
export function addedLine(cluster: string, account: string, user: string, partition = ""): string {
  const field = (letter: string, text: string, width: number): string =>
    `${letter} = ${text.slice(0, 10).padEnd(width)}`;
  const parts = [field("A", account, 11), field("C", cluster, 10)];
  if (user !== "") parts.unshift(field("U", user, 10));
  if (partition !== "") parts.push(field("P", partition, 10));
  return `  ${parts.join(user === "" ? "" : "").trimEnd()}\n`;
}

/** `  C = lab        A = nlp                  U = ada      ` */
export function changedLine(cluster: string, { account, user, parent, partition }: Association): string {
  const head = `  C = ${cluster.padEnd(10)} A = ${account}`;
  if (user === "") return parent === "" ? `${head}\n` : `${head} of ${parent}\n`;
  const at = partition === "" ? "" : ` P = ${partition.padEnd(9)}`;
  return `  C = ${cluster.padEnd(10)} A = ${account.padEnd(20)} U = ${user.padEnd(9)}${at}\n`;
}

/** ` Settings` with a line each. */
export function settingLines(settings: readonly Setting[], width: number): string {
  return settings.map(([label, value]) => `  ${label.padEnd(width)} = ${value}\n`).join("");
}

/** Names one a line. */
export function nameLines(names: readonly string[]): string {
  return names.map((name) => `  ${name}\n`).join("");
}
