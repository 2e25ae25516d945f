/** sacct --batch-script and --env-vars: what was stored with the jobs of --jobs. */

import type { HistoryRecord } from "../../../core/history.ts";
import { jobLabel } from "../../../core/job-label.ts";
import { RpcError } from "../../../protocol/errors.ts";
import type { Peer } from "../../../rpc/types.ts";
import type { CommandContext } from "../../context.ts";
import type { Selection } from "./selection.ts";

const RULE = "-".repeat(80);

/**
 * Prints scripts or environments, in Slurm's shape; `NONE` for a job that has none, or where it is no longer kept: that
 * is as long as the queue remembers the job.
 */
export async function printFiles(
  peer: Peer,
  { stdio }: CommandContext,
  { filter }: Selection,
  isEnvironment: boolean,
): Promise<number> {
  const found: HistoryRecord[] = [];
  await peer.stream("jobs.history", { filter, duplicates: false, steps: false }, ({ records }) => {
    found.push(...records);
  });
  for (const { job } of found) {
    const title = isEnvironment ? "Environment used for" : "Batch Script for";
    const hint = isEnvironment ? " (must be batch to display)" : "";
    const text = await textOf(peer, job.id, isEnvironment);
    stdio.out(`${title} ${jobLabel(job)}${hint}\n${RULE}\n${text}\n`);
  }
  return 0;
}

async function textOf(peer: Peer, jobId: number, isEnvironment: boolean): Promise<string> {
  try {
    if (isEnvironment) {
      const { environment } = await peer.call("job.environment", { jobId });
      return Object.entries(environment)
        .map(([name, value]) => `${name}=${value}\n`)
        .join("");
    }
    const { script } = await peer.call("job.script", { jobId });
    return new TextDecoder().decode(script);
  } catch (error) {
    if (error instanceof RpcError && error.code === "INVALID_JOB") return "NONE\n";
    throw error;
  }
}
