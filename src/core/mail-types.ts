/** `--mail-type`: when a job's user gets mail. Source: Slurm's manual of sbatch. */

import { expected, type Parsed, quote, splitList } from "./parse.ts";

/** In the order in which they are printed. */
export const MAIL_TYPES = [
  "BEGIN",
  "END",
  "FAIL",
  "REQUEUE",
  "INVALID_DEPEND",
  "STAGE_OUT",
  "TIME_LIMIT",
  "TIME_LIMIT_90",
  "TIME_LIMIT_80",
  "TIME_LIMIT_50",
  "ARRAY_TASKS",
  "ALL_DONE",
] as const;

export type MailType = (typeof MAIL_TYPES)[number];

/** What of a time limit is over when a mail is due, in percent. */
export const MAIL_PERCENTS = [50, 80, 90] as const;

export type MailPercent = (typeof MAIL_PERCENTS)[number];

/** What ALL stands for: neither the time limits nor mail for each task of an array. */
const ALL: readonly MailType[] = ["BEGIN", "END", "FAIL", "REQUEUE", "INVALID_DEPEND", "STAGE_OUT"];

/** Most members that are read; more can only repeat. */
const MEMBERS_MAX = 64;

/** A list of types, or NONE. Each type once, in the order of {@link MAIL_TYPES}; empty for NONE. */
export function parseMailTypes(text: string): Parsed<readonly MailType[]> {
  if (/^none$/i.test(text)) return { value: [] };
  const chosen = new Set<MailType>();
  const members = splitList(text, MEMBERS_MAX);
  if ("problem" in members) return members;
  for (const member of members.value) {
    const word = member.toUpperCase();
    const type = MAIL_TYPES.find((one) => one === word);
    if (word === "NONE") return { problem: `NONE stands alone, got ${quote(text)}` };
    if (type === undefined && word !== "ALL") return expected(`NONE, ALL or some of ${MAIL_TYPES.join(", ")}`, member);
    for (const one of type === undefined ? ALL : [type]) chosen.add(one);
  }
  return { value: MAIL_TYPES.filter((type) => chosen.has(type)) };
}

/** UTF-16 units of all users of a mail together, with the commas between them. */
export const MAIL_USER_MAX = 1000;

/**
 * Whether somebody can be sent mail to. Slurm passes on what a mail program could take for an option, a file or a
 * command; with a controller of several users that would be a way in.
 */
export function isMailUser(user: string): boolean {
  return user.length <= MAIL_USER_MAX && /^[\p{L}\p{N}_][\p{L}\p{N}_.@%=,:+-]*$/u.test(user);
}

/** The inverse of {@link parseMailTypes}: `BEGIN,END`, or `NONE`. */
export function formatMailTypes(types: readonly MailType[]): string {
  return types.length === 0 ? "NONE" : types.join(",");
}
