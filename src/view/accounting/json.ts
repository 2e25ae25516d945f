/**
 * A job with its steps as `sacct --json` prints it, in the shape of Slurm 23.11: states are lists, numbers that may
 * be missing are `{set, infinite, number}`, times are seconds since 1970.
 */

import type { HistoryRecord } from "../../core/history.ts";
import { fold } from "../../core/hostlist.ts";
import { derivedExit, type ExitStatus } from "../../core/job.ts";
import { formatGpus, gpuThousandths } from "../../core/resources.ts";
import { totalOf, type UsageMetric } from "../../core/usage.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import { requestedMemoryMiB } from "../tres.ts";
import { type AcctRow, ranMs, rowCpu } from "./rows.ts";

/** What a document needs beside its rows. */
export interface JsonContext {
  readonly nowMs: number;
  readonly clusterName: string;
  groupName(gid: number): string;
}

type Json = Record<string, unknown>;

/** @param steps rows of the steps, in their order */
export function acctJson(record: HistoryRecord, job: AcctRow, steps: readonly AcctRow[], context: JsonContext): Json {
  const { row } = job;
  const { spec } = record.job;
  const { user } = spec;
  return {
    account: row.account,
    comment: { administrator: "", job: row.comment, system: "" },
    allocation_nodes: row.nodeList === "" ? 0 : row.nodes,
    array: arrayJson(row, spec.array?.limit ?? 0),
    association: { account: row.account, cluster: context.clusterName, partition: "", user: user.name, id: 0 },
    block: "",
    cluster: context.clusterName,
    constraints: row.features,
    container: "",
    derived_exit_code: exitJson(derivedExit(record.job)),
    time: jobTime(job, context),
    exit_code: exitJson(job.exit),
    extra: "",
    failed_node: "",
    flags: job.startAt === null ? [] : ["STARTED_ON_SCHEDULE"],
    group: context.groupName(user.gid),
    het: { job_id: row.hetJobId, job_offset: optional(row.hetJobId === 0 ? null : row.hetOffset) },
    job_id: record.job.id,
    name: job.name,
    licenses: row.licenses,
    mcs: { label: "" },
    nodes: job.nodeList,
    partition: row.partition,
    priority: optional(row.priority),
    qos: row.qos,
    required: requiredJson(row),
    kill_request_user: record.job.state === "CANCELLED" ? cancelledBy(record) : "",
    reservation: { id: 0, name: row.reservation },
    restart_cnt: Math.max(0, record.job.attempt - 1),
    script: "",
    state: { current: [record.state], reason: row.reason },
    steps: steps.map((step) => stepJson(step, context)),
    submit_line: spec.submitLine,
    tres: { allocated: allocatedJson(job), requested: requestedJson(row) },
    used_gres: "",
    user: user.name,
    wckey: { wckey: row.wckey, flags: [] },
    working_directory: spec.workDir,
  };
}

function cancelledBy({ job }: HistoryRecord): string {
  return "cancelledBy" in job && job.cancelledBy !== null ? String(job.cancelledBy) : "";
}

function arrayJson({ arrayJobId, arrayTasks }: JobRow, limit: number): Json {
  const isOne = /^\d+$/.test(arrayTasks);
  return {
    job_id: arrayJobId,
    limits: { max: { running: { tasks: limit } } },
    task_id: optional(isOne ? Number(arrayTasks) : null),
    task: isOne ? "" : arrayTasks.replace(/[[\]]/g, ""),
  };
}

function requiredJson(row: JobRow): Json {
  const isPerCpu = row.memoryPer === "cpu";
  return {
    CPUs: row.cpus,
    memory_per_cpu: optional(isPerCpu && row.memoryMiB > 0 ? row.memoryMiB : null),
    memory_per_node: optional(!isPerCpu && row.memoryMiB > 0 ? row.memoryMiB : null),
  };
}

function jobTime(job: AcctRow, context: JsonContext): Json {
  const { row } = job;
  const waitedMs = Math.max(0, (row.startAt ?? row.endAt ?? context.nowMs) - row.eligibleAt);
  return {
    ...spanJson(job, context),
    eligible: secondsOf(row.eligibleAt),
    submission: secondsOf(job.submitAt),
    limit: { set: row.limitS !== 0, infinite: row.limitS === 0, number: Math.ceil(row.limitS / 60) },
    planned: optional(secondsOf(waitedMs)),
  };
}

function spanJson(row: AcctRow, { nowMs }: JsonContext): Json {
  const { userMs, systemMs } = rowCpu(row);
  return {
    elapsed: secondsOf(ranMs(row, nowMs)),
    end: secondsOf(row.endAt ?? 0),
    start: secondsOf(row.startAt ?? 0),
    suspended: secondsOf(row.suspendedMs),
    system: cpuJson(systemMs),
    total: cpuJson(userMs + systemMs),
    user: cpuJson(userMs),
  };
}

function stepJson(step: AcctRow, context: JsonContext): Json {
  const { elapsed, end, start, suspended, system, total, user } = spanJson(step, context);
  const nodes = step.parts.map(({ node }) => node);
  return {
    time: { elapsed, end: optional(Number(end)), start: optional(Number(start)), suspended, system, total, user },
    exit_code: exitJson(step.exit),
    nodes: { count: nodes.length, range: fold(nodes), list: nodes },
    tasks: { count: step.parts.reduce((sum, part) => sum + part.tasks.length, 0) },
    pid: "",
    CPU: { requested_frequency: { min: optional(0), max: optional(0) }, governor: "" },
    kill_request_user: "",
    state: [step.state],
    statistics: { CPU: { actual_frequency: 0 }, energy: { consumed: optional(0) } },
    step: { id: step.rawId, name: step.name },
    task: { distribution: typeof step.step?.id === "number" ? "Block" : "Unknown" },
    tres: {
      requested: usageJson(step, IN),
      consumed: usageJson(step, OUT),
      allocated: allocatedJson(step),
    },
  };
}

type Counted = readonly [type: string, name: string, id: number, metric: UsageMetric, factor: number];

const KIB = 1024;
const IN: readonly Counted[] = [
  ["cpu", "", 1, "cpuMs", 1],
  ["mem", "", 2, "rssKiB", KIB],
  ["fs", "disk", 6, "read", 1],
  ["vmem", "", 7, "vmKiB", KIB],
  ["pages", "", 8, "pages", 1],
];
const OUT: readonly Counted[] = [["fs", "disk", 6, "written", 1]];

function usageJson({ parts }: AcctRow, counted: readonly Counted[]): Json {
  const known = counted.flatMap(([type, name, id, metric, factor]) => {
    const total = totalOf(parts, metric);
    return total ? [{ head: { type, name, id }, total, factor }] : [];
  });
  return {
    max: known.map(({ head, total, factor }) => ({
      ...{ ...head, count: total.max * factor, task: total.maxTask, node: total.maxNode },
    })),
    min: known.map(({ head, total, factor }) => ({
      ...{ ...head, count: total.min * factor, task: total.minTask, node: total.minNode },
    })),
    average: known.map(({ head, total, factor }) => ({ ...head, count: Math.round(total.average * factor) })),
    total: known.map(({ head, total, factor }) => ({ ...head, count: total.total * factor })),
  };
}

function allocatedJson(row: AcctRow): readonly Json[] {
  const { job, step } = row;
  const shares = step === null ? (job.state === "PENDING" ? [] : job.allocation) : row.parts;
  if (shares.length === 0) return [];
  const memory = shares.reduce((sum, share) => sum + share.memoryMiB, 0);
  return tresJson(row.cpus, memory, shares.length, gpuThousandths(shares), step === null);
}

function requestedJson(row: JobRow): readonly Json[] {
  return tresJson(row.cpus, Math.floor(requestedMemoryMiB(row)), row.nodes, row.gpus, true);
}

function tresJson(cpus: number, memoryMiB: number, nodes: number, gpus: number, isBilled: boolean): readonly Json[] {
  return [
    { type: "cpu", name: "", id: 1, count: cpus },
    ...(memoryMiB > 0 ? [{ type: "mem", name: "", id: 2, count: memoryMiB }] : []),
    { type: "node", name: "", id: 4, count: nodes },
    ...(isBilled ? [{ type: "billing", name: "", id: 5, count: cpus }] : []),
    ...(gpus > 0 ? [{ type: "gres", name: "gpu", id: 1001, count: Number(formatGpus(gpus)) }] : []),
  ];
}

function exitJson({ code, signal }: ExitStatus): Json {
  const status = signal > 0 ? "SIGNALED" : code === 0 ? "SUCCESS" : "ERROR";
  return {
    status: [status],
    return_code: optional(code),
    signal: { id: optional(signal > 0 ? signal : null), name: "" },
  };
}

function cpuJson(ms: number): Json {
  const whole = Math.round(ms);
  return { seconds: Math.floor(whole / 1000), microseconds: (whole % 1000) * 1000 };
}

function optional(number: number | null): Json {
  return { set: number !== null, infinite: false, number: number ?? 0 };
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}
