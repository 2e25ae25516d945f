/** sacct --batch-script and --env-vars: what was stored with the jobs of --jobs. */

import type { HistoryRecord } from "../../../core/history.ts";
import { jobLabel } from "../../../core/job-label.ts";
import { RpcError } from "../../../protocol/errors.ts";
import type { Peer } from "../../../rpc/types.ts";
import { type CommandContext, UserError } from "../../context.ts";
import type { Selection } from "./selection.ts";

const RULE = "-".repeat(80);

/** Prints the scripts, in Slurm's shape; `NONE` for a job that has none, or whose script is no longer kept. */
export async function printFiles(
  peer: Peer,
  { stdio }: CommandContext,
  { filter }: Selection,
  isEnvironment: boolean,
): Promise<number> {
  if (isEnvironment) {
    throw new UserError(
      "the environments of jobs are not shown: they are kept for their nodes alone",
      "in the batch script, env > FILE writes its environment down",
    );
  }
  const found: HistoryRecord[] = [];
  await peer.stream("jobs.history", { filter, duplicates: false, steps: false }, ({ records }) => {
    found.push(...records);
  });
  for (const { job } of found) {
    stdio.out(`Batch Script for ${jobLabel(job)}\n${RULE}\n${await scriptOf(peer, job.id)}\n`);
  }
  return 0;
}

async function scriptOf(peer: Peer, jobId: number): Promise<string> {
  try {
    const { script } = await peer.call("job.script", { jobId });
    return new TextDecoder().decode(script);
  } catch (error) {
    if (error instanceof RpcError && error.code === "INVALID_JOB") return "NONE\n";
    throw error;
  }
}
