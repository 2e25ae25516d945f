/** Records of jobs as JSON. */

import type { Peer } from "../../../rpc/types.ts";
import { scontrolDocument } from "../../../view/entity-json.ts";
import { toJobDetails } from "../../../view/job-details.ts";
import { jobJson } from "../../../view/job-json.ts";
import type { JobEntry } from "../../../view/job-record.ts";
import { listingView } from "../../listing-view.ts";
import type { Scope } from "./scope.ts";

/** Prints a document of jobs, in the shape of Slurm 23.11. */
export async function printJobs(entries: readonly JobEntry[], nowMs: number, peer: Peer, scope: Scope): Promise<void> {
  const { clusterName } = await peer.call("controller.status", {});
  const { groupName } = listingView(scope.context, { isUnconverted: false, clusterName: () => clusterName });
  const records = entries.map(({ job, row }) =>
    jobJson({ ...row, ...toJobDetails(job, row, null) }, { clusterName, groupName }),
  );
  scope.context.stdio.out(scontrolDocument("jobs", records, nowMs, clusterName));
}
