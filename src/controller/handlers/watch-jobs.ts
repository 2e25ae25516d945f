/** jobs.watch: every job's row, then the rows that change, gathered for a moment so that a busy cluster is bearable. */

import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Item } from "../../protocol/procedures.ts";
import type { StreamHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { maySee } from "../network/access.ts";

/** Rows a message: some 50 kB. */
const ROWS_A_CHUNK = 500;

/** Changes are gathered for so long: nobody reads faster, and one change seldom comes alone. */
const GATHER_MS = 150;

/** Without any change something is sent this often: reasons change with time alone, and the clock is shown. */
const PULSE_MS = 5000;

/** Waiting jobs, from the head of the queue, whose reasons are compared: nobody looks at more of them at a time. */
const REASONS_MAX = 2000;

/** Streams until the caller cancels. */
export function watchJobsHandler(context: ControllerContext): StreamHandler<"jobs.watch"> {
  return async ({ fields }, sink, { signal, hello }) => {
    const isSeen = maySee(context, hello);
    const watcher = context.watchers.watchAll();
    const reasons = new Map<JobId, string>();
    const valuesOf = (job: Job): unknown[] => {
      const row = context.rowOf(job);
      if (job.state === "PENDING") reasons.set(job.id, row.reason);
      else reasons.delete(job.id);
      return fields.map((field) => row[field]);
    };
    const send = async (changes: Changes): Promise<void> => {
      for (const item of itemsOf(changes, valuesOf)) await sink.send({ ...item, now: context.clock.now() });
    };
    try {
      for (;;) {
        const stopPulse = context.clock.after(PULSE_MS, watcher.wake);
        await watcher.changed(signal).finally(stopPulse);
        if (context.isStopping()) throw new RpcError("SHUTTING_DOWN", "the controller was told to end");
        const ids = watcher.take();
        const changes = ids === null ? allJobs(context) : changedJobs(context, new Set(ids), reasons);
        await send({ ...changes, jobs: changes.jobs.filter(isSeen) });
        await sleep(context.clock, GATHER_MS);
      }
    } finally {
      watcher.end();
    }
  };
}

interface Changes {
  readonly isReset: boolean;
  readonly jobs: readonly Job[];
  readonly gone: readonly JobId[];
}

function allJobs({ loop }: ControllerContext): Changes {
  return { isReset: true, jobs: [...loop.state.jobs.values()], gone: [] };
}

/** With the waiting jobs whose reason is another one now: passes of the scheduler change many without a word. */
function changedJobs(context: ControllerContext, ids: Set<JobId>, reasons: Map<JobId, string>): Changes {
  const { state } = context.loop;
  let looked = 0;
  for (const id of state.pending) {
    const job = state.jobs.get(id);
    if (job && reasons.get(id) !== context.reasonOf(job).word) ids.add(id);
    looked += 1;
    if (looked >= REASONS_MAX) break;
  }
  const gone = [...ids].filter((id) => !state.jobs.has(id));
  for (const id of gone) reasons.delete(id);
  return { isReset: false, jobs: [...ids].flatMap((id) => state.jobs.get(id) ?? []), gone };
}

/** At least one, so that the clock goes on. Rows are made as they are sent. */
function* itemsOf(
  { isReset, jobs, gone }: Changes,
  valuesOf: (job: Job) => unknown[],
): Generator<Omit<Item<"jobs.watch">, "now">> {
  for (let at = 0; at === 0 || at < jobs.length; at += ROWS_A_CHUNK) {
    const rows = jobs.slice(at, at + ROWS_A_CHUNK).map(valuesOf);
    const isFirst = at === 0;
    yield {
      isReset: isReset && isFirst,
      isPartial: at + ROWS_A_CHUNK < jobs.length,
      rows,
      gone: isFirst ? [...gone] : [],
    };
  }
}
