/**
 * Jobs of `squeue --json` as mgpu's records: of Slurm 22.05 (plain values), of 23.02 (numbers that may be unset), 23.11
 * (lists of states, times that may be unset) and 24.05 and later (resources by node). Source of the shapes: JOB_INFO and
 * JOB_RES in Slurm's data_parser plugins v0.0.39 to v0.0.42. Pure.
 */

import { parseTaskSet, type TaskSet, taskSetOf } from "../../core/array-spec.ts";
import { parseDependency } from "../../core/dependency.ts";
import { expand } from "../../core/hostlist.ts";
import type { ExitStatus, Job, Step, TerminalState } from "../../core/job.ts";
import type { JobSpec } from "../../core/jobspec.ts";
import { parseLicenses } from "../../core/licenses.ts";
import { type Allocation, type NodeShare, PLAIN_REQUEST, type ResourceRequest } from "../../core/resources.ts";
import type { JobDetails, JobListRow, JobRow } from "../../protocol/procedures.ts";
import { toJobDetails } from "../../view/job-details.ts";
import { toJobRow } from "../../view/job-row.ts";
import { gpusOfDetail, gpuWishes, tresCount } from "./gres.ts";
import { reasonText } from "./reasons.ts";
import { countOf, exitOf, type Json, listOf, momentOf, numberOf, objectOf, textOf, wordsOf } from "./values.ts";

/** A job of Slurm's, with what listings show of it. */
export interface SlurmJob {
  readonly job: Job;
  readonly row: JobRow;
  readonly details: JobDetails;
  /** Slurm's name of its cluster; empty where it is not said. */
  readonly cluster: string;
}

/** States of Slurm's that mgpu knows by another name. */
const ENDINGS: Readonly<Record<string, TerminalState>> = {
  COMPLETED: "COMPLETED",
  CANCELLED: "CANCELLED",
  FAILED: "FAILED",
  TIMEOUT: "TIMEOUT",
  NODE_FAIL: "NODE_FAIL",
  PREEMPTED: "PREEMPTED",
  BOOT_FAIL: "BOOT_FAIL",
  DEADLINE: "DEADLINE",
  OUT_OF_MEMORY: "OUT_OF_MEMORY",
  REVOKED: "CANCELLED",
  LAUNCH_FAILED: "BOOT_FAIL",
};

const WAITING: ReadonlySet<string> = new Set(["PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"]);

/** Seconds of a minute: Slurm's limits are minutes. */
const MINUTE_S = 60;

/** The jobs of a document of squeue's. */
export function jobsOf(document: unknown): SlurmJob[] {
  return listOf(objectOf(document).jobs).map((one) => slurmJob(objectOf(one)));
}

/** One job of such a document. */
function slurmJob(json: Json): SlurmJob {
  const job = recordOf(json);
  const reason = textOf(json.state_reason) || "None";
  const said = textOf(json.state_description);
  const isWaiting = job.state === "PENDING";
  const extra = {
    reason: isWaiting ? reason : "None",
    reasonText: isWaiting ? said || reasonText(reason) : "",
    partition: textOf(json.partition),
    priority: countOf(json.priority),
  };
  const plain = toJobRow(job, extra);
  const row = { ...plain, ...rowOf(json, job, reason) };
  // Of GPUs a site may keep no account.
  row.gpus ||= plain.gpus;
  const startAt = momentOf(json.start_time);
  const forecast = isWaiting && startAt !== null ? { at: startAt, nodes: textOf(json.scheduled_nodes) } : null;
  return {
    job,
    row,
    details: { ...toJobDetails(job, row, forecast), ...detailsOf(json, job) },
    cluster: textOf(json.cluster),
  };
}

/** What Slurm says itself stands above what is worked out from the record. */
function rowOf(json: Json, job: Job, reason: string): Partial<JobListRow> {
  const words = wordsOf(json.job_state);
  return {
    state: stateOf(words),
    ...(job.state === "PENDING" || job.state === "RUNNING" ? {} : { reason }),
    nodes: countOf(json.node_count) || 1,
    tasks: countOf(json.tasks) || 1,
    cpus: countOf(json.cpus),
    gpus: tresCount(tresOf(json), "gres/gpu") * 1000,
    ...(job.state === "PENDING" ? {} : { nodeList: textOf(json.nodes) }),
    dependency: job.state === "PENDING" ? textOf(json.dependency) : "",
    licenses: textOf(json.licenses),
    requestedNodes: textOf(json.required_nodes),
    excludedNodes: textOf(json.excluded_nodes),
  };
}

function detailsOf(json: Json, job: Job): Partial<JobDetails> {
  const allocated = textOf(json.tres_alloc_str);
  const requested = textOf(json.tres_req_str);
  return {
    tresAlloc: job.state === "PENDING" ? requested : allocated || requested,
    tresRequested: requested,
    ...(exitOf(json.derived_exit_code).code === 0 ? {} : { derivedCode: exitOf(json.derived_exit_code).code }),
  };
}

/**
 * One word: COMPLETING stands above how it ended, SUSPENDED and CONFIGURING above RUNNING. Else it is the state itself,
 * which Slurm puts before flags such as LAUNCH_FAILED of a job that waits again.
 */
function stateOf(words: readonly string[]): string {
  for (const word of ["COMPLETING", "CONFIGURING", "SPECIAL_EXIT", "SUSPENDED"]) if (words.includes(word)) return word;
  return words[0] ?? "PENDING";
}

/** How it ended; the first word is the state, later ones may be flags of how it began. */
function endingOf(words: readonly string[]): TerminalState | undefined {
  const [state = "", ...flags] = words;
  if (WAITING.has(state) || state === "RUNNING") return undefined;
  return ENDINGS[[state, ...flags].find((word) => word in ENDINGS) ?? ""];
}

function recordOf(json: Json): Job {
  const words = wordsOf(json.job_state);
  const state = stateOf(words);
  const spec = specOf(json);
  const common = {
    id: countOf(json.job_id),
    spec,
    submitAt: momentOf(json.submit_time) ?? 0,
    attempt: countOf(json.restart_cnt) + (WAITING.has(state) ? 0 : 1),
    requestId: "",
    array: arrayOf(json),
  };
  const eligibleAt = momentOf(json.eligible_time) ?? common.submitAt;
  const allocation = allocationOf(json, spec.request);
  if (WAITING.has(state)) {
    const hold = holdOf(json);
    const special = words.includes("SPECIAL_EXIT") ? { special: true as const } : {};
    return { ...common, state: "PENDING", eligibleAt, hold, ...special, allocation: [], cleanup: [], retried: 0 };
  }
  const startAt = momentOf(json.start_time);
  const limitS = spec.timeLimitS ?? 0;
  const suspendedMs = countOf(json.pre_sus_time) * 1000;
  const isOver = words.includes("COMPLETING") || endingOf(words) !== undefined;
  if (!isOver) {
    const since = startAt ?? common.submitAt;
    const suspendedAt = state === "SUSPENDED" ? (momentOf(json.suspend_time) ?? since) : null;
    const running = { startAt: since, limitS, allocation, nextStepId: 0, suspendedAt, signalled: false, retried: 0 };
    const steps = stepsOf(json, spec, allocation, since, null);
    return { ...common, state: "RUNNING", eligibleAt, ...running, suspendedMs, steps };
  }
  const exit = exitOf(json.exit_code);
  const ending = endingOf(words) ?? (exit.code || exit.signal ? "FAILED" : "COMPLETED");
  const endAt = momentOf(json.end_time) ?? common.submitAt;
  const cleanup = words.includes("COMPLETING") ? allocation.map(({ node }) => node) : [];
  const steps = startAt === null ? [] : stepsOf(json, spec, allocation, startAt, { state: ending, endAt, exit });
  // As the kernel says it, while COMPLETING hides the state.
  const cause = textOf(json.state_description) || (textOf(json.state_reason) === "TimeLimit" ? "time limit" : "");
  const how = { exit, cause, cancelledBy: null, cleanup, suspendedMs };
  return { ...common, state: ending, startAt, eligibleAt, endAt, limitS, allocation, steps, ...how };
}

/** Slurm's reasons say who holds a job: JobHeldUser, JobHeldAdmin. */
function holdOf(json: Json): "user" | "admin" | null {
  const reason = textOf(json.state_reason);
  if (/^JobHeldAdmin/.test(reason)) return "admin";
  return json.hold === true || /^JobHeld/.test(reason) ? "user" : null;
}

/** What of a job's request Slurm tells nobody: neither its queue nor its accounting. */
export const UNTOLD = {
  ...{
    programs: [],
    environmentDigest: "",
    pty: null,
    umask: 0o022,
    rlimits: {},
    distribution: "block",
    gpuBind: null,
  },
  ...{ scriptDigest: null, retries: 0, retryWaitS: 0, priority: null, killOnInvalidDep: false, signal: null },
  ...{ mail: null, noKill: false },
} as const satisfies Partial<JobSpec>;

function specOf(json: Json): JobSpec {
  const isBatch = json.batch_flag === true;
  const command = textOf(json.command);
  const limit = numberOf(json.time_limit);
  const dependency = parseDependency(textOf(json.dependency).replace(/\((un)?fulfilled\)|\(failed\)/g, ""));
  const licenses = parseLicenses(textOf(json.licenses));
  const name = textOf(json.name);
  return {
    kind: isBatch ? "batch" : command === "" || name === "interactive" ? "alloc" : "run",
    name,
    user: { uid: countOf(json.user_id), gid: countOf(json.group_id), name: textOf(json.user_name) },
    workDir: textOf(json.current_working_directory) || "/",
    io: {
      stdin: textOf(json.standard_input) || "none",
      stdout: textOf(json.stdout_expanded) || textOf(json.standard_output) || null,
      stderr: textOf(json.stderr_expanded) || textOf(json.standard_error) || null,
      openMode: "truncate",
      label: false,
    },
    // Slurm's own record of a job of --wrap has no command.
    argv: isBatch ? (command === "" ? ["wrap"] : command.split(" ")) : command === "" ? [] : [command],
    ...UNTOLD,
    partition: textOf(json.partition) || null,
    request: requestOf(json),
    timeLimitS: limit === null ? 0 : Number.isFinite(limit) ? limit * MINUTE_S : 0,
    timeMinS: countOf(json.time_minimum) * MINUTE_S || null,
    beginAt: textOf(json.state_reason) === "BeginTime" ? (momentOf(json.start_time) ?? 0) : 0,
    deadlineAt: momentOf(json.deadline) ?? 0,
    requeue: json.requeue === true,
    hold: holdOf(json) !== null,
    nice: numberOf(json.nice) ?? 0,
    dependency: "value" in dependency && dependency.value.terms.length > 0 ? dependency.value : null,
    array: arraySpecOf(json),
    het: hetOf(json),
    account: textOf(json.account) || null,
    comment: commentOf(json),
    wckey: textOf(json.wckey),
    qos: textOf(json.qos) || null,
    reservation: textOf(json.resv_name) || null,
    licenses: "value" in licenses ? licenses.value : [],
    submitHost: textOf(json.allocating_node),
    submitLine: textOf(json.submit_line),
  };
}

/** A text; of slurmdbd's records an object of three. */
function commentOf({ comment }: Json): string {
  return typeof comment === "string" ? comment : textOf(objectOf(comment).job);
}

function requestOf(json: Json): ResourceRequest {
  const perCpu = numberOf(json.memory_per_cpu);
  const perNode = numberOf(json.memory_per_node);
  const memory =
    perCpu !== null && perCpu > 0
      ? { per: "cpu" as const, mib: perCpu }
      : perNode !== null && perNode > 0 && Number.isFinite(perNode)
        ? { per: "node" as const, mib: perNode }
        : null;
  const nodes = countOf(json.node_count) || 1;
  const shared = wordsOf(json.shared).map((word) => word.toLowerCase());
  return {
    ...PLAIN_REQUEST,
    tasks: countOf(json.tasks) || 1,
    tasksPerNode: countOf(json.tasks_per_node),
    cpusPerTask: countOf(json.cpus_per_task) || null,
    nodes: { min: nodes, max: countOf(json.max_nodes) || nodes },
    memory,
    gpus: gpuWishes(json),
    // 22.05 says "none" of what is not shared.
    exclusive: shared.includes("none") || shared.includes("exclusive"),
    ...(shared.includes("user") ? { onlyUser: true } : {}),
    nodeList: expand(textOf(json.required_nodes)) ?? [],
    excluded: expand(textOf(json.excluded_nodes)) ?? [],
    constraint: textOf(json.features),
    contiguous: json.contiguous === true,
  };
}

function arrayIdOf(json: Json): number {
  return countOf(json.array_job_id);
}

function tasksOf(json: Json): TaskSet | null {
  const task = numberOf(json.array_task_id);
  if (task !== null && Number.isFinite(task)) return taskSetOf([task]);
  const parsed = parseTaskSet(textOf(json.array_task_string).replace(/%\d+$/, ""));
  return "value" in parsed ? parsed.value : null;
}

function arrayOf(json: Json): Job["array"] {
  const jobId = arrayIdOf(json);
  const tasks = jobId === 0 ? null : tasksOf(json);
  return tasks === null ? null : { jobId, tasks };
}

function arraySpecOf(json: Json): JobSpec["array"] {
  const array = arrayOf(json);
  return array === null ? null : { tasks: array.tasks, limit: countOf(json.array_max_tasks) };
}

function hetOf(json: Json): JobSpec["het"] {
  if (countOf(json.het_job_id) === 0) return null;
  const ids = expand(`x[${textOf(json.het_job_id_set).replace(/[[\]]/g, "")}]`) ?? [];
  return { offset: countOf(json.het_job_offset), size: Math.max(1, ids.length) };
}

/** What it holds, else what it asks for. */
function tresOf(json: Json): string {
  return textOf(json.tres_alloc_str) || textOf(json.tres_req_str);
}

function allocationOf(json: Json, request: ResourceRequest): Allocation {
  const names = expand(textOf(json.nodes)) ?? [];
  const known = new Map(nodeRecords(json.job_resources).map((one) => [one.node, one]));
  const gpus = listOf(json.gres_detail).map((detail) => gpusOfDetail(textOf(detail)));
  const cpus = countOf(json.cpus);
  const tasks = request.tasks ?? names.length;
  return names.map((node, at): NodeShare => {
    const record = known.get(node);
    return {
      node,
      tasks: share(tasks, names.length, at),
      cpus: record?.cpus || share(cpus, names.length, at),
      memoryMiB: record?.memoryMiB ?? 0,
      gpus: gpus[at] ?? [],
    };
  });
}

/** The part of a total that falls to one of several, the first ones getting more. */
function share(total: number, parts: number, at: number): number {
  return Math.floor(total / parts) + (at < total % parts ? 1 : 0);
}

interface NodeRecord {
  readonly node: string;
  readonly cpus: number;
  readonly memoryMiB: number;
}

/** Up to 23.11: `allocated_nodes`, with sockets by number; from 24.05 on: `nodes.allocation`, with lists and counts. */
function nodeRecords(resources: unknown): NodeRecord[] {
  const { allocated_nodes: old, nodes } = objectOf(resources);
  const list = [...listOf(old), ...listOf(objectOf(nodes).allocation)];
  return list.map((one) => {
    const { nodename, name, sockets, cpus, memory, memory_allocated: oldMemory } = objectOf(one);
    return {
      node: textOf(nodename) || textOf(name),
      cpus: countOf(objectOf(cpus).count) || coresOf(sockets),
      memoryMiB: countOf(oldMemory) || countOf(objectOf(memory).allocated),
    };
  });
}

function coresOf(sockets: unknown): number {
  const each = Array.isArray(sockets) ? sockets : Object.values(objectOf(sockets));
  return each.reduce((sum: number, socket) => {
    const { cores } = objectOf(socket);
    const isHeld = (core: unknown): boolean => !wordsOf(objectOf(core).status).includes("UNALLOCATED");
    return sum + (Array.isArray(cores) ? cores.filter(isHeld).length : Object.keys(objectOf(cores)).length);
  }, 0);
}

interface End {
  readonly state: TerminalState;
  readonly endAt: number;
  readonly exit: ExitStatus;
}

/** Of a batch job its script, whose files listings and mgpu logs look for. */
function stepsOf(json: Json, spec: JobSpec, allocation: Allocation, startAt: number, end: End | null): readonly Step[] {
  const host = textOf(json.batch_host) || allocation[0]?.node;
  const share = allocation.find(({ node }) => node === host) ?? allocation[0];
  if (spec.kind === "alloc" || !share) return [];
  const { node, cpus, memoryMiB, gpus } = share;
  const part = {
    ...{ node, cpus, memoryMiB, gpus, tasks: [0] },
    phase: end === null ? ("running" as const) : ("ended" as const),
    exits: end === null ? [] : [end.exit],
  };
  const isBatch = spec.kind === "batch";
  return [
    {
      id: isBatch ? "batch" : 0,
      name: isBatch ? "batch" : spec.name,
      spec: null,
      requestId: "",
      startAt,
      endAt: end?.endAt ?? null,
      parts: [part],
      state: end?.state ?? "RUNNING",
      ending: null,
    },
  ];
}
