/**
 * A job as `squeue --json` prints it, in the shape of Slurm 23.11 and later (data_parser v0.0.40): states are lists,
 * numbers that may be missing are `{set, infinite, number}`, times are seconds since 1970. What mgpu does not have
 * stands as Slurm writes it where nothing is set.
 */

import { formatGpus } from "../core/resources.ts";
import type { JobListRow } from "../protocol/procedures.ts";
import { formatRanges } from "../util/ranges.ts";
import type { JobField } from "./job-columns.ts";
import { firstNode } from "./job-details.ts";
import { type JobWriter, partWriter } from "./job-table.ts";
import { expectedEndMs } from "./job-times.ts";

/** Slurm's number that may be missing or endless. */
export interface OptionalNumber {
  readonly set: boolean;
  readonly infinite: boolean;
  readonly number: number;
}

/** What rows do not tell. */
export interface JsonFacts {
  readonly clusterName: string;
  groupName(gid: number): string;
}

type JsonRecord = Record<string, unknown>;

/** The record of one job, of a row with {@link JSON_FIELDS}. */
export function jobJson(row: JobListRow, facts: JsonFacts): JsonRecord {
  return Object.assign({}, ...PARTS.map(({ make }) => make(row, facts)));
}

/** The same as JSON on one line, for rows one after the other. */
export function jobJsonWriter(facts: JsonFacts): JobWriter {
  const parts = PARTS.map(({ fields, make }) => ({
    fields,
    make: (row: JobListRow) => JSON.stringify(make(row, facts)).slice(1, -1),
  }));
  return partWriter(parts, "{", ",", "}");
}

/** Some keys of a record, and what they are made from. */
interface JsonPart {
  readonly fields: readonly JobField[];
  make(row: JobListRow, facts: JsonFacts): JsonRecord;
}

/** A part that looks at the fields it names and no others. */
function part<F extends JobField>(
  fields: readonly F[],
  make: (row: Pick<JobListRow, F>, facts: JsonFacts) => JsonRecord,
): JsonPart {
  return { fields, make };
}

/** A number that is set. */
export function number(value: number): OptionalNumber {
  return { set: true, infinite: false, number: value };
}

function unset(): OptionalNumber {
  return { set: false, infinite: false, number: 0 };
}

/** Set where it is not 0. */
function orUnset(value: number): OptionalNumber {
  return value > 0 ? number(value) : unset();
}

/** A missing time is 0, as in Slurm. */
function seconds(atMs: number | null): OptionalNumber {
  return number(atMs === null ? 0 : Math.floor(atMs / 1000));
}

/** In the order of their keys: no key is in two of them, and none is empty. What differs from job to job stands apart. */
const PARTS: readonly JsonPart[] = [
  part(["account", "submitHost"], (row) => ({ account: row.account, allocating_node: row.submitHost })),
  part(["arrayJobId", "arrayTasks", "arrayLimit"], arrayPart),
  part(["kind", "nodeList", "command", "comment", "gid", "hetJobId", "hetSize", "hetOffset"], commandPart),
  part(["id"], (row) => ({ job_id: row.id, mcs_label: "" })),
  part(["name"], (row) => ({ name: row.name })),
  part(["partition", "uid", "user", "wckey"], (row) => ({
    ...{ partition: row.partition, user_id: row.uid, user_name: row.user, wckey: row.wckey },
  })),
  part(["state", "reasonText", "reason", "exitCode", "exitSignal", "derivedCode", "derivedSignal"], statePart),
  part(["hold", "state", "priority"], (row) => ({
    hold: row.hold !== "" || (row.state === "PENDING" && row.priority === 0),
    priority: number(row.priority),
  })),
  part(["nice", "dependency", "requeue", "kind", "state", "attempt"], (row) => ({
    nice: row.nice,
    dependency: row.dependency,
    requeue: row.requeue && row.kind === "batch",
    restart_cnt: Math.max(0, row.state === "PENDING" ? row.attempt : row.attempt - 1),
    reboot: false,
  })),
  part(["eligibleAt", "deadlineAt"], (row) => ({
    accrue_time: seconds(row.eligibleAt),
    deadline: seconds(row.deadlineAt),
    delay_boot: number(0),
    eligible_time: seconds(row.eligibleAt),
  })),
  part(["startAt", "expectedAt", "endAt", "limitS", "suspendedAt", "suspendedMs"], runPart),
  part(["submitAt"], (row) => ({ submit_time: seconds(row.submitAt) })),
  part(["suspendedAt", "limitS", "timeMinS"], (row) => ({
    suspend_time: seconds(row.suspendedAt),
    // Slurm counts limits in minutes.
    time_limit: row.limitS === 0 ? { set: false, infinite: true, number: 0 } : number(Math.ceil(row.limitS / 60)),
    time_minimum: number(Math.ceil(row.timeMinS / 60)),
  })),
  part(
    [
      ...(["nodeList", "nodes", "cpus", "shares", "gpuType", "tasks", "tasksPerNode", "nodesMax"] as const),
      ...(["memoryPer", "memoryMiB", "cpusMin", "cpusPerTask", "cpusPerGpu", "contiguous"] as const),
      ...(["expectedNodes", "tresAlloc", "tresRequested"] as const),
    ],
    resourcePart,
  ),
  part(
    [
      ...(["excludedNodes", "requestedNodes", "exclusive", "onlyUser", "features", "licenses", "reservation"] as const),
      ...(["mailTypes", "mailUser", "qos", "tresPerJob", "tresPerNode", "tresPerTask"] as const),
    ],
    wishPart,
  ),
  part(["workDir"], (row) => ({ cron: "", current_working_directory: row.workDir, selinux_context: "" })),
  part(["stderrFile", "stdinFile", "stdoutFile"], (row) => ({
    standard_error: row.stderrFile,
    standard_input: row.stdinFile,
    standard_output: row.stdoutFile,
  })),
];

type Row<F extends JobField> = Pick<JobListRow, F>;

function arrayPart(row: Row<"arrayJobId" | "arrayTasks" | "arrayLimit">): JsonRecord {
  const isOneTask = /^\d+$/.test(row.arrayTasks);
  return {
    array_job_id: number(row.arrayJobId),
    array_task_id: isOneTask ? number(Number(row.arrayTasks)) : unset(),
    array_max_tasks: number(row.arrayLimit),
    array_task_string: isOneTask ? "" : row.arrayTasks.replace(/[[\]]/g, ""),
  };
}

function commandPart(
  row: Row<"kind" | "nodeList" | "command" | "comment" | "gid" | "hetJobId" | "hetSize" | "hetOffset">,
  { clusterName, groupName }: JsonFacts,
): JsonRecord {
  return {
    association_id: 0,
    batch_features: "",
    batch_flag: row.kind === "batch",
    batch_host: row.kind === "batch" ? firstNode(row.nodeList) : "",
    flags: [],
    cluster: clusterName,
    cluster_features: "",
    command: row.command,
    comment: row.comment,
    admin_comment: "",
    system_comment: "",
    extra: "",
    container: "",
    container_id: "",
    federation_origin: "",
    federation_siblings_active: "",
    federation_siblings_viable: "",
    group_id: row.gid,
    group_name: groupName(row.gid),
    het_job_id: number(row.hetJobId),
    het_job_id_set: row.hetSize > 1 ? `${row.hetJobId}-${row.hetJobId + row.hetSize - 1}` : "",
    het_job_offset: row.hetJobId > 0 ? number(row.hetOffset) : unset(),
  };
}

function statePart(
  row: Row<"state" | "reasonText" | "reason" | "exitCode" | "exitSignal" | "derivedCode" | "derivedSignal">,
): JsonRecord {
  return {
    job_state: [row.state],
    state_description: row.reasonText,
    state_reason: row.reason,
    exit_code: exitCode(row.exitCode, row.exitSignal),
    derived_exit_code: exitCode(row.derivedCode, row.derivedSignal),
    failed_node: "",
  };
}

function runPart(row: Row<"startAt" | "expectedAt" | "endAt" | "limitS" | "suspendedAt" | "suspendedMs">): JsonRecord {
  const startAt = row.startAt ?? row.expectedAt;
  const end = expectedEndMs({ ...row, startAt });
  const beforeMs = row.suspendedAt === null || startAt === null ? 0 : row.suspendedAt - startAt - row.suspendedMs;
  return {
    end_time: end === Number.POSITIVE_INFINITY ? { set: true, infinite: true, number: 0 } : seconds(end),
    last_sched_evaluation: seconds(row.startAt),
    pre_sus_time: seconds(Math.max(0, beforeMs)),
    preempt_time: number(0),
    preemptable_time: number(0),
    resize_time: number(0),
    start_time: seconds(startAt),
  };
}

type ResourceFields =
  | ("nodeList" | "nodes" | "cpus" | "shares" | "gpuType" | "tasks" | "tasksPerNode" | "nodesMax" | "memoryPer")
  | ("memoryMiB" | "cpusMin" | "cpusPerTask" | "cpusPerGpu" | "contiguous" | "expectedNodes")
  | ("tresAlloc" | "tresRequested");

function resourcePart(row: Row<ResourceFields>): JsonRecord {
  const isPlaced = row.nodeList !== "";
  const memory = (per: string): OptionalNumber => (row.memoryPer === per ? orUnset(row.memoryMiB) : unset());
  const perNode = Math.max(1, row.cpusMin, row.cpusPerTask * Math.max(1, row.tasksPerNode));
  return {
    billable_tres: number(isPlaced ? row.cpus : 0),
    contiguous: row.contiguous,
    core_spec: 0,
    thread_spec: 32_766,
    cores_per_socket: unset(),
    cpus: number(row.cpus),
    cpus_per_task: number(row.cpusPerTask),
    cpus_per_tres: row.cpusPerGpu > 0 ? `gres/gpu:${row.cpusPerGpu}` : "",
    ...{ cpu_frequency_minimum: unset(), cpu_frequency_maximum: unset(), cpu_frequency_governor: unset() },
    gres_detail: gresDetail(row),
    job_resources: isPlaced ? jobResources(row) : null,
    job_size_str: [],
    max_cpus: number(0),
    max_nodes: number(row.nodesMax),
    memory_per_cpu: memory("cpu"),
    memory_per_node: memory("node"),
    memory_per_tres: row.memoryPer === "gpu" && row.memoryMiB > 0 ? `gres/gpu:${row.memoryMiB}` : "",
    minimum_cpus_per_node: number(perNode),
    minimum_tmp_disk_per_node: number(0),
    node_count: number(row.nodes),
    nodes: row.nodeList,
    scheduled_nodes: row.expectedNodes,
    ...{ sockets_per_board: 0, sockets_per_node: unset(), threads_per_core: unset() },
    tasks: number(row.tasks),
    tasks_per_board: number(0),
    tasks_per_core: unset(),
    tasks_per_node: number(row.tasksPerNode),
    tasks_per_socket: unset(),
    tasks_per_tres: unset(),
    tres_alloc_str: isPlaced ? row.tresAlloc : "",
    tres_req_str: row.tresRequested,
  };
}

type WishFields =
  | ("excludedNodes" | "requestedNodes" | "exclusive" | "onlyUser" | "features" | "licenses" | "reservation")
  | ("mailTypes" | "mailUser" | "qos" | "tresPerJob" | "tresPerNode" | "tresPerTask");

function wishPart(row: Row<WishFields>): JsonRecord {
  return {
    burst_buffer: "",
    burst_buffer_state: "",
    excluded_nodes: row.excludedNodes,
    exclusive: row.exclusive ? ["true"] : row.onlyUser ? ["user"] : [],
    features: row.features,
    licenses: row.licenses,
    mail_type: row.mailTypes === "" ? [] : row.mailTypes.split(","),
    mail_user: row.mailUser,
    maximum_switch_wait_time: 0,
    minimum_switches: 0,
    network: "",
    oversubscribe: false,
    power: { flags: [] },
    prefer: "",
    profile: ["NOT_SET"],
    qos: row.qos,
    required_nodes: row.requestedNodes,
    resv_name: row.reservation,
    shared: row.exclusive ? ["none"] : row.onlyUser ? ["user"] : [],
    show_flags: ["ALL", "DETAIL"],
    tres_bind: "",
    tres_freq: "",
    tres_per_job: row.tresPerJob,
    tres_per_node: row.tresPerNode,
    tres_per_socket: "",
    tres_per_task: row.tresPerTask,
  };
}

function exitCode(code: number, signal: number): JsonRecord {
  const status = signal > 0 ? "SIGNALED" : code > 0 ? "ERROR" : "SUCCESS";
  return { status: [status], return_code: number(code), signal: { id: orUnset(signal), name: "" } };
}

/** `gpu:a100:2(IDX:0-1)`, one a node that holds GPUs. */
function gresDetail({ shares, gpuType }: Row<"shares" | "gpuType">): string[] {
  const type = gpuType === null ? "" : `:${gpuType}`;
  return shares
    .filter(({ gpuIds }) => gpuIds.length > 0)
    .map(({ gpus, gpuIds }) => `gpu${type}:${formatGpus(gpus)}(IDX:${formatRanges(gpuIds)})`);
}

/** What the job holds on each node; the keys of older shapes stand beside, for the programs that look for them. */
function jobResources({ shares, nodeList, nodes, cpus }: Row<"shares" | "nodeList" | "nodes" | "cpus">): JsonRecord {
  return {
    select_type: ["CPU", "CORE", "MEMORY"],
    nodes: {
      count: nodes,
      select_type: ["AVAILABLE"],
      list: nodeList,
      whole: false,
      allocation: shares.map((share, index) => ({
        index,
        name: share.node,
        cpus: { count: share.cpus, used: share.cpus },
        memory: { used: 0, allocated: share.memoryMiB },
        // CPUs are counted, not bound: their numbers say how many there are.
        sockets: [
          {
            index: 0,
            cores: Array.from({ length: share.cpus }, (_, core) => ({ index: core, status: ["ALLOCATED"] })),
          },
        ],
      })),
    },
    cpus,
    threads_per_core: number(1),
    allocated_cores: cpus,
    allocated_cpus: cpus,
    allocated_hosts: nodes,
    allocated_nodes: shares.map(({ node, cpus: used, memoryMiB }) => ({
      ...{ nodename: node, cpus_used: used, memory_used: 0, memory_allocated: memoryMiB },
    })),
  };
}

/** What records are made from. */
export const JSON_FIELDS: readonly JobField[] = [...new Set(PARTS.flatMap(({ fields }) => fields))];
