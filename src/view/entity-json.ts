/**
 * What the JSON forms of nodes, partitions and reservations share, in the shape of Slurm 23.11: numbers that may be
 * missing or endless are `{set, infinite, number}`, times are seconds since 1970.
 */

import type { OptionalNumber } from "./job-json.ts";
import { SLURM_VERSION } from "./slurm-version.ts";
import { yamlText } from "./yaml.ts";

/** A number that is there. */
export function some(number: number): OptionalNumber {
  return { set: true, infinite: false, number };
}

/** A number, where 0 stands for no limit. */
export function orInfinite(number: number): OptionalNumber {
  return number === 0 ? { set: false, infinite: true, number: 0 } : some(number);
}

/** A number, where 0 stands for none given. */
export function orNotSet(number: number): OptionalNumber {
  return number === 0 ? { set: false, infinite: false, number: 0 } : some(number);
}

/** Milliseconds since 1970 as seconds; 0 where there is no such time. */
export function secondsOf(atMs: number): OptionalNumber {
  return some(Math.floor(atMs / 1000));
}

/**
 * A document of scontrol: the records under their name, and what every document of Slurm has.
 * @param form JSON, or YAML with the same contents
 */
export function scontrolDocument(
  name: string,
  records: readonly unknown[],
  nowMs: number,
  clusterName: string,
  form: "json" | "yaml" = "json",
): string {
  const [major = "", minor = "", micro = ""] = SLURM_VERSION.split(".");
  const document = {
    [name]: records,
    last_update: secondsOf(nowMs),
    meta: {
      plugin: { type: "", name: "", data_parser: "" },
      client: { source: "", user: "", group: "" },
      command: ["scontrol"],
      slurm: { version: { major, minor, micro }, release: SLURM_VERSION, cluster: clusterName },
    },
    errors: [],
    warnings: [],
  };
  return form === "yaml" ? `---\n${yamlText(document)}` : `${JSON.stringify(document, null, 2)}\n`;
}
