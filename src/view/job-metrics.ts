/** What `mgpu metrics` tells of the past: jobs, how long they ran, how busy their GPUs were. Pure. */

import type { HistoryRecord } from "../core/history.ts";
import { isEnded } from "../core/job.ts";
import { formatDuration } from "../core/time.ts";
import { textTable } from "./text-table.ts";

/** Use of one GPU while steps had it, in percent. */
export interface GpuMetrics {
  readonly node: string;
  readonly gpu: number;
  /** Seconds of steps in which it was looked at. */
  readonly sampledS: number;
  /** Over that time; of GPUs that a step had together, what they had on average. */
  readonly meanUtilization: number;
  readonly peakUtilization: number;
}

export interface JobMetrics {
  readonly jobs: number;
  /** Jobs by Slurm's state. */
  readonly states: Readonly<Record<string, number>>;
  /** Of jobs that started and are over; `null` without any. Seconds. */
  readonly meanRunS: number | null;
  readonly medianRunS: number | null;
  readonly meanWaitS: number | null;
  readonly gpus: readonly GpuMetrics[];
}

interface Seen {
  readonly node: string;
  readonly gpu: number;
  sampledS: number;
  weighted: number;
  peak: number;
}

/** Takes records one by one, and keeps a number for each job and a sum for each GPU. */
export class MetricsSum {
  readonly #states = new Map<string, number>();
  readonly #runs: number[] = [];
  readonly #gpus = new Map<string, Seen>();
  #jobs = 0;
  #waits = 0;
  #waitedS = 0;

  add({ job, state }: Pick<HistoryRecord, "job" | "state">): void {
    this.#jobs += 1;
    this.#states.set(state, (this.#states.get(state) ?? 0) + 1);
    if (job.state === "PENDING" || job.startAt === null) return;
    this.#waits += 1;
    this.#waitedS += Math.max(0, job.startAt - job.eligibleAt) / 1000;
    if (isEnded(job)) this.#runs.push(Math.max(0, job.endAt - job.startAt - job.suspendedMs) / 1000);
    for (const { startAt, endAt, parts } of job.steps) {
      for (const { node, gpus, usage } of parts) {
        const util = usage?.gpuUtil;
        if (!util || endAt === null || gpus.length === 0) continue;
        // The sum over all of the part's GPUs: its highest, and (see core/usage.ts) its average over time.
        const [peak, , , , mean] = util;
        for (const { index } of gpus) {
          this.#note(node, index, (endAt - startAt) / 1000, mean / gpus.length, peak / gpus.length);
        }
      }
    }
  }

  result(): JobMetrics {
    const runs = this.#runs.toSorted((a, b) => a - b);
    const middle = Math.floor(runs.length / 2);
    const upper = runs[middle] ?? 0;
    const median = runs.length % 2 === 1 ? upper : (upper + (runs[middle - 1] ?? 0)) / 2;
    const gpus = [...this.#gpus.values()].sort((a, b) => (a.node < b.node ? -1 : a.node > b.node ? 1 : a.gpu - b.gpu));
    return {
      jobs: this.#jobs,
      states: Object.fromEntries([...this.#states].sort(([, a], [, b]) => b - a)),
      meanRunS: runs.length === 0 ? null : runs.reduce((sum, one) => sum + one, 0) / runs.length,
      medianRunS: runs.length === 0 ? null : median,
      meanWaitS: this.#waits === 0 ? null : this.#waitedS / this.#waits,
      gpus: gpus.map(({ node, gpu, sampledS, weighted, peak }) => {
        return { node, gpu, sampledS, meanUtilization: sampledS > 0 ? weighted / sampledS : 0, peakUtilization: peak };
      }),
    };
  }

  #note(node: string, gpu: number, seconds: number, mean: number, peak: number): void {
    const key = `${node} ${gpu}`;
    const seen = this.#gpus.get(key) ?? { node, gpu, sampledS: 0, weighted: 0, peak: 0 };
    this.#gpus.set(key, seen);
    seen.sampledS += seconds;
    seen.weighted += mean * seconds;
    seen.peak = Math.max(seen.peak, Math.min(100, peak));
  }
}

/** For people. */
export function metricsText({ jobs, states, meanRunS, medianRunS, meanWaitS, gpus }: JobMetrics): string {
  const time = (seconds: number | null): string => (seconds === null ? "no job yet" : duration(seconds));
  const byState = Object.entries(states).map(([name, count]) => `${count} ${name}`);
  const lines = [
    `jobs         ${jobs}${byState.length > 0 ? ` (${byState.join(", ")})` : ""}`,
    `mean run     ${time(meanRunS)}`,
    `median run   ${time(medianRunS)}`,
    `mean wait    ${time(meanWaitS)}`,
  ];
  if (gpus.length === 0) return `${lines.join("\n")}\n\nGPU use was not measured: no step with GPUs ran long enough\n`;
  const rows = gpus.map((one) => [
    ...[`${one.node}:${one.gpu}`, `${one.meanUtilization.toFixed(1)}%`, `${one.peakUtilization.toFixed(1)}%`],
    duration(one.sampledS),
  ]);
  return `${lines.join("\n")}\n\n${textTable(["GPU", "MEAN", "PEAK", "MEASURED"], rows)}`;
}

/** Short runs to a tenth of a second. */
function duration(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : formatDuration(Math.round(seconds));
}
