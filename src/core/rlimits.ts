/** `--propagate`: which soft limits of the user's shell a job's tasks get. Source: Slurm's manual of sbatch. */

import { expected, type Parsed, quote, splitList } from "./parse.ts";

/** In the order in which they are printed. */
export const RLIMITS = ["AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK"] as const;

export type Rlimit = (typeof RLIMITS)[number];

/** Most members that are read; more can only repeat. */
const MEMBERS_MAX = 64;

/** `ALL` (also the empty text), `NONE`, or a list such as `STACK,RLIMIT_CORE`. In the order of {@link RLIMITS}. */
export function parsePropagate(text: string): Parsed<readonly Rlimit[]> {
  if (text === "" || /^all$/i.test(text)) return { value: RLIMITS };
  if (/^none$/i.test(text)) return { value: [] };
  const chosen = new Set<Rlimit>();
  const members = splitList(text, MEMBERS_MAX);
  if ("problem" in members) return members;
  for (const member of members.value) {
    const word = member.toUpperCase().replace(/^RLIMIT_/, "");
    const limit = RLIMITS.find((one) => one === word);
    if (word === "ALL" || word === "NONE") return { problem: `${word} stands alone, got ${quote(text)}` };
    if (limit === undefined) return expected(`ALL, NONE or some of ${RLIMITS.join(", ")}`, member);
    chosen.add(limit);
  }
  return { value: RLIMITS.filter((limit) => chosen.has(limit)) };
}

/** The inverse of {@link parsePropagate}: `ALL`, `NONE` or `CORE,STACK`. */
export function formatPropagate(limits: readonly Rlimit[]): string {
  if (limits.length === RLIMITS.length) return "ALL";
  return limits.length === 0 ? "NONE" : limits.join(",");
}
