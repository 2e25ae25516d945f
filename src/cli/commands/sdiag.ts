/** sdiag: what the controller has done since midnight, since its start or since the last reset. */

import type { Result } from "../../protocol/procedures.ts";
import { formatDateLine } from "../../view/date-line.ts";
import { type CallOrder, statisticsText } from "../../view/statistics-text.ts";
import { checkClusters } from "../clusters.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import type { Option, ParsedOptions } from "../option.ts";

const flag = (long: string, short: string, help: string): Option => ({ long, short, argument: "none", help });

const OPTIONS: readonly Option[] = [
  flag("all", "a", "print all statistics; this is what is done without it too"),
  { long: "cluster", short: "M", argument: "required", metavar: "name", help: "this cluster's name: there is one" },
  { long: "json", argument: "none", help: "print JSON" },
  flag("reset", "r", "set all counters to 0"),
  flag("sort-by-id", "i", "order calls by their names"),
  flag("sort-by-time", "t", "order calls by the time they took together"),
  flag("sort-by-time2", "T", "order calls by the time they took on average"),
];

export const command: Command = {
  name: "sdiag",
  summary: "Show what the controller did: jobs, the scheduler's passes, calls",
  synopsis: "[OPTIONS...]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-sdiag", "mgpu-sdiag -r"],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const first = parsed.operands[0];
  if (first !== undefined) throw new UserError(`Unrecognized option: ${first}`);
  const isGiven = (long: string): boolean => parsed.values.has(long);
  const connected = await connectAsSlurm(context, "slurm_get_statistics");
  if (connected === null) return 1;
  try {
    await checkClusters(connected.peer, parsed.values.get("cluster")?.at(-1));
    const statistics = await connected.peer.call("statistics", { reset: isGiven("reset") });
    if (isGiven("reset")) context.stdio.out("Reset scheduling statistics\n");
    else if (isGiven("json")) context.stdio.out(`${JSON.stringify(jsonOf(statistics), null, 2)}\n`);
    else context.stdio.out(statisticsText(statistics, orderOf(isGiven), (atMs) => dateOf(atMs, context)));
    return 0;
  } finally {
    connected.peer.close();
  }
}

function orderOf(isGiven: (long: string) => boolean): CallOrder {
  if (isGiven("sort-by-id")) return "name";
  if (isGiven("sort-by-time")) return "total";
  return isGiven("sort-by-time2") ? "mean" : "count";
}

/** Slurm's keys, as far as they mean something here. */
function jsonOf({ now, since, jobs, passes, methods, users }: Result<"statistics">): unknown {
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  const calls = { count: "count", time: "total_time" } as const;
  return {
    statistics: {
      ...{ req_time: seconds(now), req_time_start: seconds(since), server_thread_count: 1, agent_queue_size: 0 },
      ...{ schedule_cycle_max: passes.max, schedule_cycle_last: passes.last, schedule_cycle_total: passes.cycles },
      schedule_cycle_mean: mean(passes.total, passes.cycles),
      schedule_cycle_per_minute: perMinute(passes.cycles, now - since),
      schedule_queue_length: passes.lastQueue,
      ...{ jobs_submitted: jobs.submitted, jobs_started: jobs.started, jobs_completed: jobs.completed },
      ...{
        jobs_canceled: jobs.canceled,
        jobs_failed: jobs.failed,
        jobs_pending: jobs.pending,
        jobs_running: jobs.running,
      },
      rpcs_by_message_type: methods.map(({ name, count, microseconds }) => ({
        ...{ message_type: name, [calls.count]: count, average_time: mean(microseconds, count) },
        [calls.time]: microseconds,
      })),
      rpcs_by_user: users.map(({ uid, name, count, microseconds }) => ({
        ...{ user: name, user_id: uid, [calls.count]: count, average_time: mean(microseconds, count) },
        [calls.time]: microseconds,
      })),
    },
    errors: [],
  };
}

function mean(total: number, count: number): number {
  return count === 0 ? 0 : Math.floor(total / count);
}

function perMinute(count: number, ms: number): number {
  return ms < 60_000 ? 0 : Math.floor(count / (ms / 60_000));
}

function dateOf(atMs: number, context: CommandContext): string {
  return formatDateLine(atMs, (at) => context.utcOffsetMinutes(at));
}
