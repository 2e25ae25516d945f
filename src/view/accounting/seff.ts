/** How much of what a job was given it used, as Slurm's contributed `seff` prints it. */

import type { HistoryRecord } from "../../core/history.ts";
import { isEnded, type Step, shellCode } from "../../core/job.ts";
import { formatGpus } from "../../core/resources.ts";
import { type StepUsage, totalOf } from "../../core/usage.ts";
import type { Result } from "../../protocol/procedures.ts";
import { requestedMemoryMiB } from "../tres.ts";
import { elapsed } from "./amounts.ts";
import { type AcctRow, acctRows, ranMs, rowCpu } from "./rows.ts";

export interface SeffContext {
  readonly nowMs: number;
  readonly clusterName: string;
  groupName(gid: number): string;
}

const KIB = 1024;
const UNITS = ["KB", "MB", "GB", "TB", "PB"] as const;
const NO_BOUNDS = { sinceMs: null, untilMs: null };

/** The lines of one job, each with its line break. */
export function seffText(record: HistoryRecord, context: SeffContext): string {
  const [job, ...steps] = acctRows(record, NO_BOUNDS);
  if (job === undefined) return "";
  const { user } = record.job.spec;
  const lines = [
    `Job ID: ${record.job.id}`,
    ...(record.job.array ? [`Array Job ID: ${job.id}`] : []),
    `Cluster: ${context.clusterName}`,
    `User/Group: ${user.name}/${context.groupName(user.gid)}`,
    stateLine(job, record),
    ...(job.nodes > 1
      ? [`Nodes: ${job.nodes}`, `Cores per node: ${Math.floor(job.cpus / job.nodes)}`]
      : [`Cores: ${job.cpus}`]),
    ...(job.startAt === null || record.job.state === "PENDING"
      ? [`Efficiency not available for jobs in the ${record.state} state.`]
      : efficiency(job, steps, context.nowMs)),
    ...(record.job.state === "RUNNING" ? ["WARNING: Efficiency statistics may be misleading for RUNNING jobs."] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** What of its CPUs, memory and GPUs a job used, a line each; none for one that never started. */
export function efficiencyLines(record: HistoryRecord, nowMs: number): string[] {
  const [job, ...steps] = acctRows(record, NO_BOUNDS);
  if (job === undefined || job.startAt === null || record.job.state === "PENDING") return [];
  return efficiency(job, steps, nowMs);
}

type UsedSteps = Result<"step.usage">["steps"];

/** Who answers questions of a cluster: a peer, as far as this needs one. */
interface UsagePeer {
  call(method: "step.usage", params: { jobId: number }): Promise<Result<"step.usage">>;
}

/** What the steps of a job use now; why nobody knows, where its cluster does not look at all. */
export async function usedNow(
  peer: UsagePeer,
  { id, state }: Pick<HistoryRecord["job"], "id" | "state">,
): Promise<{ readonly steps: UsedSteps; readonly untold: string }> {
  if (state !== "RUNNING") return { steps: [], untold: "" };
  try {
    return { steps: (await peer.call("step.usage", { jobId: id })).steps, untold: "" };
  } catch (error) {
    // It may have ended meanwhile.
    const { code, message } = error as { readonly code?: unknown; readonly message: string };
    return { steps: [], untold: code === "DISABLED" ? message : "" };
  }
}

/** The record of a running job with what its steps used so far, as its nodes told. */
export function withUsage(record: HistoryRecord, told: UsedSteps): HistoryRecord {
  const { job } = record;
  if (job.state !== "RUNNING") return record;
  const usageOf = (id: Step["id"], node: string): StepUsage | undefined =>
    told.find(({ stepId }) => stepId === id)?.parts.find((part) => part.node === node)?.usage;
  const steps = job.steps.map((step) => ({
    ...step,
    parts: step.parts.map((part) => {
      const usage = part.usage ?? usageOf(step.id, part.node);
      return usage ? { ...part, usage } : part;
    }),
  }));
  return { ...record, job: { ...job, steps } };
}

function stateLine({ exit }: AcctRow, { job, state }: HistoryRecord): string {
  if (!isEnded(job)) return `State: ${state}`;
  // Slurm's code of a job that was out of memory, 0:125, is no signal of the program.
  if (state === "OUT_OF_MEMORY") return `State: ${state} (exit code 0)`;
  return `State: ${state} (exit code ${shellCode(exit)})`;
}

function efficiency(job: AcctRow, steps: readonly AcctRow[], nowMs: number): string[] {
  const { userMs, systemMs } = rowCpu(job);
  const wallS = Math.floor(ranMs(job, nowMs) / 1000);
  const coreS = wallS * job.cpus;
  const cpuS = (userMs + systemMs) / 1000;
  return [
    `CPU Utilized: ${elapsed(cpuS)}`,
    `CPU Efficiency: ${percent(cpuS, coreS)} of ${elapsed(coreS)} core-walltime`,
    `Job Wall-clock time: ${elapsed(wallS)}`,
    ...memoryLines(job, steps),
    ...gpuLines(job, steps, wallS),
  ];
}

/** The step that used most, all its tasks at their highest together. */
function memoryLines(job: AcctRow, steps: readonly AcctRow[]): string[] {
  let used: { readonly kib: number; readonly tasks: number } | undefined;
  for (const { parts } of steps) {
    const total = totalOf(parts, "rssKiB")?.total;
    const tasks = parts.reduce((sum, part) => sum + part.tasks.length, 0);
    if (total !== undefined && total > (used?.kib ?? -1)) used = { kib: total, tasks };
  }
  if (used === undefined) return ["Memory Utilized: not measured (no step ran long enough)"];
  const lines = [`Memory Utilized: ${memory(used.kib)}${used.tasks > 1 ? " (estimated maximum)" : ""}`];
  const grantedKiB = requestedMemoryMiB(job.row) * KIB;
  if (grantedKiB === 0) return [...lines, "Memory Efficiency: the job asked for no memory"];
  const [per, what] = job.row.memoryPer === "cpu" ? [job.cpus, "core"] : [job.nodes, "node"];
  const share = memory(grantedKiB / Math.max(1, Number(per)));
  return [...lines, `Memory Efficiency: ${percent(used.kib, grantedKiB)} of ${memory(grantedKiB)} (${share}/${what})`];
}

/** What the step with most looks at GPUs says of them: the batch script where it has them, for it lasts longest. */
function gpuLines({ row: { gpus } }: AcctRow, steps: readonly AcctRow[], wallS: number): string[] {
  if (gpus === 0) return [];
  const lines = [`GPUs: ${formatGpus(gpus)} for ${elapsed((wallS * gpus) / 1000)} of GPU-walltime`];
  const seen = steps.filter(({ parts }) => parts.some(({ usage }) => usage?.gpuUtil));
  const [longest] = seen.toSorted((a, b) => lastedMs(b) - lastedMs(a));
  if (!longest) return [...lines, "GPU Efficiency: not measured (no step with GPUs ran long enough)"];
  const count = longest.parts.reduce((sum, part) => sum + part.gpus.length, 0);
  const of = (metric: "gpuUtil" | "gpuMemMiB", at: 0 | 4): number =>
    longest.parts.reduce((sum, { usage }) => sum + (usage?.[metric]?.[at] ?? 0), 0);
  return [
    ...lines,
    `GPU Efficiency: ${percent(of("gpuUtil", 4), 100 * count)} on average, ${percent(of("gpuUtil", 0), 100 * count)} at most`,
    `GPU Memory: ${memory(of("gpuMemMiB", 4) * KIB)} on average, ${memory(of("gpuMemMiB", 0) * KIB)} at most`,
  ];
}

function lastedMs({ startAt, endAt }: AcctRow): number {
  return (endAt ?? Number.POSITIVE_INFINITY) - (startAt ?? 0);
}

function percent(part: number, whole: number): string {
  return `${(whole > 0 ? (100 * part) / whole : 0).toFixed(2)}%`;
}

function memory(kib: number): string {
  let [value, unit] = [kib, 0];
  for (; value >= KIB && unit < UNITS.length - 1; unit++) value /= KIB;
  return `${value.toFixed(2)} ${UNITS[unit]}`;
}
