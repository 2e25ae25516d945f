/**
 * A job as `squeue --json` prints it, in the shape of Slurm 23.11 and later: states are lists, numbers that may be
 * missing are `{set, infinite, number}`, times are seconds since 1970. Keys whose value mgpu knows, and no others.
 */

import { formatGpus } from "../core/resources.ts";
import type { JobRow } from "../protocol/procedures.ts";
import { expectedEndMs } from "./job-times.ts";

/** Slurm's number that may be missing or endless. */
export interface OptionalNumber {
  readonly set: boolean;
  readonly infinite: boolean;
  readonly number: number;
}

/** Every field of a row: what the record below is made from. */
export const JSON_FIELDS: readonly (keyof JobRow)[] = [
  "id",
  "name",
  "user",
  "uid",
  "partition",
  "state",
  "reason",
  "reasonText",
  "submitAt",
  "eligibleAt",
  "startAt",
  "endAt",
  "limitS",
  "nodeList",
  "nodes",
  "tasks",
  "cpus",
  "cpusPerTask",
  "memoryMiB",
  "gpus",
  "gpuType",
  "gpuIds",
  "arrayJobId",
  "arrayTasks",
  "hetJobId",
  "hetOffset",
  "account",
  "comment",
  "qos",
  "wckey",
  "reservation",
  "licenses",
  "dependency",
  "features",
  "requestedNodes",
  "excludedNodes",
  "nice",
  "memoryPer",
  "requeue",
  "priority",
  "attempt",
  "exitCode",
  "exitSignal",
  "kind",
  "command",
  "workDir",
  "stdout",
  "cause",
];

/** The record of one job. */
export function jobJson(row: JobRow, clusterName: string): Record<string, unknown> {
  const isPlaced = row.nodeList !== "";
  const tres = tresText(row);
  return {
    account: row.account,
    array_job_id: number(row.arrayJobId),
    array_task_id: /^\d+$/.test(row.arrayTasks) ? number(Number(row.arrayTasks)) : unset(),
    array_task_string: /^\d+$/.test(row.arrayTasks) ? "" : row.arrayTasks.replace(/[[\]]/g, ""),
    batch_flag: row.kind === "batch",
    cluster: clusterName,
    command: row.command,
    comment: row.comment,
    cpus: number(row.cpus),
    cpus_per_task: number(row.cpusPerTask),
    current_working_directory: row.workDir,
    dependency: row.dependency,
    eligible_time: seconds(row.eligibleAt),
    end_time: endTime(row),
    exit_code: exitCode(row),
    gres_detail: gresDetail(row),
    excluded_nodes: row.excludedNodes,
    features: row.features,
    het_job_id: number(row.hetJobId),
    het_job_offset: row.hetJobId > 0 ? number(row.hetOffset) : unset(),
    hold: row.priority === 0,
    job_id: row.id,
    job_resources: isPlaced ? jobResources(row) : null,
    job_state: [row.state],
    licenses: row.licenses,
    memory_per_cpu: row.memoryMiB > 0 && row.memoryPer === "cpu" ? number(row.memoryMiB) : unset(),
    memory_per_node: row.memoryMiB > 0 && row.memoryPer === "node" ? number(row.memoryMiB) : unset(),
    name: row.name,
    nice: row.nice,
    node_count: number(row.nodes),
    nodes: row.nodeList,
    partition: row.partition,
    priority: number(row.priority),
    qos: row.qos || "normal",
    requeue: row.requeue,
    required_nodes: row.requestedNodes,
    reservation: row.reservation,
    restart_cnt: Math.max(0, row.attempt - 1),
    standard_output: row.stdout,
    start_time: seconds(row.startAt),
    state_description: row.reasonText,
    state_reason: row.reason,
    submit_time: seconds(row.submitAt),
    tasks: number(row.tasks),
    time_limit: timeLimit(row.limitS),
    tres_alloc_str: isPlaced ? tres : "",
    tres_per_job: row.gpus > 0 ? `gres/gpu${typeText(row)}:${formatGpus(row.gpus)}` : "",
    tres_req_str: tres,
    user_id: row.uid,
    user_name: row.user,
    wckey: row.wckey,
  };
}

function number(value: number): OptionalNumber {
  return { set: true, infinite: false, number: value };
}

function unset(): OptionalNumber {
  return { set: false, infinite: false, number: 0 };
}

/** A missing time is 0, as in Slurm. */
function seconds(atMs: number | null): OptionalNumber {
  return number(atMs === null ? 0 : Math.floor(atMs / 1000));
}

function endTime(row: JobRow): OptionalNumber {
  const end = expectedEndMs(row);
  return end === Number.POSITIVE_INFINITY ? { set: true, infinite: true, number: 0 } : seconds(end);
}

/** Slurm counts limits in minutes. */
function timeLimit(limitS: number): OptionalNumber {
  if (limitS === 0) return { set: false, infinite: true, number: 0 };
  return number(Math.ceil(limitS / 60));
}

function exitCode({ exitCode: code, exitSignal: signal }: JobRow): Record<string, unknown> {
  const status = signal > 0 ? "SIGNALED" : code > 0 ? "ERROR" : "SUCCESS";
  return {
    status: [status],
    return_code: number(code),
    signal: { id: signal > 0 ? number(signal) : unset(), name: "" },
  };
}

function typeText({ gpuType }: JobRow): string {
  return gpuType === null ? "" : `:${gpuType}`;
}

/** `gpu:a100:2(IDX:0-1)`-like, one a node; mgpu lists the indices one by one. */
function gresDetail(row: JobRow): string[] {
  if (row.gpuIds === "") return [];
  return row.gpuIds.split(";").map((share) => {
    const ids = share.slice(share.lastIndexOf(":") + 1);
    return `gpu${typeText(row)}:${ids.split(",").length}(IDX:${ids})`;
  });
}

/** What a job of one node holds there; of several nodes the row knows the sum only. */
function jobResources(row: JobRow): Record<string, unknown> {
  const { nodeList, nodes, cpus, memoryMiB } = row;
  const here = { name: nodeList, cpus: { used: cpus }, memory: { used: 0, allocated: memoryMiB } };
  return { nodes: { count: nodes, list: nodeList, allocation: nodes === 1 ? [here] : [] }, cpus };
}

function tresText(row: JobRow): string {
  const parts = [`cpu=${row.cpus}`];
  const times = { node: row.nodes, cpu: row.cpus, gpu: row.gpus / 1000 }[row.memoryPer] ?? 1;
  if (row.memoryMiB > 0) parts.push(`mem=${row.memoryMiB * times}M`);
  parts.push(`node=${row.nodes}`, `billing=${row.cpus}`);
  if (row.gpus > 0) parts.push(`gres/gpu=${formatGpus(row.gpus)}`);
  if (row.gpus > 0 && row.gpuType !== null) parts.push(`gres/gpu:${row.gpuType}=${formatGpus(row.gpus)}`);
  return parts.join(",");
}
