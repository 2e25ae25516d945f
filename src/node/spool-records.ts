/** What the lines of the steps' log say, read, and the files of earlier versions. What says anything else is damaged. Pure. */

import { formatStepKey, parseStepKey, type StepKey } from "../core/ids.ts";
import type { ExitStatus } from "../core/job.ts";
import type { StepUsage } from "../core/usage.ts";
import { isFinishedLine } from "./finished.ts";

/** Which holder: pids and sockets are used again, the time of the start tells. */
export interface HolderIdentity {
  readonly socket: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** What must be known of a step before a holder is asked to run it. */
export interface LaunchRecord {
  readonly key: StepKey;
  readonly kind: "batch" | "run" | "pty";
  /** As whom it runs; absent for the daemon's own user, or as long as nothing was asked to run it. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly name: string };
  /** Tasks on this node. */
  readonly tasks: number;
  /** Positions of its GPUs on this node; absent for none. */
  readonly gpus?: readonly number[];
  /** When the controller started the job: tells two jobs of the same number apart after its state was lost. */
  readonly startAt: number;
  /** When the order came, milliseconds since 1970. */
  readonly receivedAt: number;
  /** Of the machine when the order came. */
  readonly bootId: string;
  /** The holder that was asked or is about to be; `null` as long as none was. */
  readonly holder: HolderIdentity | null;
  /** CPUs that its tasks are bound to, task by task; absent where they are not. */
  readonly cpus?: readonly (readonly number[])[];
  /** Of a batch script: MiB that it, and all steps of its job here, may use together; 0 for no limit. */
  readonly memory?: { readonly stepMiB: number; readonly jobMiB: number };
  /** It is killed for its memory. */
  readonly outOfMemory?: true;
}

/** How a step ended on this node: by itself, or without anybody who could say how. */
export type StepEnd =
  | {
      readonly type: "ended";
      readonly exits: readonly ExitStatus[];
      readonly problem: string;
      /** Nothing of the job is left on this node. */
      readonly clean: boolean;
      /** It was ended because it used more memory than it was granted. */
      readonly outOfMemory?: boolean;
      /** The node could not start it, whatever it is. */
      readonly nodeFault?: true;
      /** The node does not run steps of its user. */
      readonly unwelcome?: true;
      /** What its tasks used, where that is known. */
      readonly usage?: StepUsage | undefined;
    }
  | { readonly type: "lost"; readonly cause: string };

/** How a step ended, and when. */
export interface EndRecord {
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly end: StepEnd;
}

/** Of lines and files. Fields may be added as optional; anything else is a new version. */
const VERSION = 1;

/** Of a step whose record can't be read. Its time is unknown: it is not forgotten before the controller has heard of it. */
export const DAMAGED: EndRecord = {
  endedAt: 0,
  end: { type: "lost", cause: "the node's record of the step is damaged" },
};

/** What is left to say of such a step. */
export function unreadableRecord(key: StepKey): LaunchRecord {
  return { key, kind: "run", tasks: 1, startAt: 0, receivedAt: 0, bootId: "", holder: null };
}

/** What a line of the log says, see spool.ts. `step` of a damaged one is null where even that can't be read. */
export type LogLine =
  | { readonly type: "launch"; readonly step: string; readonly record: LaunchRecord }
  | { readonly type: "end"; readonly step: string; readonly ended: EndRecord }
  | { readonly type: "over"; readonly line: string }
  | { readonly type: "damaged"; readonly step: string | null };

/** Reads a line of the log. */
export function parseLine(text: string): LogLine {
  const line = parse<{ step: string; launch: Partial<LaunchRecord>; over: string } & EndRecord>(text);
  if (line && typeof line.over === "string" && isFinishedLine(line.over)) return { type: "over", line: line.over };
  const step = /^\{"v":\d+,"step":"([\w.]+)"/.exec(text)?.[1] ?? null;
  if (!line || step === null) return { type: "damaged", step };
  if (isObject(line.launch)) {
    const record = readLaunch(line.launch, step);
    return record ? { type: "launch", step, record } : { type: "damaged", step };
  }
  const ended = readEnd(line);
  return ended ? { type: "end", step, ended } : { type: "damaged", step };
}

/** Reads launch.json of the step that its folder is named after. */
export function parseLaunchFile(bytes: Uint8Array, folderName: string): LaunchRecord | undefined {
  const record = parse<LaunchRecord>(new TextDecoder().decode(bytes));
  return record && readLaunch(record, folderName);
}

/** Reads end.json. */
export function parseEndFile(bytes: Uint8Array): EndRecord | undefined {
  const record = parse<EndRecord>(new TextDecoder().decode(bytes));
  return record && readEnd(record);
}

function readLaunch(record: Partial<LaunchRecord>, name: string): LaunchRecord | undefined {
  const key = parseStepKey(name);
  if (!key) return undefined;
  const { kind, tasks, gpus, startAt, receivedAt, bootId, holder } = record;
  const hasKey = isObject(record.key) && formatStepKey(record.key) === name;
  const hasKind = kind === "batch" || kind === "run" || kind === "pty";
  const hasTimes = isCount(startAt) && isCount(receivedAt);
  const hasHolder = holder === null || isIdentity(holder);
  if (!hasKey || !hasKind || !hasTimes || !hasHolder || !isCount(tasks) || typeof bootId !== "string") return undefined;
  const hasGpus = Array.isArray(gpus) && gpus.every(isCount);
  const isBound = Array.isArray(record.cpus) && record.cpus.every((ids) => Array.isArray(ids) && ids.every(isCount));
  const limits = isObject(record.memory) && isCount(record.memory.stepMiB) && isCount(record.memory.jobMiB);
  const memory = {
    ...(limits && record.memory ? { memory: record.memory } : {}),
    ...(record.outOfMemory === true ? { outOfMemory: true as const } : {}),
  };
  const user = isUser(record.user) ? { user: record.user } : {};
  const lists = { ...(hasGpus ? { gpus } : {}), ...(isBound && record.cpus ? { cpus: record.cpus } : {}) };
  return { key, kind, ...user, tasks, ...lists, ...memory, startAt, receivedAt, bootId, holder };
}

function readEnd(record: Partial<EndRecord>): EndRecord | undefined {
  if (!isCount(record.endedAt) || !isObject(record.end)) return undefined;
  const { endedAt, end } = record as EndRecord;
  if (end.type === "lost") return typeof end.cause === "string" ? { endedAt, end } : undefined;
  const { type, exits, problem, clean } = end;
  const isWhole = type === "ended" && Array.isArray(exits) && exits.every(isExit);
  return isWhole && typeof problem === "string" && typeof clean === "boolean" ? { endedAt, end } : undefined;
}

/** An object of the right version. Its fields are what they should be only once they are looked at. */
function parse<T>(text: string): Partial<T> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && value.v === VERSION ? (value as Partial<T>) : undefined;
  } catch {
    return undefined;
  }
}

function isIdentity(value: unknown): value is HolderIdentity {
  return isObject(value) && typeof value.socket === "string" && isCount(value.pid) && isCount(value.startedAt);
}

function isUser(value: unknown): value is NonNullable<LaunchRecord["user"]> {
  return isObject(value) && isCount(value.uid) && isCount(value.gid) && typeof value.name === "string";
}

function isExit(value: unknown): value is ExitStatus {
  return isObject(value) && isCount(value.code) && isCount(value.signal);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
