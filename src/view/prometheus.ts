/**
 * What the endpoint for Prometheus says, in the text format 0.0.4 as its documentation describes it ("Exposition
 * formats"). Names end in their units; `_total` is a counter. Pure.
 */

import { isEnded, type Job } from "../core/job.ts";
import { type Node, nodeState } from "../core/node.ts";
import { WHOLE_GPU } from "../core/resources.ts";
import type { ClusterState } from "../core/state.ts";
import type { GpuUse } from "../protocol/records.ts";

/** Upper bounds of the histogram of run times, seconds. */
export const RUN_BUCKETS_S = [1, 10, 60, 600, 3600, 21_600, 86_400, 604_800] as const;

/** Counted since the controller started. */
export interface Counters {
  submitted: number;
  started: number;
  requeued: number;
  /** By Slurm's state. */
  readonly ended: Map<string, number>;
  /** Jobs that ran no longer, by the bounds' positions; not cumulated. The last: longer than all. */
  readonly runs: number[];
  runSeconds: number;
  passes: number;
  passSeconds: number;
}

/** All at 0. */
export function noCounts(): Counters {
  const runs = Array.from({ length: RUN_BUCKETS_S.length + 1 }, () => 0);
  return { submitted: 0, started: 0, requeued: 0, ended: new Map(), runs, runSeconds: 0, passes: 0, passSeconds: 0 };
}

export interface MetricFacts {
  readonly state: ClusterState;
  readonly counters: Counters;
  readonly version: string;
  readonly cluster: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly startedAt: number;
  readonly isConnected: (node: string) => boolean;
  /** How busy the GPUs of a node are, as it last told; nothing of one that is away. */
  readonly gpuUse: (node: string) => readonly GpuUse[];
  /** Why GPUs of a node get no new jobs, by index. */
  readonly closedGpus: (node: Node) => Readonly<Record<string, string>>;
  /** How many things somebody should see to. */
  readonly problems: number;
}

type Sample = readonly [suffix: string, labels: Readonly<Record<string, string>>, value: number];
type Kind = "gauge" | "counter" | "histogram";

/** The whole text. */
export function prometheusText(facts: MetricFacts): string {
  return [...general(facts), ...ofJobs(facts), ...ofNodes(facts), ...ofGpus(facts)].join("");
}

function general({ version, cluster, startedAt, problems, counters }: MetricFacts): string[] {
  return [
    family("mgpu_build_info", "gauge", "Version of the controller and name of the cluster.", [
      ["", { version, cluster }, 1],
    ]),
    family("mgpu_start_time_seconds", "gauge", "When the controller started, seconds since 1970.", [
      ["", {}, startedAt / 1000],
    ]),
    family("mgpu_problems", "gauge", "Things that somebody should see to; mgpu health tells them.", [
      ["", {}, problems],
    ]),
    family("mgpu_scheduler_passes_total", "counter", "Passes of the scheduler.", [["", {}, counters.passes]]),
    family("mgpu_scheduler_pass_seconds_total", "counter", "Time that these passes took.", [
      ["", {}, counters.passSeconds],
    ]),
  ];
}

function ofJobs({ state, counters, now }: MetricFacts): string[] {
  const standing = new Map([...["PENDING", "RUNNING"]].map((name) => [name, 0]));
  let oldest = now;
  for (const job of state.jobs.values()) {
    if (isEnded(job)) continue;
    standing.set(job.state, (standing.get(job.state) ?? 0) + tasksOf(job));
    if (job.state === "PENDING") oldest = Math.min(oldest, job.submitAt);
  }
  const byState = (counts: ReadonlyMap<string, number>): Sample[] =>
    [...counts].map(([name, count]) => ["", { state: name }, count]);
  return [
    family("mgpu_jobs", "gauge", "Jobs that wait or run now; tasks of arrays count as jobs.", byState(standing)),
    family("mgpu_oldest_waiting_seconds", "gauge", "How long the oldest waiting job has been in the queue.", [
      ["", {}, Math.max(0, (now - oldest) / 1000)],
    ]),
    family("mgpu_jobs_submitted_total", "counter", "Submissions accepted.", [["", {}, counters.submitted]]),
    family("mgpu_jobs_started_total", "counter", "Starts of jobs.", [["", {}, counters.started]]),
    family("mgpu_jobs_requeued_total", "counter", "Jobs put back into the queue.", [["", {}, counters.requeued]]),
    family("mgpu_jobs_ended_total", "counter", "Ends of jobs by state.", byState(counters.ended)),
    family("mgpu_job_run_seconds", "histogram", "How long jobs ran that are over.", runSamples(counters)),
  ];
}

function tasksOf({ array }: Job): number {
  return array?.tasks.reduce((sum, { first, last, step }) => sum + Math.floor((last - first) / step) + 1, 0) ?? 1;
}

function runSamples({ runs, runSeconds }: Counters): Sample[] {
  let sum = 0;
  const buckets = runs.map((count, at): Sample => {
    sum += count;
    return ["_bucket", { le: String(RUN_BUCKETS_S[at] ?? "+Inf") }, sum];
  });
  return [...buckets, ["_sum", {}, runSeconds], ["_count", {}, sum]];
}

function ofNodes({ state, isConnected }: MetricFacts): string[] {
  const nodes = [...state.nodes.values()];
  const each = (value: (node: (typeof nodes)[number]) => number): Sample[] =>
    nodes.map((node) => ["", { node: node.name }, value(node)]);
  const states = nodes.map((node): Sample => ["", { node: node.name, state: nodeState(node).toLowerCase() }, 1]);
  return [
    family(
      "mgpu_node_up",
      "gauge",
      "Whether the node's daemon is connected.",
      each(({ name }) => +isConnected(name)),
    ),
    family("mgpu_node_state", "gauge", "1 for the state that the node is in.", states),
    family(
      "mgpu_node_cpus",
      "gauge",
      "CPUs of the node.",
      each(({ inventory }) => inventory.cpus),
    ),
    family(
      "mgpu_node_cpus_allocated",
      "gauge",
      "CPUs granted to jobs.",
      each(({ usage }) => usage.cpus),
    ),
    family(
      "mgpu_node_memory_bytes",
      "gauge",
      "Memory of the node.",
      each((node) => bytes(node.inventory.memoryMiB)),
    ),
    family(
      "mgpu_node_memory_allocated_bytes",
      "gauge",
      "Memory granted to jobs.",
      each(({ usage }) => bytes(usage.memoryMiB)),
    ),
    family(
      "mgpu_node_gpus",
      "gauge",
      "GPUs of the node.",
      each(({ inventory }) => inventory.gpus.length),
    ),
  ];
}

function ofGpus({ state, gpuUse, closedGpus }: MetricFacts): string[] {
  const nodes = [...state.nodes.values()];
  const each = (value: (node: Node, index: number) => number): Sample[] =>
    nodes.flatMap((node) =>
      node.inventory.gpus.map(({ index, model }): Sample => {
        return ["", { node: node.name, gpu: String(index), model }, value(node, index)];
      }),
    );
  const told = nodes.flatMap(({ name }) => gpuUse(name).map((use) => [name, use] as const));
  /** What drivers say; nothing where they don't. */
  const known = (value: (use: GpuUse) => number | null): Sample[] =>
    told.flatMap(([node, use]) => {
      const number = value(use);
      return number === null ? [] : [["", { node, gpu: String(use.index) }, number] as const];
    });
  const ratio = (percent: number | null): number | null => (percent === null ? null : percent / 100);
  const size = (mib: number | null): number | null => (mib === null ? null : bytes(mib));
  return [
    family(
      "mgpu_gpu_allocated_ratio",
      "gauge",
      "Part of the GPU that is granted to jobs, 0 to 1.",
      each(({ usage }, index) => (usage.gpus[index] ?? 0) / WHOLE_GPU),
    ),
    family(
      "mgpu_gpu_closed",
      "gauge",
      "1 for a GPU that gets no new jobs: paused, or loaded by others.",
      each((node, index) => +(closedGpus(node)[index] !== undefined)),
    ),
    family(
      "mgpu_gpu_utilization_ratio",
      "gauge",
      "How busy the GPU is, 0 to 1, whoever uses it.",
      known((use) => ratio(use.utilisationPercent)),
    ),
    family(
      "mgpu_gpu_memory_used_bytes",
      "gauge",
      "Memory of the GPU in use, whoever uses it.",
      known((use) => size(use.memoryUsedMiB)),
    ),
    family(
      "mgpu_gpu_others_memory_bytes",
      "gauge",
      "Memory of the GPU that processes of others than jobs use.",
      known((use) => size(use.strangersMemoryMiB)),
    ),
    family(
      "mgpu_gpu_temperature_celsius",
      "gauge",
      "Temperature of the GPU.",
      known((use) => use.temperatureC),
    ),
    family(
      "mgpu_gpu_power_watts",
      "gauge",
      "Power that the GPU draws.",
      known((use) => use.powerW),
    ),
  ];
}

function bytes(mib: number): number {
  return mib * 1024 * 1024;
}

function family(name: string, kind: Kind, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([suffix, labels, value]) => `${name}${suffix}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
