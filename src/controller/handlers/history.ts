/**
 * jobs.history: jobs of the past and the present, from the accounting files and the hot state. Memory stays flat
 * however many there are: a chunk is in memory, and a reference to each job of the hot state that is meant.
 */

import { earlierRecords, type HistoryRecord, historyMatcher } from "../../core/history.ts";
import type { Job } from "../../core/job.ts";
import type { Params } from "../../protocol/procedures.ts";
import type { Sink, StreamHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { maySee } from "../network/access.ts";
import { recordsFor } from "../network/secrets.ts";
import { partitionName } from "../select.ts";

/** Records a chunk, each step counted as one: some 100 kB, so that neither side holds much at a time. */
const RECORDS_A_CHUNK = 100;

/** Streams the records. */
export function historyHandler(context: ControllerContext): StreamHandler<"jobs.history"> {
  return async (params, sink, { signal, hello }) => {
    const { loop, clock, settings } = context;
    const { ids, tasks = [], components = [] } = params.filter;
    // Reports of usage are made of these.
    const isSeen = maySee(context, hello, ["jobs", "usage"]);
    const make = recordMaker(context, params, recordsFor(hello));
    const recordsOf = (job: Job, isWhole: boolean) => (isSeen(job) ? make(job, isWhole) : []);
    // Before the files are read: a job that leaves the hot state meanwhile would be in neither.
    const hot = [...loop.state.jobs.values()].filter((job) => recordsOf(job, false).length > 0);
    const isHot = new Map(hot.map((job) => [job.id, job.submitAt]));
    const chunk = createChunk(sink);
    let damaged = 0;
    const wanted = [...ids, ...[...tasks, ...components].map((one) => one.jobId)];
    if (!areAllHot(context, wanted)) {
      const query = { since: params.filter.since, ids: wanted.length > 0 ? new Set(wanted) : null };
      for await (const jobs of context.readFinished(query, () => damaged++)) {
        if (signal.aborted) break;
        const others = jobs.filter((job) => isHot.get(job.id) !== job.submitAt);
        for (const job of others) for (const record of recordsOf(job, true)) await chunk.add(record);
      }
    }
    for (const job of hot) {
      const newest = loop.state.jobs.get(job.id) ?? job;
      for (const record of recordsOf(newest, true)) await chunk.add(record);
    }
    await chunk.flush();
    if (damaged > 0) context.log.warn("lines of the accounting files can't be read", { lines: damaged });
    return { now: clock.now(), clusterName: settings.clusterName, damaged };
  };
}

/**
 * The records of a job that a question means: its earlier attempts, if they are asked for, and itself.
 * @param shown a record as who asks may see it
 */
function recordMaker(
  context: ControllerContext,
  { filter, duplicates, steps }: Params<"jobs.history">,
  shown: ReturnType<typeof recordsFor>,
) {
  const { state } = context.loop;
  const partitionOf = (job: Job): string => partitionName(state, job);
  const matches = historyMatcher(filter, partitionOf, context.clock.now());
  return (job: Job, isWhole: boolean): HistoryRecord[] => {
    const earlier = duplicates ? earlierRecords(job) : [];
    const all = [...earlier, { job, state: displayedState(job) }].filter((one) => matches(one.job, one.state));
    return all.map((one) => {
      const isDuplicate = one.job !== job;
      const row = isWhole && job.state === "PENDING" && !isDuplicate ? context.rowOf(job) : null;
      return {
        ...one,
        job: shown(steps || one.job.state === "PENDING" ? one.job : { ...one.job, steps: [] }),
        partition: partitionOf(job),
        reason: row?.reason ?? "None",
        reasonText: row?.reasonText ?? "",
        isDuplicate,
      };
    });
  };
}

/** As accounting calls it: a job that is being cleared away is over. */
function displayedState(job: Job): string {
  return job.state === "RUNNING" && job.suspendedAt !== null ? "SUSPENDED" : job.state;
}

/** Whether the files can't have anything of the jobs asked for. Of an array, some tasks may be there already. */
function areAllHot({ loop: { state } }: ControllerContext, ids: readonly number[]): boolean {
  return (
    ids.length > 0 &&
    ids.every((id) => {
      const job = state.jobs.get(id);
      return job !== undefined && job.array === null && job.spec.het === null;
    })
  );
}

function createChunk(sink: Sink<{ records: HistoryRecord[] }>) {
  let records: HistoryRecord[] = [];
  let weight = 0;
  const flush = async (): Promise<void> => {
    if (records.length > 0) await sink.send({ records });
    records = [];
    weight = 0;
  };
  return {
    flush,
    async add(record: HistoryRecord): Promise<void> {
      records.push(record);
      weight += 1 + (record.job.state === "PENDING" ? 0 : record.job.steps.length);
      if (weight >= RECORDS_A_CHUNK) await flush();
    },
  };
}
