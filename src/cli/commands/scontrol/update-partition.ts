/** `scontrol create partition` and `scontrol update PartitionName=...`. */

import { PARTITION_FIELDS } from "../../../core/partition-fields.ts";
import { UserError } from "../../context.ts";
import { type Assignment, readChanges } from "./assignments.ts";
import { type ClusterChange, changeCluster } from "./cluster-change.ts";
import type { Scope } from "./scope.ts";

type Changes = Extract<ClusterChange, { type: "partition.update" }>["changes"];

/** Makes a partition. */
export async function createPartition(name: string, assignments: readonly Assignment[], scope: Scope): Promise<number> {
  checkName(name);
  const change = { type: "partition.create", name, changes: changesOf(assignments) } as const;
  return (await changeCluster(change, scope, "Error creating the partition")) === null ? 1 : 0;
}

/** Changes a partition. */
export async function updatePartition(name: string, assignments: readonly Assignment[], scope: Scope): Promise<number> {
  if (assignments.length === 0) throw new UserError("No changes specified");
  const change = { type: "partition.update", name, changes: changesOf(assignments) } as const;
  return (await changeCluster(change, scope, "slurm_update error")) === null ? 1 : 0;
}

function changesOf(assignments: readonly Assignment[]): Changes {
  return readChanges<Changes>(PARTITION_FIELDS as never, assignments);
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/.test(name)) return;
  throw new UserError(`Invalid partition name: "${name}"`, "letters, digits, '.', '_' and '-'");
}
