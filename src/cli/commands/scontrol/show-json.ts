/** Records as JSON or YAML, in the shape of Slurm 23.11. */

import type { Peer } from "../../../rpc/types.ts";
import { scontrolDocument } from "../../../view/entity-json.ts";
import { toJobDetails } from "../../../view/job-details.ts";
import { jobJson } from "../../../view/job-json.ts";
import type { JobEntry } from "../../../view/job-record.ts";
import { stepJson } from "../../../view/step-json.ts";
import type { StepRow } from "../../../view/step-row.ts";
import { listingView } from "../../listing-view.ts";
import type { Scope } from "./scope.ts";

/** Prints a document of records, in the form that was asked for. */
export async function printDocument(
  name: string,
  recordsOf: (clusterName: string) => readonly unknown[],
  nowMs: number,
  peer: Peer,
  { context, show }: Scope,
): Promise<void> {
  const { clusterName } = await peer.call("controller.status", {});
  const form = show.document ?? "json";
  context.stdio.out(scontrolDocument(name, recordsOf(clusterName), nowMs, clusterName, form));
}

/** Prints jobs. */
export async function printJobs(entries: readonly JobEntry[], nowMs: number, peer: Peer, scope: Scope): Promise<void> {
  const records = (clusterName: string): readonly unknown[] => {
    const { groupName } = listingView(scope.context, { isUnconverted: false, clusterName: () => clusterName });
    return entries.map(({ job, row }) =>
      jobJson({ ...row, ...toJobDetails(job, row, null) }, { clusterName, groupName }),
    );
  };
  await printDocument("jobs", records, nowMs, peer, scope);
}

/** Prints steps. */
export async function printSteps(rows: readonly StepRow[], nowMs: number, peer: Peer, scope: Scope): Promise<void> {
  await printDocument("steps", (clusterName) => rows.map((row) => stepJson(row, clusterName)), nowMs, peer, scope);
}
