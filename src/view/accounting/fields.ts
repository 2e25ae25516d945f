/**
 * The fields of sacct: each with the width of Slurm's column and its text for a row. What mgpu does not have
 * (energy, CPU frequencies, containers ...) prints what Slurm prints where nothing is known.
 */

import { eligibleSince } from "../../core/history.ts";
import { derivedExit, type ExitStatus } from "../../core/job.ts";
import { type Allocation, formatGpus, gpuThousandths } from "../../core/resources.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import { requestedMemoryMiB } from "../tres.ts";
import { amount, cpuTime, elapsed, type Units } from "./amounts.ts";
import { type AcctRow, ranMs, rowCpu } from "./rows.ts";
import { USAGE_FIELDS } from "./usage-fields.ts";

/** What texts depend on beside the row. */
export interface FieldContext {
  readonly nowMs: number;
  /** A moment as the user wants it (SLURM_TIME_FORMAT). */
  moment(atMs: number): string;
  readonly units: Units;
  readonly clusterName: string;
  /** Steps are not looked at (--allocations): then they used nothing. */
  readonly isWithoutSteps: boolean;
  /** Name of a group, by its number; the number itself where it has none. */
  groupName(gid: number): string;
  /** Number of the association that a job is charged to, and of a QOS, as accounts are now; 0 for none. */
  associationId(row: AcctRow["row"]): number;
  qosId(name: string): number;
}

/** One column. */
export interface AcctField {
  readonly name: string;
  /** Characters; negative for a column that is aligned to the left. */
  readonly width: number;
  text(row: AcctRow, context: FieldContext): string;
}

type Text = AcctField["text"];

const S = 1000;
const NOTHING: Text = () => "";

/** A text for jobs, and another one, or none, for steps. */
const split =
  (job: Text, step: Text = NOTHING): Text =>
  (row, context) =>
    (row.step === null ? job : step)(row, context);

const exitText = ({ code, signal }: ExitStatus): string => `${code}:${signal}`;
const moment = (atMs: number | null, context: FieldContext): string =>
  atMs === null ? "Unknown" : context.moment(atMs);
const seconds = (row: AcctRow, { nowMs }: FieldContext): number => Math.floor(ranMs(row, nowMs) / S);
const isPlaced = ({ job }: AcctRow): boolean => job.state !== "PENDING" && job.allocation.length > 0;

/** How long it waited, from when it might have started. */
function waitedS({ row }: AcctRow, { nowMs }: FieldContext): number {
  return Math.max(0, Math.floor(((row.startAt ?? row.endAt ?? nowMs) - row.eligibleAt) / S));
}

function cpu(row: AcctRow, { isWithoutSteps }: FieldContext, of: (userMs: number, systemMs: number) => number): string {
  const { userMs, systemMs } = isWithoutSteps ? { userMs: 0, systemMs: 0 } : rowCpu(row);
  return cpuTime(of(userMs, systemMs));
}

/** Slurm's word for the frequencies that nobody asked for. */
const frequency: Text = ({ step }) => (step?.id === "batch" || step?.id === "extern" ? "0" : "Unknown");

/** The minutes or the time of a limit: a job that waits for its partition's has none yet. */
function limit(row: AcctRow, text: (seconds: number) => string): string {
  const { job, row: listed } = row;
  if (job.state === "PENDING" && job.spec.timeLimitS === null && listed.limitS === 0) return "Partition_Limit";
  return listed.limitS === 0 ? "UNLIMITED" : text(listed.limitS);
}

interface Held {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly nodes: number;
  readonly gpus: number;
  readonly gpuType: string | null;
  readonly isBilled: boolean;
}

/** Resources in the order of their names, as accounting lists them: not the order of scontrol. */
function tres({ cpus, memoryMiB, nodes, gpus, gpuType, isBilled }: Held, units: Units): string {
  const words = [...(isBilled ? [`billing=${cpus}`] : []), `cpu=${cpus}`];
  if (gpus > 0) words.push(`gres/gpu=${formatGpus(gpus)}`);
  if (gpus > 0 && gpuType !== null) words.push(`gres/gpu:${gpuType}=${formatGpus(gpus)}`);
  if (memoryMiB > 0) words.push(`mem=${amount(Math.floor(memoryMiB), "M", units)}`);
  words.push(`node=${nodes}`);
  return words.join(",");
}

function held(shares: Allocation | AcctRow["parts"], row: JobRow, isBilled: boolean): Held {
  return {
    cpus: shares.reduce((sum, share) => sum + share.cpus, 0),
    memoryMiB: shares.reduce((sum, share) => sum + share.memoryMiB, 0),
    nodes: shares.length,
    gpus: gpuThousandths(shares),
    gpuType: row.gpuType,
    isBilled,
  };
}

function requested({ row }: AcctRow): Held {
  const { cpus, nodes, gpus, gpuType } = row;
  return { cpus, nodes, gpus, gpuType, memoryMiB: requestedMemoryMiB(row), isBilled: true };
}

const allocTres: Text = (row, { units }) => {
  if (row.step !== null) return tres(held(row.parts, row.row, row.step.id === "extern"), units);
  return isPlaced(row) && row.job.state !== "PENDING" ? tres(held(row.job.allocation, row.row, true), units) : "";
};

const layout: Text = ({ step, job }) => {
  if (step === null) return "";
  if (step.id === "batch" || step.id === "extern") return "Unknown";
  const { distribution } = step.spec ?? job.spec;
  return distribution === "cyclic" ? "Cyclic" : distribution === "block" ? "Block" : "Plane";
};

/** A file of a batch job, as it was asked for. */
const file =
  (of: (row: AcctRow) => string): Text =>
  (row) =>
    row.step === null && row.job.spec.kind === "batch" ? of(row) : "";

const memory: Text = (row, { units }) => {
  const mib = requestedMemoryMiB(row.row);
  return mib === 0 ? "0" : amount(Math.floor(mib), "M", units);
};

/** Widths of the fields of usage. */
export const USAGE_WIDTHS: Readonly<Record<string, number>> = {
  ...{ AveCPU: 10, AveDiskRead: 14, AveDiskWrite: 14, AvePages: 10, AveRSS: 10, AveVMSize: 10 },
  ...{ MaxDiskRead: 12, MaxDiskReadNode: 15, MaxDiskReadTask: 15 },
  ...{ MaxDiskWrite: 12, MaxDiskWriteNode: 16, MaxDiskWriteTask: 16 },
  ...{ MaxPages: 8, MaxPagesNode: 12, MaxPagesTask: 14, MaxRSS: 10, MaxRSSNode: 10, MaxRSSTask: 10 },
  ...{ MaxVMSize: 10, MaxVMSizeNode: 14, MaxVMSizeTask: 14, MinCPU: 10, MinCPUNode: 10, MinCPUTask: 10 },
  ...{ TRESUsageInAve: 14, TRESUsageInMax: 14, TRESUsageInMaxNode: 18, TRESUsageInMaxTask: 18 },
  ...{ TRESUsageInMin: 14, TRESUsageInMinNode: 18, TRESUsageInMinTask: 18, TRESUsageInTot: 14 },
  ...{ TRESUsageOutAve: 15, TRESUsageOutMax: 15, TRESUsageOutMaxNode: 19, TRESUsageOutMaxTask: 19 },
  ...{ TRESUsageOutMin: 15, TRESUsageOutMinNode: 19, TRESUsageOutMinTask: 19, TRESUsageOutTot: 15 },
};

/** The fields of usage with their widths: of steps only. */
const USAGE_COLUMNS: readonly AcctField[] = Object.entries(USAGE_FIELDS).map(([name, text]) => ({
  name,
  width: USAGE_WIDTHS[name] ?? 10,
  text: split(NOTHING, ({ parts }, { units }) => text(parts, units)),
}));

const FIELDS: readonly (readonly [name: string, width: number, text: Text])[] = [
  ["Account", 10, ({ row }) => row.account],
  ["AdminComment", 15, NOTHING],
  ["AllocCPUS", 10, ({ cpus }) => String(cpus)],
  ["AllocNodes", 10, (row) => (row.step !== null || isPlaced(row) ? String(row.nodes) : "0")],
  ["AllocTRES", 10, allocTres],
  ["AssocID", 7, ({ row }, { associationId }) => String(associationId(row))],
  ["AveCPUFreq", 10, split(NOTHING, () => "0")],
  ["BlockID", 16, NOTHING],
  ["Cluster", 10, (_, { clusterName }) => clusterName],
  ["Comment", 14, split(({ row }) => row.comment)],
  ["Constraints", 19, split(({ row }) => row.features)],
  ["ConsumedEnergy", 14, () => "0"],
  ["ConsumedEnergyRaw", 17, () => "0"],
  ["Container", 19, NOTHING],
  ["CPUTime", 10, (row, context) => elapsed(seconds(row, context) * row.cpus)],
  ["CPUTimeRAW", 10, (row, context) => String(seconds(row, context) * row.cpus)],
  ["DBIndex", 10, ({ job }) => String(job.id)],
  ["DerivedExitCode", 15, split(({ job }) => exitText(derivedExit(job)))],
  ["Elapsed", 10, (row, context) => elapsed(seconds(row, context))],
  ["ElapsedRaw", 10, (row, context) => String(seconds(row, context))],
  [
    "Eligible",
    19,
    split(
      ({ job }, c) => moment(eligibleSince(job), c),
      (row, c) => moment(row.startAt, c),
    ),
  ],
  ["End", 19, ({ endAt }, context) => moment(endAt, context)],
  ["ExitCode", 8, ({ exit }) => exitText(exit)],
  ["Extra", 19, NOTHING],
  ["FailedNode", 15, NOTHING],
  ["Flags", 19, split((row) => (row.startAt === null ? "" : "SchedMain"))],
  ["GID", 6, split(({ job }) => String(job.spec.user.gid))],
  ["Group", 9, split(({ job }, { groupName }) => groupName(job.spec.user.gid))],
  ["JobID", -12, ({ id }) => id],
  ["JobIDRaw", -12, ({ rawId }) => rawId],
  ["JobName", 10, ({ name }) => name],
  ["Layout", 9, layout],
  ["Licenses", 14, split(({ row }) => row.licenses)],
  ["McsLabel", 12, NOTHING],
  ["NCPUS", 10, ({ cpus }) => String(cpus)],
  ["NNodes", 8, ({ nodes }) => String(nodes)],
  ["NodeList", 15, ({ nodeList }) => nodeList],
  ["NTasks", 8, split(NOTHING, ({ parts }) => String(parts.reduce((sum, part) => sum + part.tasks.length, 0)))],
  ["Partition", 10, split(({ row }) => row.partition)],
  ["Planned", 10, split((row, context) => elapsed(waitedS(row, context)))],
  ["PlannedCPU", 10, split((row, context) => elapsed(waitedS(row, context) * row.cpus))],
  ["PlannedCPURAW", 13, split((row, context) => String(waitedS(row, context) * row.cpus))],
  ["Priority", 10, split(({ row }) => String(row.priority))],
  ["QOS", 10, split(({ row }) => row.qos)],
  ["QOSRAW", 6, split(({ row }, { qosId }) => (qosId(row.qos) === 0 ? "" : String(qosId(row.qos))))],
  ["QOSREQ", 10, split(({ job }) => job.spec.qos ?? "")],
  ["Reason", 22, split(({ row }) => row.reason)],
  ["ReqCPUFreq", 10, frequency],
  ["ReqCPUFreqGov", 13, frequency],
  ["ReqCPUFreqMax", 13, frequency],
  ["ReqCPUFreqMin", 13, frequency],
  ["ReqCPUS", 8, ({ cpus }) => String(cpus)],
  ["ReqMem", 10, split(memory)],
  ["ReqNodes", 8, ({ nodes }) => String(nodes)],
  ["ReqTRES", 10, split((row, { units }) => tres(requested(row), units))],
  ["Reservation", 20, split(({ row }) => row.reservation)],
  ["ReservationId", 8, NOTHING],
  ["Reserved", 10, split((row, context) => elapsed(waitedS(row, context)))],
  ["ResvCPU", 10, split((row, context) => elapsed(waitedS(row, context) * row.cpus))],
  ["ResvCPURAW", 10, split((row, context) => String(waitedS(row, context) * row.cpus))],
  ["Restarts", 8, split(({ job }) => String(job.state === "PENDING" ? job.attempt : Math.max(0, job.attempt - 1)))],
  ["Start", 19, ({ startAt }, context) => moment(startAt, context)],
  ["State", 10, ({ state }) => state],
  ["StdErr", 20, file(({ job: { spec }, row }) => spec.io.stderr ?? row.stdout)],
  ["StdIn", 20, file(({ job: { spec } }) => (spec.io.stdin === "none" ? "/dev/null" : spec.io.stdin))],
  ["StdOut", 20, file(({ row }) => row.stdout)],
  ["Submit", 19, ({ submitAt }, context) => moment(submitAt, context)],
  ["SubmitLine", 20, split(({ job }) => job.spec.submitLine)],
  ["Suspended", 10, ({ suspendedMs }) => elapsed(suspendedMs / S)],
  ["SystemComment", 15, NOTHING],
  ["SystemCPU", 10, (row, context) => cpu(row, context, (_, systemMs) => systemMs)],
  ["Timelimit", 10, split((row) => limit(row, elapsed))],
  ["TimelimitRaw", 10, split((row) => limit(row, (limitS) => String(Math.floor(limitS / 60))))],
  ["TotalCPU", 10, (row, context) => cpu(row, context, (userMs, systemMs) => userMs + systemMs)],
  ["UID", 6, split(({ job }) => String(job.spec.user.uid))],
  ["User", 9, split(({ job }) => job.spec.user.name)],
  ["UserCPU", 10, (row, context) => cpu(row, context, (userMs) => userMs)],
  ["WCKey", 10, split(({ row }) => row.wckey)],
  ["WCKeyID", 10, split(() => "0")],
  ["WorkDir", 20, split(({ job }) => job.spec.workDir)],
];

/** All fields, in the order of their names. */
export const SACCT_FIELDS: readonly AcctField[] = [
  ...FIELDS.map(([name, width, text]) => ({ name, width, text })),
  ...USAGE_COLUMNS,
].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));

/** What sacct shows unless told otherwise, and with -b and -l. */
export const SACCT_FORMAT = "jobid,jobname,partition,account,alloccpus,state,exitcode";
export const SACCT_FORMAT_BRIEF = "jobid,state,exitcode";
export const SACCT_FORMAT_LONG = [
  "jobid,jobidraw,jobname,partition,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,maxrssnode,maxrsstask,averss",
  "maxpages,maxpagesnode,maxpagestask,avepages,mincpu,mincpunode,mincputask,avecpu,ntasks,alloccpus,elapsed,state",
  "exitcode,avecpufreq,reqcpufreqmin,reqcpufreqmax,reqcpufreqgov,reqmem,consumedenergy,maxdiskread,maxdiskreadnode",
  "maxdiskreadtask,avediskread,maxdiskwrite,maxdiskwritenode,maxdiskwritetask,avediskwrite,reqtres,alloctres",
  "tresusageinave,tresusageinmax,tresusageinmaxnode,tresusageinmaxtask,tresusageinmin,tresusageinminnode",
  "tresusageinmintask,tresusageintot,tresusageoutmax,tresusageoutmaxnode,tresusageoutmaxtask,tresusageoutave",
  "tresusageouttot",
].join(",");
