/** Slurm's SchedulerParameters, as far as mgpu has them: `bf_max_job_part=100,bf_order=shortest`. */

import type { Parsed } from "./parse.ts";
import { quote, splitList } from "./parse.ts";

export interface SchedulerParameters {
  /** Blocked jobs of each partition that are promised a time. */
  readonly bf_job_part_count_reserve: number;
  /** Jobs of each partition that are tried behind these in a pass. */
  readonly bf_max_job_part: number;
  /** Minutes that a running job without a time limit is taken to need. */
  readonly bf_assumed_time: number;
  readonly bf_order: "arrival" | "shortest";
  /** Shortest by what the user's last jobs took, rather than by the time limit. */
  readonly bf_predict: boolean;
  /** Ours: among equals the earliest first, or the one with the worst slowdown to expect. */
  readonly queue_order: "arrival" | "slowdown";
}

export const SCHEDULER_PARAMETERS: SchedulerParameters = {
  bf_job_part_count_reserve: 1,
  bf_max_job_part: 100,
  bf_assumed_time: 1440,
  bf_order: "arrival",
  bf_predict: false,
  queue_order: "arrival",
};

const NUMBERS = {
  bf_job_part_count_reserve: 1000,
  bf_max_job_part: 1_000_000,
  bf_assumed_time: 525_600,
} as const;

/** Reads the parameters that are named; the others keep their defaults. */
export function parseSchedulerParameters(text: string): Parsed<SchedulerParameters> {
  const members = splitList(text, Object.keys(SCHEDULER_PARAMETERS).length);
  if ("problem" in members) return members;
  let value = SCHEDULER_PARAMETERS;
  for (const member of members.value) {
    const [name = "", given] = member.split("=", 2);
    const change = readOne(name, given);
    if (change === null) return { problem: `${quote(member)} is no parameter of the scheduler` };
    value = { ...value, ...change };
  }
  return { value };
}

function readOne(name: string, given: string | undefined): Partial<SchedulerParameters> | null {
  if (name === "bf_predict") return given === undefined ? { bf_predict: true } : null;
  if (name === "bf_order") return given === "arrival" || given === "shortest" ? { bf_order: given } : null;
  if (name === "queue_order") return given === "arrival" || given === "slowdown" ? { queue_order: given } : null;
  if (!Object.hasOwn(NUMBERS, name)) return null;
  const most = NUMBERS[name as keyof typeof NUMBERS];
  const count = /^\d{1,7}$/.test(given ?? "") ? Number(given) : 0;
  return count >= 1 && count <= most ? { [name]: count } : null;
}

/** The inverse, all of them named. */
export function formatSchedulerParameters(parameters: SchedulerParameters): string {
  return Object.entries(parameters)
    .flatMap(([name, value]) => (value === false ? [] : [value === true ? name : `${name}=${value}`]))
    .join(",");
}
