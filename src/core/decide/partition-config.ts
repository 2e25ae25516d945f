/** Takes over the partitions of the configuration: those it names are made or changed, those it named before go. */

import type { ConfigurePartitions } from "../commands.ts";
import type { Event } from "../events.ts";
import { DEFAULT_PARTITION, type Partition } from "../partition.ts";
import { configuredPartitions } from "../partition-config.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, ignore } from "./decision.ts";
import { jobsIn } from "./partition.ts";

/** One that goes while jobs are in it takes no new ones, and goes with the last of them. Those of scontrol stay. */
export function decideConfigurePartitions(state: ClusterState, { entries }: ConfigurePartitions): Decision {
  const wanted = configuredPartitions(entries);
  const names = new Set(wanted.map(({ name }) => name));
  const events: Event[] = wanted
    .filter((partition) => !isSame(state.partitions.get(partition.name), partition))
    .map((partition) => ({ type: "partition.set", partition }));
  const going = [...state.partitions.values()].filter((one) => !names.has(one.name) && mayGo(one, wanted.length > 0));
  for (const one of going) {
    if (jobsIn(state, one.name).length === 0) events.push({ type: "partition.deleted", partition: one.name });
    else if (!one.isLeaving) {
      const partition: Partition = { ...one, state: "DRAIN", isDefault: false, isLeaving: true };
      events.push({ type: "partition.set", partition });
    }
  }
  // A cluster is never without a partition.
  const stay = state.partitions.size - going.length;
  if (wanted.length === 0 && stay === 0 && going.length > 0) {
    events.unshift({ type: "partition.set", partition: DEFAULT_PARTITION });
  }
  return events.length === 0 ? ignore("the partitions are as before") : accept(...events);
}

/** What the configuration made; and `main`, which was there because nothing was configured. */
function mayGo(partition: Partition, isConfigured: boolean): boolean {
  return partition.isConfigured === true || (isConfigured && isUntouched(partition));
}

function isUntouched(partition: Partition): boolean {
  return partition.name === DEFAULT_PARTITION.name && isSame({ ...partition, isDefault: true }, DEFAULT_PARTITION);
}

function isSame(known: Partition | undefined, wanted: Partition): boolean {
  if (!known || known.isLeaving) return false;
  return (Object.keys(wanted) as (keyof Partition)[]).every(
    (key) => JSON.stringify(known[key]) === JSON.stringify(wanted[key]),
  );
}
