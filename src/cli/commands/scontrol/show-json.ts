/** Records of jobs as JSON. */

import type { Peer } from "../../../rpc/types.ts";
import { scontrolDocument } from "../../../view/entity-json.ts";
import { jobJson } from "../../../view/job-json.ts";
import type { JobEntry } from "../../../view/job-record.ts";
import type { Scope } from "./scope.ts";

/** Prints a document of jobs, in the shape of Slurm 23.11. */
export async function printJobs(entries: readonly JobEntry[], nowMs: number, peer: Peer, scope: Scope): Promise<void> {
  const { clusterName } = await peer.call("controller.status", {});
  const records = entries.map(({ row }) => jobJson(row, clusterName));
  scope.context.stdio.out(scontrolDocument("jobs", records, nowMs, clusterName));
}
