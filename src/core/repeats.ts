/** Lists that repeat a member with `*`, as in `map_cpu:0*4,3*4` and `mask_gpu:0x3*2`. */

import { runsOf } from "../util/runs.ts";
import type { Parsed } from "./parse.ts";

/** Most members once repetitions are written out: more tasks than run on one node. */
const REPEATS_MAX = 65_536;

/** Members of `0*4,3`, each as `parseMember` reads it, written out. */
export function parseRepeats<T>(text: string, parseMember: (member: string) => Parsed<T>): Parsed<readonly T[]> {
  const members: T[] = [];
  for (const part of text.split(",", REPEATS_MAX + 1)) {
    const match = /^(.*)\*([1-9]\d{0,8})$/.exec(part);
    const member = parseMember(match?.[1] ?? part);
    if ("problem" in member) return member;
    const times = Number(match?.[2] ?? 1);
    if (members.length + times > REPEATS_MAX) return { problem: `more than ${REPEATS_MAX} members` };
    for (let time = 0; time < times; time++) members.push(member.value);
  }
  return { value: members };
}

/** The inverse of {@link parseRepeats} for members in text form: equal neighbours together. */
export function formatRepeats(members: readonly string[]): string {
  const runs = runsOf(members);
  return runs.map(({ value, times }) => (times === 1 ? value : `${value}*${times}`)).join(",");
}
