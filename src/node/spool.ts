/**
 * What a node daemon must not forget when it is killed, one folder a step: `<spool>/<JOB.ATTEMPT.STEP>/`.
 *
 *   launch.json   on disk before any holder is asked to start the step
 *   end.json      how it ended; on disk before the holder may forget it and before the controller hears of it
 *
 * A folder without end.json is a step that may run; one with it has an end that the controller may not have heard of.
 * Once the controller has confirmed the end and nothing of it is left, the step is noted in `finished.log` (so that a
 * late order to start it is recognised) and the folder goes. A kill between any two of these steps leaves a state
 * that `load` reads rightly: a step in finished.log is over, whatever is left of its folder.
 */

import type { NodePlaces } from "../config/places.ts";
import { formatStepKey, parseStepKey, type StepKey } from "../core/ids.ts";
import type { Disk } from "../platform/disk.ts";
import type { Log } from "../platform/log.ts";
import { openFinished } from "./finished.ts";
import { encodeRecord, type LaunchRecord, parseEndRecord, parseLaunchRecord, type StepEnd } from "./spool-records.ts";

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
  /** Notes steps as finished and removes their folders. Known at once, durable once it resolves. */
  finish(records: readonly LaunchRecord[]): Promise<void>;
  /** Whether that step, of that start of the job, is finished on this node. */
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
      await disk.replace(`${folder}/launch.json`, encodeRecord(record));
    },
    async writeEnd(key, end, endedAt) {
      await disk.replace(`${folderOf(key)}/end.json`, encodeRecord({ endedAt, end }));
    },
    async finish(records) {
      await Promise.all(records.map((record) => finished.add(record.key, record.startAt)));
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
  const record = parseLaunchRecord(bytes, name);
  const endBytes = await readOptional(disk, `${folder}/end.json`);
  const end = endBytes && parseEndRecord(endBytes);
  if (record && (end || !endBytes)) {
    return { record, end: end?.end ?? null, endedAt: end?.endedAt ?? null };
  }
  log.error("a step's record is damaged; the step counts as lost", { folder });
  return { record: record ?? unreadableRecord(key), end: DAMAGED, endedAt: null };
}

const DAMAGED: StepEnd = { type: "lost", cause: "the node's record of the step is damaged" };

function unreadableRecord(key: StepKey): LaunchRecord {
  return { key, kind: "run", tasks: 1, startAt: 0, receivedAt: 0, bootId: "", holder: null };
}

function isForgotten({ endedAt }: StoredStep, now: number): boolean {
  return endedAt !== null && now - endedAt > END_KEPT_MS;
}

async function readOptional(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  return (await disk.size(path)) === null ? undefined : disk.read(path);
}
