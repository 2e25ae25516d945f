/**
 * Records of jobs over time, from `sacct` with a separator that no name contains; of a Slurm without accounting those that
 * its controller still remembers.
 */

import { parseTaskSet } from "../../core/array-spec.ts";
import { type HistoryRecord, historyMatcher } from "../../core/history.ts";
import { expand } from "../../core/hostlist.ts";
import type { ExitStatus, Job, Step, TerminalState } from "../../core/job.ts";
import { isEnded, TERMINAL_STATES } from "../../core/job.ts";
import type { Allocation } from "../../core/resources.ts";
import { PLAIN_REQUEST, WHOLE_GPU } from "../../core/resources.ts";
import type { StepUsage } from "../../core/usage.ts";
import type { Params } from "../../protocol/procedures.ts";
import { ANY_TYPE, tresCount } from "./gres.ts";
import { type SlurmJob, UNTOLD } from "./jobs.ts";
import { epochMs, pairsOf } from "./nodes.ts";
import { isWithoutDatabase, problemOf, type Slurm } from "./slurm.ts";

/** A control character that ends a unit: no name of Slurm's has one. */
const SEPARATOR = "\u001f";

const FIELDS = [
  ...["JobIDRaw", "JobID", "JobName", "User", "UID", "GID", "Account", "Partition", "State", "ExitCode", "Submit"],
  ...["Eligible", "Start", "End", "TimelimitRaw", "AllocCPUS", "NNodes", "NodeList", "NTasks", "ReqMem", "AllocTRES"],
  ...["ReqTRES", "QOS", "WCKey", "WorkDir", "Comment", "Reservation", "UserCPU", "SystemCPU", "MaxRSS", "AveRSS"],
  ...["MaxVMSize", "Reason", "SubmitLine"],
  // Its value marks the end of a record: names, comments and command lines may have line feeds.
  "JobIDRaw",
] as const;

type Line = Readonly<Record<string, string>>;
type Filter = Params<"jobs.history">["filter"];

const DISABLED = /accounting storage is disabled|Slurm accounting storage/i;

const MINUTE_S = 60;
const KIB = 1024;

/** The records that a filter means, by number; what the controller knows now stands above what accounting has. */
export async function recordsOf(slurm: Slurm, filter: Filter): Promise<HistoryRecord[]> {
  const present = (await slurm.jobs()).map(presentRecord);
  const past = await pastRecords(slurm, filter, areLive(filter, present));
  const byId = new Map((past ?? []).map((record) => [record.job.id, record]));
  for (const record of present) byId.set(record.job.id, merged(record, byId.get(record.job.id)));
  const partitionOf = new Map([...byId.values()].map(({ job, partition }) => [job.id, partition]));
  const matches = historyMatcher(filter, (job) => partitionOf.get(job.id) ?? "", slurm.ports.clock.now());
  const found = [...byId.values()].filter(({ job, state }) => matches(job, state)).sort((a, b) => a.job.id - b.job.id);
  const isOfFew = past === null && found.length <= ASKED_MAX;
  return isOfFew ? Promise.all(found.map((record) => withRunningSteps(slurm, record))) : found;
}

/** Without accounting the steps of so many jobs are asked for, one by one. */
const ASKED_MAX = 4;

/** The steps that Slurm's controller knows: those that run. */
async function withRunningSteps(slurm: Slurm, record: HistoryRecord): Promise<HistoryRecord> {
  const { job } = record;
  if (job.state !== "RUNNING") return record;
  const { stdout } = await slurm.attempt("scontrol", ["show", "step", `${job.id}`, "-o"]);
  const lines = stdout.split("\n").map((line) => Object.fromEntries(pairsOf(line)));
  const steps = lines.flatMap(({ StepId = "", Name = "", StartTime = "", NodeList = "", Tasks = "", CPUs = "" }) => {
    const isTold = StepId !== "" && !StepId.endsWith(".extern");
    const told = {
      JobIDRaw: StepId,
      JobName: Name,
      State: "RUNNING",
      Start: StartTime,
      NTasks: Tasks,
      AllocCPUS: CPUs,
    };
    return isTold ? [stepOf({ ...told, NodeList })] : [];
  });
  return steps.length === 0 ? record : { ...record, job: { ...job, steps } };
}

function presentRecord({ job, row }: SlurmJob): HistoryRecord {
  const { state, partition, reason, reasonText } = row;
  return { job, state, partition, reason, reasonText, isDuplicate: false };
}

/** The controller's own record, with the steps and what they used from accounting. */
function merged(present: HistoryRecord, past: HistoryRecord | undefined): HistoryRecord {
  const { job } = present;
  if (!past || past.job.state === "PENDING" || job.state === "PENDING" || past.job.steps.length === 0) return present;
  // Of a job that is over the controller forgets which GPUs it had.
  const { steps, allocation } = past.job;
  return { ...present, job: { ...job, steps, ...(isEnded(job) && allocation.length > 0 ? { allocation } : {}) } };
}

/** Whether only jobs are meant that wait or run: of those the controller knows more than accounting. */
function areLive({ ids, tasks = [], components = [] }: Filter, present: readonly HistoryRecord[]): boolean {
  if (ids.length === 0 || tasks.length + components.length > 0) return false;
  const states = new Map(present.map(({ job }) => [job.id, job.state]));
  return ids.every((id) => states.get(id) === "RUNNING" || states.get(id) === "PENDING");
}

/**
 * Of accounting; `null` where the cluster has none.
 * @param isLive whether it is not missed while it does not answer
 */
async function pastRecords(slurm: Slurm, filter: Filter, isLive: boolean): Promise<HistoryRecord[] | null> {
  const { ids, tasks = [], components = [], users, since, until } = filter;
  const jobs = [...new Set([...ids, ...tasks.map(({ jobId }) => jobId), ...components.map(({ jobId }) => jobId)])];
  const start = since === null ? (jobs.length > 0 ? "1970-01-02" : "now-7days") : isoOf(since);
  const args = [
    ...["--parsable2", "--noheader", `--delimiter=${SEPARATOR}`, `--format=${FIELDS.join(",")}`, "--units=K"],
    ...(jobs.length > 0
      ? [`--jobs=${jobs.join(",")}`]
      : users.length > 0
        ? [`--user=${users.join(",")}`]
        : ["--allusers"]),
    ...(jobs.length > 0 && since === null ? [] : [`--starttime=${start}`]),
    ...(until === null ? [] : [`--endtime=${isoOf(until)}`]),
  ];
  const { code, stdout, stderr } = await slurm.attempt("sacct", args);
  if (code !== 0 && DISABLED.test(stderr)) return null;
  if (isLive && isWithoutDatabase(stderr)) return null;
  // What it could not tell is no empty past.
  if (code !== 0) throw problemOf("sacct", stderr || stdout, code);
  return recordsFrom(stdout);
}

/** Slurm reads seconds since 1970 nowhere: `uts` forms came with 21.08. */
function isoOf(atMs: number): string {
  return `uts${Math.floor(atMs / 1000)}`;
}

/** The records of sacct's lines; a job's own line goes before those of its steps. */
function recordsFrom(text: string): HistoryRecord[] {
  const found: { line: Line; steps: Line[] }[] = [];
  for (const one of linesOf(text)) {
    if (!one.JobIDRaw?.includes(".")) found.push({ line: one, steps: [] });
    else found.at(-1)?.steps.push(one);
  }
  return found.map(({ line, steps }) => recordOf(line, steps));
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let values: string[] = [];
  for (const line of text.split("\n")) {
    const [first = "", ...rest] = line.split(SEPARATOR);
    values = values.length === 0 ? [first, ...rest] : [...values.slice(0, -1), `${values.at(-1)}\n${first}`, ...rest];
    if (values.length < FIELDS.length) continue;
    lines.push(Object.fromEntries(FIELDS.map((field, at) => [field, values[at] ?? ""])));
    values = [];
  }
  return lines;
}

/** `CANCELLED by 1000` */
function stateOf(text: string): string {
  return text.split(" ")[0] ?? "";
}

function recordOf(line: Line, stepLines: readonly Line[]): HistoryRecord {
  const word = stateOf(line.State ?? "");
  const job = jobOf(line, stepLines, word);
  const reason = job.state === "PENDING" ? line.Reason || "None" : "None";
  return { job, state: word, partition: line.Partition ?? "", reason, reasonText: "", isDuplicate: false };
}

function jobOf(line: Line, stepLines: readonly Line[], word: string): Job {
  const number = (key: string): number => Math.max(0, Number.parseInt(line[key] ?? "", 10) || 0);
  const [, arrayId, taskText = ""] = /^(\d+)_\[?([^\]%]*)/.exec(line.JobID ?? "") ?? [];
  const tasks = arrayId === undefined ? null : parseTaskSet(taskText);
  const submitAt = epochMs(line.Submit);
  const allocation = allocationOf(line);
  const limitS = number("TimelimitRaw") * MINUTE_S;
  const isBatch =
    stepLines.some(({ JobIDRaw }) => JobIDRaw?.endsWith(".batch")) || /^\S*sbatch\b/.test(line.SubmitLine ?? "");
  const startAt = epochMs(line.Start) || null;
  const common = {
    id: number("JobIDRaw"),
    spec: specOf(line, isBatch, limitS),
    submitAt,
    attempt: startAt === null ? 0 : 1,
    requestId: "",
    array: tasks && "value" in tasks ? { jobId: Number(arrayId), tasks: tasks.value } : null,
  };
  const eligibleAt = epochMs(line.Eligible) || submitAt;
  if (word === "PENDING" || word === "REQUEUED") {
    return { ...common, state: "PENDING", eligibleAt, hold: null, allocation: [], cleanup: [], retried: 0 };
  }
  const steps = stepLines.filter(({ JobIDRaw }) => !JobIDRaw?.endsWith(".extern")).map(stepOf);
  if (!(word in TERMINAL_STATES)) {
    const running = { nextStepId: 0, suspendedAt: null, suspendedMs: 0, signalled: false, retried: 0 };
    return {
      ...common,
      ...running,
      state: "RUNNING",
      startAt: startAt ?? submitAt,
      eligibleAt,
      limitS,
      allocation,
      steps,
    };
  }
  const by = /by (\d+)$/.exec(line.State ?? "")?.[1];
  const end = {
    exit: exitOf(line.ExitCode),
    cause: "",
    cancelledBy: by === undefined ? null : Number(by),
    cleanup: [],
  };
  const endAt = epochMs(line.End) || submitAt;
  const state = word as TerminalState;
  return { ...common, state, startAt, eligibleAt, endAt, limitS, allocation, steps, ...end, suspendedMs: 0 };
}

/** `1:0` */
function exitOf(text: string | undefined): ExitStatus {
  const [code = 0, signal = 0] = (text ?? "").split(":").map(Number);
  return { code, signal };
}

function specOf(line: Line, isBatch: boolean, limitS: number): Job["spec"] {
  const number = (key: string): number => Math.max(0, Number.parseInt(line[key] ?? "", 10) || 0);
  const memory = memoryMiB(line.ReqMem ?? "") || memoryMiB(/mem=([^,]+)/.exec(line.ReqTRES ?? "")?.[1] ?? "");
  const gpus = tresCount(line.ReqTRES ?? "", "gres/gpu");
  const words = (line.SubmitLine ?? "").split(" ").filter((word) => word !== "");
  return {
    kind: isBatch ? "batch" : /^\S*salloc\b/.test(line.SubmitLine ?? "") ? "alloc" : "run",
    name: line.JobName ?? "",
    user: { uid: number("UID"), gid: number("GID"), name: line.User ?? "" },
    workDir: line.WorkDir || "/",
    io: ioOf(words),
    argv: isBatch ? [words.at(-1) ?? "sbatch"] : words.slice(-1),
    ...UNTOLD,
    partition: line.Partition || null,
    request: {
      ...PLAIN_REQUEST,
      tasks: number("NTasks") || null,
      nodes: { min: number("NNodes") || 1, max: number("NNodes") || 1 },
      memory: memory > 0 ? { per: "node", mib: memory } : null,
      gpus: gpus > 0 ? { per: "job", wishes: [{ type: null, thousandths: gpus * WHOLE_GPU }] } : null,
    },
    ...{ timeLimitS: limitS, timeMinS: null, beginAt: 0, deadlineAt: 0, requeue: false },
    ...{ hold: false, nice: 0, dependency: null },
    ...{ array: null, het: null, account: line.Account || null, comment: line.Comment ?? "", wckey: line.WCKey ?? "" },
    ...{ qos: line.QOS || null, reservation: line.Reservation || null, licenses: [] },
    ...{ submitHost: "", submitLine: line.SubmitLine ?? "" },
  };
}

/** Accounting keeps no names of files, but the line that was typed. */
function ioOf(words: readonly string[]): Job["spec"]["io"] {
  const value = (long: string, short: string): string | null => {
    const at = words.findIndex((word) => word === `--${long}` || word === short);
    const joined = words.find((word) => word.startsWith(`--${long}=`));
    return joined?.slice(long.length + 3) ?? (at < 0 ? null : (words[at + 1] ?? null));
  };
  return {
    stdin: "none",
    stdout: value("output", "-o"),
    stderr: value("error", "-e"),
    openMode: "truncate",
    label: false,
  };
}

/** `500M`, `512000K`, `4Gn` of before 21.08. */
function memoryMiB(text: string): number {
  const [, digits, unit = "M"] = /^(\d+(?:\.\d+)?)([KMGTP])?/.exec(text) ?? [];
  if (digits === undefined) return 0;
  const factor = { K: 1 / KIB, M: 1, G: KIB, T: KIB ** 2, P: KIB ** 3 }[unit] ?? 1;
  return Math.round(Number(digits) * factor);
}

function allocationOf(line: Line): Allocation {
  const nodes = expand(/^None/.test(line.NodeList ?? "") ? "" : (line.NodeList ?? "")) ?? [];
  const cpus = Number(line.AllocCPUS) || 0;
  const memory = memoryMiB(/mem=([^,]+)/.exec(line.AllocTRES ?? "")?.[1] ?? "");
  const gpus = tresCount(line.AllocTRES ?? "", "gres/gpu");
  const each = (total: number, at: number): number =>
    Math.floor(total / nodes.length) + (at < total % nodes.length ? 1 : 0);
  return nodes.map((node, at) => ({
    ...{ node, tasks: 1, cpus: each(cpus, at), memoryMiB: each(memory, at) },
    gpus: Array.from({ length: each(gpus, at) }, (_, index) => {
      return { index, uuid: `gpu${index}`, type: ANY_TYPE, thousandths: WHOLE_GPU };
    }),
  }));
}

/** The step of `1003.batch` or `1003.0`; what Slurm gives names to else is some shell. */
export function stepIdOf(text: string): Step["id"] {
  const suffix = /\.(.*)$/.exec(text)?.[1] ?? "0";
  return /^\d+$/.test(suffix) ? Number(suffix) : "batch";
}

function stepOf(line: Line): Step {
  const word = stateOf(line.State ?? "");
  const isOver = word in TERMINAL_STATES;
  const tasks = Math.max(1, Number(line.NTasks) || 1);
  const usage = usageOf(line, tasks);
  const parts = allocationOf(line).map(({ node, cpus, memoryMiB: mib, gpus }, at) => ({
    ...{ node, cpus, memoryMiB: mib, gpus, tasks: at === 0 ? Array.from({ length: tasks }, (_, task) => task) : [] },
    phase: isOver ? ("ended" as const) : ("running" as const),
    exits: isOver && at === 0 ? [exitOf(line.ExitCode)] : [],
    ...(usage && at === 0 ? { usage } : {}),
  }));
  return {
    id: stepIdOf(line.JobIDRaw ?? ""),
    name: line.JobName ?? "",
    spec: null,
    requestId: "",
    startAt: epochMs(line.Start),
    endAt: isOver ? epochMs(line.End) : null,
    parts,
    state: isOver ? (word as TerminalState) : "RUNNING",
    ending: null,
  };
}

/** CPU time and memory over all tasks; nothing of a step that nobody looked at. */
function usageOf(line: Line, tasks: number): StepUsage | undefined {
  const userMs = durationMs(line.UserCPU ?? "");
  const systemMs = durationMs(line.SystemCPU ?? "");
  const maxKiB = kibOf(line.MaxRSS ?? "");
  if (userMs + systemMs === 0 && maxKiB === 0) return undefined;
  const cpu = userMs + systemMs;
  const averageKiB = kibOf(line.AveRSS ?? "") || maxKiB;
  return {
    ...{ userMs, systemMs, cpuMs: [cpu, 0, 0, 0, cpu], pages: [0, 0, 0, 0, 0] },
    ...(maxKiB > 0 ? { rssKiB: [maxKiB, 0, averageKiB, 0, averageKiB * tasks] } : {}),
  };
}

/** KiB of `1716224`, `820K`, `1.5M`; 0 for no number. */
export function kibOf(text: string): number {
  return Math.round(Number.parseFloat(text) * ({ K: 1, M: KIB, G: KIB ** 2 }[text.at(-1) ?? ""] ?? 1 / KIB)) || 0;
}

/** Milliseconds of `1-02:03:04`, `02:03.456`; 0 for anything else. */
export function durationMs(text: string): number {
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] =
    /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  return Math.round((((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000);
}
