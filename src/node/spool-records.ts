/** What the spool's files say, written and read. A file that says anything else is damaged: `undefined`. Pure. */

import { formatStepKey, parseStepKey, type StepKey } from "../core/ids.ts";
import type { ExitStatus } from "../core/job.ts";
import type { StepUsage } from "../core/usage.ts";

/** Which holder: pids and sockets are used again, the time of the start tells. */
export interface HolderIdentity {
  readonly socket: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** `launch.json` */
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
      /** What its tasks used, where that is known. */
      readonly usage?: StepUsage | undefined;
    }
  | { readonly type: "lost"; readonly cause: string };

/** `end.json` */
export interface EndRecord {
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly end: StepEnd;
}

/** Of both files. Fields may be added as optional; anything else is a new version. */
const VERSION = 1;

/** A record as its file holds it. */
export function encodeRecord(record: LaunchRecord | EndRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ v: VERSION, ...record })}\n`);
}

/** Reads launch.json of the step that its folder is named after. */
export function parseLaunchRecord(bytes: Uint8Array, folderName: string): LaunchRecord | undefined {
  const key = parseStepKey(folderName);
  const record = parse<LaunchRecord>(bytes);
  if (!key || !record) return undefined;
  const { kind, tasks, gpus, startAt, receivedAt, bootId, holder } = record;
  const hasKey = isObject(record.key) && formatStepKey(record.key) === folderName;
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

/** Reads end.json. */
export function parseEndRecord(bytes: Uint8Array): EndRecord | undefined {
  const record = parse<EndRecord>(bytes);
  if (!record || !isCount(record.endedAt) || !isObject(record.end)) return undefined;
  const { endedAt, end } = record;
  if (end.type === "lost") return typeof end.cause === "string" ? { endedAt, end } : undefined;
  const { type, exits, problem, clean } = end;
  const isWhole = type === "ended" && Array.isArray(exits) && exits.every(isExit);
  return isWhole && typeof problem === "string" && typeof clean === "boolean" ? { endedAt, end } : undefined;
}

/** An object of the right version. Its fields are what they should be only once they are looked at. */
function parse<T>(bytes: Uint8Array): Partial<T> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
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
