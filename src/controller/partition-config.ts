/** Partitions of the configuration: taken over at the start and with each change; those that left go when they are empty. */

import type { Event } from "../core/events.ts";
import type { PartitionEntry } from "../core/partition-config.ts";
import type { ControllerContext } from "./context.ts";

/**
 * Takes over what the configuration names.
 * @returns a line for each partition that stays for a while because of its jobs
 */
export async function configurePartitions(
  { loop }: Pick<ControllerContext, "loop">,
  entries: readonly PartitionEntry[],
): Promise<string[]> {
  await loop.execute({ type: "partitions.configure", entries });
  const leaving = [...loop.state.partitions.values()].filter(({ isLeaving }) => isLeaving);
  return leaving.map(({ name }) => `partitions.${name}: takes no new jobs, and goes with the last of those in it`);
}

/** A listener that removes partitions which have left the configuration once no job is in them. */
export function createPartitionLeaver(
  getLoop: () => Pick<ControllerContext["loop"], "state" | "execute">,
): (events: readonly Event[]) => void {
  return (events) => {
    if (!events.some(({ type }) => type === "job.ended" || type === "job.updated")) return;
    const loop = getLoop();
    for (const { name, isLeaving } of loop.state.partitions.values()) {
      // Refused while jobs are there.
      if (isLeaving) loop.execute({ type: "partition.delete", name }).catch(() => {});
    }
  };
}
