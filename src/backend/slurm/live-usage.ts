/** What the running steps of a job have used so far, from `sstat`, where the cluster gathers it. */

import { expand } from "../../core/hostlist.ts";
import type { StepUsage } from "../../core/usage.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Result } from "../../protocol/procedures.ts";
import { durationMs, kibOf, stepIdOf } from "./history.ts";
import { problemOf, type Slurm, settingsOf } from "./slurm.ts";

const FIELDS = ["JobID", "Nodelist", "Pids", "NTasks", "AveCPU", "MaxRSS", "AveRSS", "MaxVMSize", "AveVMSize"] as const;

type Answer = Result<"step.usage">;

/** What it says of a job whose steps have just ended, or have not begun. */
const NO_STEPS = /couldn't get steps|no steps running/i;

/**
 * What each running step used, on its first node: Slurm tells of all its tasks together.
 * @throws RpcError INVALID_JOB for a job that does not run, DISABLED where the cluster does not look at what runs
 */
export async function liveUsage(slurm: Slurm, jobId: number): Promise<Answer> {
  const found = (await slurm.jobs()).find(({ job }) => job.id === jobId);
  if (found?.job.state !== "RUNNING") throw new RpcError("INVALID_JOB", `job ${jobId} does not run`);
  const shape = ["--parsable2", "--noheader", "--noconvert", `--format=${FIELDS.join(",")}`];
  const { code, stdout, stderr } = await slurm.attempt("sstat", ["--allsteps", `--jobs=${jobId}`, ...shape]);
  if (NO_STEPS.test(stderr)) return { steps: [], silent: [] };
  if (code !== 0 || (stdout === "" && stderr !== "")) throw problemOf("sstat", stderr || stdout, code);
  const steps = stdout.split("\n").flatMap(stepOf);
  if (steps.length > 0 && !steps.some(({ parts }) => parts.some(({ usage }) => usage))) await refuseUngathered(slurm);
  return { steps, silent: [] };
}

/** A cluster without a gatherer answers with zeros. @throws RpcError DISABLED there */
async function refuseUngathered(slurm: Slurm): Promise<void> {
  const type = (await settingsOf(slurm)).get("JobAcctGatherType") ?? "";
  if (type !== "" && type !== "(null)" && !type.endsWith("none")) return;
  const text = `the cluster is Slurm, and it does not look at what running jobs use (JobAcctGatherType=${type})`;
  throw new RpcError("DISABLED", text);
}

function stepOf(line: string): Answer["steps"] {
  const [id = "", nodes = "", pids = "", tasks = "", cpu = "", ...memory] = line.split("|");
  if (id === "" || id.endsWith(".extern")) return [];
  const count = Number(tasks) || 0;
  const numbers = pids.split(",").map(Number).filter(Number.isInteger);
  const part = {
    node: expand(nodes)?.[0] ?? "",
    tasks: Array.from({ length: count }, (_, task) => task),
    pids: numbers.filter((pid) => pid > 0),
  };
  return [{ stepId: stepIdOf(id), parts: [count > 0 ? { ...part, usage: usageOf(count, cpu, memory) } : part] }];
}

/** Averages are a task's, over all of them. */
function usageOf(tasks: number, averageCpu: string, memory: readonly string[]): StepUsage {
  const cpuMs = durationMs(averageCpu) * tasks;
  const [rss = 0, averageRss = 0, vm = 0, averageVm = 0] = memory.map(kibOf);
  return {
    ...{ userMs: cpuMs, systemMs: 0, cpuMs: [cpuMs / tasks, 0, 0, 0, cpuMs], pages: [0, 0, 0, 0, 0] },
    ...(rss > 0 ? { rssKiB: [rss, 0, 0, 0, averageRss * tasks] } : {}),
    ...(vm > 0 ? { vmKiB: [vm, 0, 0, 0, averageVm * tasks] } : {}),
  };
}
