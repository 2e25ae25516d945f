/**
 * What a node daemon must not forget when it is killed, one folder a step: `<spool>/<JOB.ATTEMPT.STEP>/`.
 *
 *   launch.json   on disk before any holder is asked to start the step
 *   end.json      how it ended; on disk before the holder may forget it and before the controller hears of it
 *
 * A folder without end.json is a step that may run; one with it has an end that the controller may not have heard of.
 * Once the controller has confirmed the end and the job is cleared away, the launch is noted in `finished.log` (so that
 * a late order to start it is recognised) and the folder goes. A kill between any two of these steps leaves a state
 * that `load` reads rightly: a step in finished.log is over, whatever is left of its folder.
 */

import * as v from "valibot";
import type { NodePlaces } from "../config/places.ts";
import { formatStepKey, parseStepKey, type StepKey } from "../core/ids.ts";
import type { Disk } from "../platform/disk.ts";
import type { Log } from "../platform/log.ts";
import { count, exitStatus, positive, stepKey, text } from "../protocol/schemas.ts";
import { openFinished } from "./finished.ts";

const holderIdentity = v.object({ socket: text, pid: count, startedAt: count });

const launchRecord = v.object({
  v: v.literal(1),
  key: stepKey,
  kind: v.picklist(["batch", "run", "pty"]),
  /** Tasks on this node. */
  tasks: positive,
  /** When the controller started the job: tells two jobs of the same number apart after its state was lost. */
  startAt: count,
  /** When the order came, milliseconds since 1970. */
  receivedAt: count,
  /** Of the machine when the order came. */
  bootId: text,
  /** The holder that was asked or is about to be; `null` as long as none was. */
  holder: v.nullable(holderIdentity),
});

const stepEnd = v.variant("type", [
  v.object({ type: v.literal("ended"), exits: v.array(exitStatus), problem: text, clean: v.boolean() }),
  v.object({ type: v.literal("lost"), cause: text }),
]);

const endRecord = v.object({ v: v.literal(1), endedAt: count, end: stepEnd });

export type LaunchRecord = v.InferOutput<typeof launchRecord>;
export type HolderIdentity = v.InferOutput<typeof holderIdentity>;
/** How a step ended on this node: by itself, or without anybody who could say how. */
export type StepEnd = v.InferOutput<typeof stepEnd>;

/** A step as an earlier daemon left it. */
export interface SpooledStep {
  readonly record: LaunchRecord;
  readonly end: StepEnd | null;
}

export interface Spool {
  /** Steps that are not finished, in the order of their names. */
  readonly steps: readonly SpooledStep[];
  folderOf(key: StepKey): string;
  /** Writes or replaces a launch record; durable once it resolves. */
  writeLaunch(record: LaunchRecord): Promise<void>;
  /** Writes how a step ended; durable once it resolves. */
  writeEnd(key: StepKey, end: StepEnd, endedAt: number): Promise<void>;
  /** Notes steps of one job start as finished and removes their folders. Known at once, durable once it resolves. */
  finish(records: readonly LaunchRecord[]): Promise<void>;
  /** Whether that start of the job is finished on this node. */
  isFinished(key: StepKey, startAt: number): boolean;
}

/** Ends that nobody asked for in this time are given up: their job is unknown to the controller. */
const END_KEPT_MS = 7 * 24 * 3600 * 1000;

/**
 * Reads what an earlier daemon left, and tidies up after it. Rejects if the folders can't be read.
 * @param now milliseconds since 1970
 */
export async function openSpool(
  ports: { readonly disk: Disk; readonly log: Log },
  places: NodePlaces,
  now: number,
): Promise<Spool> {
  const { disk, log } = ports;
  await disk.makeFolder(places.spoolFolder);
  const finished = await openFinished(disk, `${places.folder}/finished.log`);
  const folderOf = (key: StepKey): string => `${places.spoolFolder}/${formatStepKey(key)}`;
  const steps: SpooledStep[] = [];
  for (const name of await disk.list(places.spoolFolder)) {
    const folder = `${places.spoolFolder}/${name}`;
    const step = await readStep(disk, log, folder, name);
    const isOver = step && (finished.has(step.record.key, step.record.startAt) || isForgotten(step, now));
    if (step && !isOver) steps.push(step);
    else await disk.remove(folder);
  }
  return {
    steps,
    folderOf,
    async writeLaunch(record) {
      const folder = folderOf(record.key);
      await disk.makeFolder(folder);
      await disk.replace(`${folder}/launch.json`, encode(record));
    },
    async writeEnd(key, end, endedAt) {
      await disk.replace(`${folderOf(key)}/end.json`, encode({ v: 1, endedAt, end }));
    },
    async finish(records) {
      const [first] = records;
      if (!first) return;
      await finished.add(first.key, first.startAt);
      for (const record of records) await disk.remove(folderOf(record.key));
    },
    isFinished: finished.has,
  };
}

interface StoredStep extends SpooledStep {
  readonly endedAt: number | null;
}

/** `undefined` for a folder in which no launch was ever recorded: nothing was started from it. */
async function readStep(disk: Disk, log: Log, folder: string, name: string): Promise<StoredStep | undefined> {
  const key = parseStepKey(name);
  const bytes = key && (await readOptional(disk, `${folder}/launch.json`));
  if (!key || !bytes) return undefined;
  const record = decode(launchRecord, bytes);
  const endBytes = await readOptional(disk, `${folder}/end.json`);
  const end = endBytes && decode(endRecord, endBytes);
  if (record && formatStepKey(record.key) === name && (end || !endBytes)) {
    return { record, end: end?.end ?? null, endedAt: end?.endedAt ?? null };
  }
  log.error("a step's record is damaged; the step counts as lost", { folder });
  return { record: record ?? unreadableRecord(key), end: DAMAGED, endedAt: null };
}

const DAMAGED: StepEnd = { type: "lost", cause: "the node's record of the step is damaged" };

function unreadableRecord(key: StepKey): LaunchRecord {
  return { v: 1, key, kind: "run", tasks: 1, startAt: 0, receivedAt: 0, bootId: "", holder: null };
}

function isForgotten({ endedAt }: StoredStep, now: number): boolean {
  return endedAt !== null && now - endedAt > END_KEPT_MS;
}

async function readOptional(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  return (await disk.size(path)) === null ? undefined : disk.read(path);
}

function encode(record: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record)}\n`);
}

function decode<T extends v.GenericSchema>(schema: T, bytes: Uint8Array): v.InferOutput<T> | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
