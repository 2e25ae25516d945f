/** Records of jobs that a user names, of those too that have left the queue's memory. */

import { type HistoryRecord, historyFilter } from "../core/history.ts";
import type { Peer } from "../rpc/types.ts";
import { criteriaOf, type JobTarget } from "./filters.ts";

/** Records and the controller's time, milliseconds since 1970. */
export interface Records {
  readonly records: readonly HistoryRecord[];
  readonly nowMs: number;
}

/** The newest record of each job that a target means, by number. */
export async function loadRecords(peer: Peer, target: JobTarget): Promise<Records> {
  if (target.cannotExist) return { records: [], nowMs: 0 };
  const records: HistoryRecord[] = [];
  const { jobId, het } = target;
  const { ids, tasks } = criteriaOf([target]);
  const filter = historyFilter({ ids: het === undefined ? [...ids] : [jobId], tasks });
  // The first component's own number means all of them, and not every job with a number is a component.
  const isMeant = ({ job }: HistoryRecord): boolean =>
    het === undefined || (job.id === jobId && job.spec.het?.offset === het);
  const { now } = await peer.stream("jobs.history", { filter, duplicates: false, steps: true }, (item) => {
    records.push(...item.records.filter(isMeant));
  });
  return { records: records.sort((a, b) => a.job.id - b.job.id), nowMs: now };
}
