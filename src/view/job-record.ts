/** A job as `scontrol show job` prints it, from its record and its row. Keys and order are those of Slurm 22.05. */

import { derivedExit, type ExitStatus, isEnded, type Job } from "../core/job.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import { formatGpus, type GpuRequest, type NodeShare } from "../core/resources.ts";
import type { JobRow } from "../protocol/procedures.ts";
import { formatRanges } from "../util/ranges.ts";
import { formatMemory } from "./amounts.ts";
import { jobFiles } from "./job-files.ts";
import { expectedEndMs } from "./job-times.ts";
import { clockTime, moment, orUnset, type Pair, type RecordLines, type RecordTime, UNSET } from "./record-text.ts";
import { allocatedTres, requestedTres } from "./tres.ts";

/** A job with what only the controller knows of it. */
export interface JobEntry {
  readonly job: Job;
  readonly row: JobRow;
}

/** The record's pairs, by line. `details` adds what each node holds and the worst exit of all steps. */
export function jobRecord({ job, row }: JobEntry, details: boolean, time: RecordTime): RecordLines {
  return [
    ...identityLines(job, row),
    ...stateLines(job, row, details),
    ...timeLines(job, row, time),
    ...placeLines(job, row),
    ...geometryLines(job, row),
    ...(details ? holdingLines(job) : []),
    ...constraintLines(job, row),
    ...fileLines(job, row),
    ...wishLines(job),
  ];
}

function identityLines(job: Job, row: JobRow): RecordLines {
  const { spec, array } = job;
  const hetId = spec.het ? job.id - spec.het.offset : 0;
  const arrayPairs: Pair[] = array
    ? [
        ["ArrayJobId", array.jobId],
        ["ArrayTaskId", row.arrayTasks.replace(/[[\]]/g, "")],
        ...((spec.array?.limit ?? 0) > 0 ? [["ArrayTaskThrottle", spec.array?.limit ?? 0] as const] : []),
      ]
    : [];
  const hetPairs: Pair[] = spec.het
    ? [
        ["HetJobId", hetId],
        ["HetJobOffset", spec.het.offset],
      ]
    : [];
  const { user } = spec;
  return [
    [["JobId", job.id], ...arrayPairs, ...hetPairs, ["JobName", spec.name]],
    ...(spec.het ? [[["HetJobIdSet", `${hetId}-${hetId + spec.het.size - 1}`] as const]] : []),
    [
      ["UserId", `${user.name}(${user.uid})`],
      // Who knows no other name of the group shows its number twice.
      ["GroupId", `${user.gid === user.uid ? user.name : user.gid}(${user.gid})`],
      ["MCS_label", "N/A"],
    ],
    [
      ["Priority", row.priority],
      ["Nice", spec.nice],
      ["Account", orUnset(row.account)],
      ["QOS", row.qos],
      ...(row.wckey === "" ? [] : [["WCKey", row.wckey] as const]),
    ],
  ];
}

function stateLines(job: Job, row: JobRow, details: boolean): RecordLines {
  const { spec } = job;
  return [
    [
      ["JobState", row.state],
      ["Reason", row.reason],
      ["Dependency", orUnset(row.dependency)],
    ],
    [
      ["Requeue", spec.kind === "batch" && spec.requeue ? 1 : 0],
      // A start that is still to come counts already, as in Slurm.
      ["Restarts", job.state === "PENDING" ? job.attempt : Math.max(0, job.attempt - 1)],
      ["BatchFlag", spec.kind === "batch" ? 1 : 0],
      ["Reboot", 0],
      ["ExitCode", exitText(isEnded(job) ? job.exit : { code: 0, signal: 0 })],
    ],
    ...(details ? [[["DerivedExitCode", exitText(derivedExit(job))] as const]] : []),
  ];
}

function exitText({ code, signal }: ExitStatus): string {
  return `${code}:${signal}`;
}

const NEVER_ELIGIBLE = /^(JobHeld|Dependency)/;

function timeLines(job: Job, row: JobRow, time: RecordTime): RecordLines {
  const { spec } = job;
  const suspendedAt = job.state === "RUNNING" ? job.suspendedAt : null;
  const suspendedMs = job.state === "PENDING" ? 0 : job.suspendedMs;
  const ranMs = row.startAt === null ? 0 : (row.endAt ?? suspendedAt ?? time.nowMs) - row.startAt - suspendedMs;
  const beforeSuspendMs = suspendedAt === null || row.startAt === null ? 0 : suspendedAt - row.startAt - suspendedMs;
  const end = expectedEndMs(row);
  // What is held, or waits for others, is not eligible at any time that is known.
  const eligibleAt = job.state === "PENDING" && NEVER_ELIGIBLE.test(row.reason) ? null : row.eligibleAt;
  return [
    [
      ["RunTime", clockTime(ranMs / 1000)],
      ["TimeLimit", row.limitS === UNLIMITED ? "UNLIMITED" : clockTime(row.limitS)],
      ["TimeMin", spec.timeMinS === null ? "N/A" : clockTime(spec.timeMinS)],
    ],
    [
      ["SubmitTime", moment(row.submitAt, time)],
      ["EligibleTime", moment(eligibleAt, time)],
    ],
    [["AccrueTime", moment(eligibleAt, time)]],
    [
      ["StartTime", moment(row.startAt ?? beginOf(job, time), time)],
      ["EndTime", moment(end, time)],
      ["Deadline", spec.deadlineAt === 0 ? "N/A" : moment(spec.deadlineAt, time)],
    ],
    [
      ["SuspendTime", suspendedAt === null ? "None" : moment(suspendedAt, time)],
      ["SecsPreSuspend", Math.max(0, Math.floor(beforeSuspendMs / 1000))],
      ["LastSchedEval", moment(row.startAt, time)],
      ["Scheduler", "Main"],
    ],
  ];
}

/** A job that must not start before some time starts then at the earliest. */
function beginOf(job: Job, { nowMs }: RecordTime): number | null {
  return job.state === "PENDING" && job.spec.beginAt > nowMs ? job.spec.beginAt : null;
}

function placeLines({ spec }: Job, row: JobRow): RecordLines {
  const first = firstNode(row);
  return [
    [
      ["Partition", row.partition],
      // Which process submitted is not kept.
      ["AllocNode:Sid", `${spec.submitHost}:0`],
    ],
    [
      ["ReqNodeList", orUnset(row.requestedNodes)],
      ["ExcNodeList", orUnset(row.excludedNodes)],
    ],
    [["NodeList", row.nodeList]],
    ...(row.kind === "batch" && first !== "" ? [[["BatchHost", first] as const]] : []),
  ];
}

function geometryLines(job: Job, row: JobRow): RecordLines {
  const { request } = job.spec;
  const { min, max } = request.nodes ?? { min: row.nodes, max: row.nodes };
  const isPlaced = job.state !== "PENDING" && job.allocation.length > 0;
  const tres = isPlaced ? allocatedTres(job.allocation, request) : requestedTres(row);
  return [
    [
      ["NumNodes", isPlaced || min === max ? row.nodes : `${min}-${max}`],
      ["NumCPUs", row.cpus],
      ["NumTasks", row.tasks],
      ["CPUs/Task", row.cpusPerTask],
      ["ReqB:S:C:T", "0:0:*:*"],
    ],
    [["TRES", tres]],
    [
      ["Socks/Node", "*"],
      ["NtasksPerN:B:S:C", `${request.tasksPerNode}:0:*:*`],
      ["CoreSpec", "*"],
    ],
  ];
}

/** What each node holds for the job. CPUs are counted, not bound: their numbers say how many. */
function holdingLines(job: Job): RecordLines {
  const shares = job.state === "PENDING" ? [] : job.allocation;
  const gpus = shares.reduce((sum, share) => sum + gpusOf(share), 0);
  const types = new Set((job.spec.request.gpus?.wishes ?? []).map((wish) => wish.type));
  const [type] = types;
  const name = types.size === 1 && type ? `gpu:${type}` : "gpu";
  return [
    [["JOB_GRES", gpus === 0 ? UNSET : `${name}:${formatGpus(gpus)}`]],
    ...shares.map((share): readonly Pair[] => {
      const indices = formatRanges(share.gpus.map(({ index }) => index));
      return [
        ["  Nodes", share.node],
        ["CPU_IDs", share.cpus > 1 ? `0-${share.cpus - 1}` : "0"],
        ["Mem", share.memoryMiB],
        ["GRES", share.gpus.length === 0 ? "" : `${name}:${formatGpus(gpusOf(share))}(IDX:${indices})`],
      ];
    }),
  ];
}

function firstNode({ nodeList }: JobRow): string {
  return nodeList.replace(/\[(\d+).*$/, "$1").replace(/,.*$/, "");
}

function gpusOf({ gpus }: NodeShare): number {
  return gpus.reduce((sum, { thousandths }) => sum + thousandths, 0);
}

function constraintLines(job: Job, row: JobRow): RecordLines {
  const { request } = job.spec;
  const { memory } = request;
  const memoryKey = memory?.per === "cpu" ? "MinMemoryCPU" : "MinMemoryNode";
  const memoryText = memory === null || memory.per === "gpu" ? "0" : formatMemory(memory.mib);
  return [
    [
      ["MinCPUsNode", Math.max(1, request.cpusMin, (request.cpusPerTask ?? 1) * Math.max(1, request.tasksPerNode))],
      [memoryKey, memoryText],
      ["MinTmpDiskNode", 0],
    ],
    [
      ["Features", orUnset(row.features)],
      ["DelayBoot", "00:00:00"],
    ],
    ...(row.reservation === "" ? [] : [[["Reservation", row.reservation] as const]]),
    [
      ["OverSubscribe", request.exclusive ? "NO" : request.onlyUser ? "USER" : "OK"],
      ["Contiguous", request.contiguous ? 1 : 0],
      ["Licenses", orUnset(row.licenses)],
      ["Network", UNSET],
    ],
  ];
}

function fileLines(job: Job, row: JobRow): RecordLines {
  const { spec } = job;
  const files = jobFiles(job, firstNode(row));
  return [
    [["Command", orUnset(row.command)]],
    [["WorkDir", spec.workDir]],
    ...(spec.comment === "" ? [] : [[["Comment", spec.comment] as const]]),
    ...(spec.kind !== "batch"
      ? []
      : [[["StdErr", files.stderr] as const], [["StdIn", files.stdin] as const], [["StdOut", files.stdout] as const]]),
    [["Power", ""]],
  ];
}

/** What was asked for each node, task and so on, where something was. */
function wishLines({ spec }: Job): RecordLines {
  const { request, mail } = spec;
  const { memory, gpus, cpusPerGpu } = request;
  const lines: Pair[][] = [];
  if (cpusPerGpu > 0) lines.push([["CpusPerTres", `gres/gpu:${cpusPerGpu}`]]);
  if (memory?.per === "gpu") lines.push([["MemPerTres", `gres/gpu:${memory.mib}`]]);
  if (gpus) lines.push([[TRES_KEYS[gpus.per], wishText(gpus)]]);
  if (mail) {
    lines.push([
      ["MailUser", mail.user],
      ["MailType", mail.types.join(",")],
    ]);
  }
  return lines;
}

const TRES_KEYS = { job: "TresPerJob", node: "TresPerNode", task: "TresPerTask" } as const;

function wishText({ wishes }: GpuRequest): string {
  const words = wishes.map(({ type, thousandths }) => `gres/gpu${type ? `:${type}` : ""}:${formatGpus(thousandths)}`);
  return words.join(",");
}
