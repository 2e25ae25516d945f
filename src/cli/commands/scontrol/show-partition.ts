/** `scontrol show partition`. */

import { partitionJson } from "../../../view/partition-json.ts";
import { partitionRecord } from "../../../view/partition-record.ts";
import { recordText } from "../../../view/record-text.ts";
import type { Scope } from "./scope.ts";
import { printDocument } from "./show-json.ts";

/** All partitions that are not hidden (with --all those too), or the ones named. */
export async function showPartitions(words: readonly string[], scope: Scope): Promise<number> {
  const { context, show } = scope;
  const names = words[0] ? words[0].split(",") : null;
  const peer = await scope.peer("slurm_load_partitions error");
  const { partitions, now } = await peer.call("partitions.list", {});
  const chosen = partitions.filter(({ name, isHidden }) => names?.includes(name) ?? (show.all || !isHidden));
  const missing = (names ?? []).filter((name) => !partitions.some((partition) => partition.name === name));
  if (show.document) {
    const records = (clusterName: string) => chosen.map((one) => partitionJson(one, clusterName));
    await printDocument("partitions", records, now, peer, scope);
  } else {
    for (const partition of chosen) context.stdio.out(recordText(partitionRecord(partition), show.oneLine));
    if (chosen.length === 0 && names === null && !show.quiet) context.stdio.out("No partitions in the system\n");
  }
  for (const name of missing) scope.notFound(`Partition ${name} not found`);
  return missing.length > 0 ? 1 : 0;
}
