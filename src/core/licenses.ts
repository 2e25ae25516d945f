/** `--licenses`: `a:2,b` asks for two of one and one of another. Source: Slurm's manual of sbatch. */

import { expected, type Parsed, quote, splitList } from "./parse.ts";

export interface LicenseWish {
  /** With the server that issues it, if the user named one: `nastran@slurmdb`. */
  readonly name: string;
  /** At least 1. */
  readonly count: number;
}

/** Most licenses of one job, and most of one kind. */
const NAMES_MAX = 256;
const COUNT_MAX = 1_000_000;

/** Reads `name[@server][:count][,...]`. Counts of one name are added up; those of 0 ask for nothing. */
export function parseLicenses(text: string): Parsed<readonly LicenseWish[]> {
  const counts = new Map<string, number>();
  const members = text === "" ? { value: [] } : splitList(text, NAMES_MAX);
  if ("problem" in members) return members;
  for (const member of members.value) {
    const match = /^([\w.+-]{1,64}(?:@[\w.-]{1,64})?)(?:[:=](\d{1,9}))?$/.exec(member);
    if (!match) return expected("licenses such as matlab:2,ansys", member);
    const [, name = "", countText = "1"] = match;
    const count = (counts.get(name) ?? 0) + Number(countText);
    if (count > COUNT_MAX) return { problem: `${quote(member)} is more than the ${COUNT_MAX} possible` };
    if (count > 0) counts.set(name, count);
  }
  return { value: [...counts].map(([name, count]) => ({ name, count })) };
}

/** Pools of licenses as records: the inverse of `new Map`. */
export function licensesOf(pools: ReadonlyMap<string, number>): readonly LicenseWish[] {
  return [...pools].map(([name, count]) => ({ name, count }));
}

/** How many of each license these jobs hold together. */
export function countLicenses(jobs: Iterable<{ readonly licenses: readonly LicenseWish[] }>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { licenses } of jobs) {
    for (const { name, count } of licenses) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return counts;
}

/** Which of its licenses a job can't have now, in words; `null` if it can have all. */
export function licenseShortage(
  pools: ReadonlyMap<string, number>,
  used: ReadonlyMap<string, number>,
  wishes: readonly LicenseWish[],
): string | null {
  for (const { name, count } of wishes) {
    const total = pools.get(name) ?? 0;
    const free = Math.max(0, total - (used.get(name) ?? 0));
    if (count > free) return `waits for ${count} of license ${name}: ${free} of ${total} are free`;
  }
  return null;
}

/** The inverse of {@link parseLicenses}, as scontrol shows it: `a:2,b:1`. Empty for none. */
export function formatLicenses(wishes: readonly LicenseWish[]): string {
  return wishes.map(({ name, count }) => `${name}:${count}`).join(",");
}
