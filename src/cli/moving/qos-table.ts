/** QOS of a Slurm cluster, as `sacctmgr -P list qos` prints them: a line of names, then one a QOS, with | between. */

import { byPrefix, parseLimitCount, parseLimitTime, parseTres, QOS_LIMITS } from "../../core/policy/words.ts";
import { shellWord } from "../../util/shell-word.ts";
import type { Files } from "../context.ts";
import { readText } from "./conf-text.ts";
import type { Note, Notes } from "./notes.ts";

/** Columns that are no limits, with mgpu-sacctmgr's word for them. */
const PLAIN = ["Priority", "GraceTime", "PreemptMode", "UsageFactor"] as const;

const FLAGS = ["DenyOnLimit", "NoDecay"];

/** Columns whose usual value says nothing. */
const SILENT = /^(|0|00:00:00|0\.0+)$/;

export interface QosTable {
  readonly names: readonly string[];
  /** Lines for a shell that give each what it has; those that it preempts must be there. */
  readonly commands: readonly string[];
}

/** Reads the file. */
export function readQosTable(path: string, name: string, files: Pick<Files, "read" | "stat">, notes: Notes): QosTable {
  const text = readText(path, files);
  const rows = typeof text === "string" ? text.split("\n").map((line) => line.split("|")) : [];
  const [columns = []] = rows;
  const nameAt = columns.indexOf("Name");
  if (typeof text !== "string") notes.problems.push(`${name}: ${text.problem}`);
  else if (nameAt < 0) notes.problems.push(`${name}:1: no column Name: expected what sacctmgr -P list qos prints`);
  if (nameAt < 0) return { names: [], commands: [] };
  const names: string[] = [];
  const commands: string[] = [];
  for (const [at, row] of rows.entries()) {
    const own = row[nameAt] ?? "";
    if (at === 0 || own === "") continue;
    const place = `${name}:${at + 1}`;
    const words = columns.flatMap((column, index) =>
      wordOf(column, row[index] ?? "", `${place}: ${own}`, place, notes),
    );
    names.push(own);
    if (words.length > 0)
      commands.push(`mgpu-sacctmgr -i modify qos ${shellWord(own)} set ${words.map(shellWord).join(" ")}`);
  }
  return { names, commands };
}

function wordOf(column: string, value: string, whose: string, place: string, notes: Notes): string[] {
  const leave = (what: string, why: string): string[] => {
    const note: Note = { place, what: `${whose.slice(place.length + 2)} ${what}`, kind: "left out", why };
    notes.notes.push(note);
    return [];
  };
  if (column === "Name" || value === "") return [];
  if (PLAIN.some((one) => one === column)) return [`${column}=${value}`];
  if (column === "Preempt") return [`Preempt=${value}`];
  if (column === "Flags") {
    const flags = value.split(",");
    const others = flags.filter((flag) => !FLAGS.includes(flag));
    if (others.length > 0) leave(`Flags=${others.join(",")}`, `mgpu has ${FLAGS.join(" and ")}`);
    const known = flags.filter((flag) => FLAGS.includes(flag));
    return known.length > 0 ? [`Flags=${known.join(",")}`] : [];
  }
  const limit = byPrefix(column, QOS_LIMITS, ({ names }) => names);
  if (!limit) return SILENT.test(value) ? [] : leave(`${column}=${value}`, "mgpu has no such limit");
  const word = limit.names[0] ?? column;
  if (limit.kind === "tres") return tresWord(word, value, leave);
  const parsed = limit.kind === "time" ? parseLimitTime(value) : parseLimitCount(value);
  if ("problem" in parsed) notes.problems.push(`${whose}: ${column}: ${parsed.problem}`);
  return [`${word}=${value}`];
}

function tresWord(word: string, value: string, leave: (what: string, why: string) => string[]): string[] {
  const members = value.split(",").map((one) => [one, parseTres(one)] as const);
  for (const [one, parsed] of members) if ("problem" in parsed) leave(`${word}=${one}`, parsed.problem);
  const known = members.flatMap(([one, parsed]) => ("problem" in parsed ? [] : [one]));
  return known.length > 0 ? [`${word}=${known.join(",")}`] : [];
}
