/** Records of jobs that a user names, of those too that have left the queue's memory. */

import type { HistoryRecord } from "../core/history.ts";
import type { Params } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";
import { criteriaOf, type JobTarget } from "./filters.ts";

/** Records and the controller's time, milliseconds since 1970. */
export interface Records {
  readonly records: readonly HistoryRecord[];
  readonly nowMs: number;
}

type Filter = Params<"jobs.history">["filter"];

/** A filter that selects jobs of any time, with some criteria. */
export function historyFilter(criteria: Partial<Filter>): Filter {
  return {
    ...{ ids: [], users: [], groups: [], states: [], names: [], accounts: [], partitions: [], nodes: [], qos: [] },
    ...{ wckeys: [], since: null, until: null },
    ...criteria,
  };
}

/** The newest record of each job that a target means, by number. */
export async function loadRecords(peer: Peer, target: JobTarget): Promise<Records> {
  if (target.cannotExist) return { records: [], nowMs: 0 };
  const records: HistoryRecord[] = [];
  const { ids, tasks } = criteriaOf([target]);
  const filter = historyFilter({ ids: [...ids], tasks });
  const { now } = await peer.stream("jobs.history", { filter, duplicates: false, steps: true }, (item) => {
    records.push(...item.records);
  });
  return { records: records.sort((a, b) => a.job.id - b.job.id), nowMs: now };
}
