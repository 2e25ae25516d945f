/** An imported cluster as the text of mgpu's configuration, with comments for people. */

import { SECTIONS } from "../../config/schema.ts";
import { printable } from "../../view/printf.ts";
import type { Imported } from "./import.ts";
import type { ImportedNode } from "./node-lines.ts";

export interface TextOptions {
  /** As the head of the file calls its source. */
  readonly source: string;
  /** Nodes pretend to have their GPUs, for a rehearsal. */
  readonly fakeGpus: boolean;
  /** Whether the commands stand in a file of their own. */
  readonly hasCommandsFile: boolean;
}

/** The whole file. */
export function yamlOf(imported: Imported, { source, fakeGpus, hasCommandsFile }: TextOptions): string {
  const { settings, nodes, partitions, commands } = imported;
  const sections = SECTIONS.flatMap((section) => {
    const own = [...settings].filter(([key]) => key.startsWith(`${section}.`));
    const lines = own.map(([key, value]) => `  ${key.slice(section.length + 1)}: ${scalar(value)}\n`);
    return lines.length > 0 ? [`\n${section}:\n${lines.join("")}`] : [];
  });
  return [
    `# Made of ${printable(source)} by mgpu import slurm. Check it with: mgpu config check FILE. It belongs to\n`,
    "# /etc/mgpu/config.yaml (or ~/.config/mgpu/config.yaml) of the controller's machine and of every node.\n",
    ...sections,
    ...(nodes.length > 0 ? [`\nnodes:\n${nodes.map((node) => nodeLine(node, fakeGpus)).join("")}`] : []),
    `\npartitions:\n${partitions.map(({ name, texts }) => partitionLines(name, texts)).join("")}`,
    ...(commands.length > 0 && !hasCommandsFile ? [`\n${laterText(commands)}`] : []),
  ].join("");
}

/** What is to be done once mgpu runs, as a script. */
export function commandsScript(commands: readonly string[], source: string): string {
  return `#!/bin/sh\n# Made of ${printable(source)} by mgpu import slurm: run it once, when mgpu is up.\nset -e\n${commands.join("\n")}\n`;
}

function laterText(commands: readonly string[]): string {
  const head =
    "# Kept with the queue and not in a configuration; once mgpu is up (--commands FILE writes it as a script):\n";
  return head + commands.map((line) => `#   ${line}\n`).join("");
}

/** A line a node; behind it the GPUs that should be found there. */
function nodeLine({ name, settings, gpus }: ImportedNode, fakeGpus: boolean): string {
  const text = gpuText(gpus);
  const all = { ...settings, ...(fakeGpus && text !== "" ? { fake_gpus: text } : {}) };
  const comment = text === "" || fakeGpus ? "" : ` # GPUs, as nvidia-smi should find them: ${text}`;
  return `  ${scalar(name)}: {${flow(all)}}${comment}\n`;
}

/** `a100:4,t4:1`, `4`. */
function gpuText(gpus: Readonly<Record<string, number>>): string {
  const words = Object.entries(gpus).filter(([, count]) => count > 0);
  return words.map(([type, count]) => (type === "" ? String(count) : `${type}:${count}`)).join(",");
}

function flow(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(
      ([key, value]) =>
        `${key}: ${key === "features" ? `[${value.split(",").map(scalar).join(", ")}]` : scalar(value)}`,
    )
    .join(", ");
}

function partitionLines(name: string, texts: Readonly<Record<string, string>>): string {
  const lines = Object.entries(texts).map(([key, value]) => `    ${key}: ${scalar(value)}\n`);
  return `  ${scalar(name)}:\n${lines.join("")}`;
}

/** Plain where every reader of YAML takes it for itself or for a number. */
function scalar(value: string): string {
  return /^(\w[\w./+-]*|\d+-\d\d:\d\d:\d\d)$/.test(value) && !/^(y|n|null|\d+[_e].*)$/i.test(value)
    ? value
    : JSON.stringify(value);
}
