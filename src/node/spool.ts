/**
 * What a node daemon must not forget when it is killed: a log of the steps of this node, `<folder>/steps.log`, one JSON object
 * a line.
 *
 *   {"v":1,"step":"7.1.0","launch":{...}}           on disk before any holder is asked to start the step; the last one counts
 *   {"v":1,"step":"7.1.0","endedAt":N,"end":{...}}  how it ended; on disk before the holder may forget it and before the
 *                                                   controller hears of it
 *   {"v":1,"over":"7.1.0 5"}                        the controller has confirmed the end of that step (of the job that was
 *                                                   started at 5), and nothing of it is left; so that a late order to start it is
 *                                                   recognised
 *
 * Lines of callers at the same time share one write and one sync. A step without an end may run; one with it has an end that the
 * controller may not have heard of. `over` is not waited for: without it the end is reported once more, which does no harm. What
 * is over is left out when the log is written anew, but for the newest FINISHED_MAX.
 *
 * `<spoolFolder>/<JOB.ATTEMPT.STEP>/` holds the files of a batch script (holder/batch-spool.ts). Earlier versions had records
 * in such folders (spool-folders.ts); they are taken over once.
 */

import type { NodePlaces } from "../config/places.ts";
import { formatStepKey, parseStepKey, type StepKey } from "../core/ids.ts";
import type { Clock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import type { Log } from "../platform/log.ts";
import { Finished, finishedLine } from "./finished.ts";
import { readFolders } from "./spool-folders.ts";
import {
  DAMAGED,
  type EndRecord,
  type LaunchRecord,
  parseLine,
  type StepEnd,
  unreadableRecord,
} from "./spool-records.ts";
import { openStepLog } from "./step-log.ts";

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
  /** Notes steps as finished; known at once. Their folders, where they still are, are removed soon. */
  finish(records: readonly LaunchRecord[]): Promise<void>;
  /** Whether that step, of that start of the job, is finished on this node. */
  isFinished(key: StepKey, startAt: number): boolean;
}

/** Ends that nobody asked for in this time are given up: their job is unknown to the controller. */
const END_KEPT_MS = 7 * 24 * 3600 * 1000;

/** A holder that is busy hears this late that it may use a script's folder for the next one. */
const FOLDER_WAIT_MS = 500;

type Ports = { readonly disk: Disk; readonly log: Log; readonly clock: Pick<Clock, "now" | "after"> };

/** Reads what an earlier daemon left, and tidies up after it. Rejects if the folders can't be read. */
export async function openSpool(ports: Ports, places: NodePlaces): Promise<Spool> {
  const { disk, clock } = ports;
  await disk.makeFolder(places.spoolFolder);
  const path = `${places.folder}/steps.log`;
  const { kept, finished, isWhole } = await readLog(ports, path);
  const old = await readFolders(ports, places);
  for (const line of old.finished) finished.add(line);
  for (const [name, one] of old.steps) if (!kept.has(name)) kept.set(name, one);
  for (const [name, one] of kept) if (isOver(one, finished, clock.now())) kept.delete(name);
  const folderOf = (key: StepKey): string => `${places.spoolFolder}/${formatStepKey(key)}`;
  const log = openStepLog(ports, path, () =>
    [...kept.values()].flatMap(linesOf).concat(finished.lines().map(overLine)),
  );
  if (!isWhole || old.isThere) await log.rewrite();
  await old.remove();
  const isStarted = (folder: string): boolean => kept.has(folder.slice(places.spoolFolder.length + 1));
  for (const name of await disk.list(places.spoolFolder)) {
    if (kept.get(name)?.record.kind !== "batch") await disk.remove(`${places.spoolFolder}/${name}`);
  }
  return {
    steps: [...kept]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { record, ended }]) => ({ record, end: ended?.end ?? null })),
    folderOf,
    async writeLaunch(record) {
      const name = formatStepKey(record.key);
      const before = kept.get(name);
      const one = { record, ended: before?.ended ?? null };
      kept.set(name, one);
      try {
        await log.append([launchLine(record)]);
      } catch (error) {
        // Nothing is started then, and nothing must say later that something was.
        if (kept.get(name) === one) restore(kept, name, before);
        throw error;
      }
    },
    writeEnd(key, end, endedAt) {
      const name = formatStepKey(key);
      const known = kept.get(name);
      if (known) kept.set(name, { ...known, ended: { endedAt, end } });
      return log.append([endLine(name, { endedAt, end })]);
    },
    async finish(records) {
      const over = records.map(({ key, startAt }) => finishedLine(key, startAt));
      for (const line of over) finished.add(line);
      for (const { key } of records) kept.delete(formatStepKey(key));
      log.note(over.map(overLine));
      const folders = records.flatMap(({ key, kind }) => (kind === "batch" ? [folderOf(key)] : []));
      if (folders.length > 0) clock.after(FOLDER_WAIT_MS, () => void removeFolders(ports, folders, isStarted));
    },
    isFinished: (key, startAt) => finished.has(key, startAt),
  };
}

/** @param isStarted whether a step has a folder of that name anew: a job of the same number, of another start of the cluster */
async function removeFolders(
  { disk, log }: Ports,
  folders: readonly string[],
  isStarted: (folder: string) => boolean,
): Promise<void> {
  try {
    for (const folder of folders) if (!isStarted(folder)) await disk.remove(folder);
  } catch (error) {
    // The next daemon does it.
    log.error("a finished script's folder can't be removed", { error: String(error) });
  }
}

function restore(kept: Map<string, StoredStep>, name: string, before: StoredStep | undefined): void {
  if (before) kept.set(name, before);
  else kept.delete(name);
}

/** What is known of a step that is not finished. */
export interface StoredStep {
  readonly record: LaunchRecord;
  readonly ended: EndRecord | null;
}

function isOver({ record, ended }: StoredStep, finished: Finished, now: number): boolean {
  const isForgotten = ended !== null && ended.endedAt > 0 && now - ended.endedAt > END_KEPT_MS;
  return isForgotten || finished.has(record.key, record.startAt);
}

/** `isWhole`: nothing has to be mended before lines can be added. */
async function readLog({ disk, log }: Pick<Ports, "disk" | "log">, path: string) {
  const kept = new Map<string, StoredStep>();
  const finished = new Finished();
  if ((await disk.size(path)) === null) return { kept, finished, isWhole: true };
  const lines = new TextDecoder().decode(await disk.read(path)).split("\n");
  // What follows the last line's end was cut off by a crash; an empty text if nothing was.
  let isWhole = lines.pop() === "";
  for (const line of lines) {
    const read = parseLine(line);
    if (read.type === "over") {
      finished.add(read.line);
      kept.delete(read.line.split(" ")[0] ?? "");
    } else if (read.type === "launch") {
      kept.set(read.step, { record: read.record, ended: null });
    } else if (read.type === "end") {
      const known = kept.get(read.step);
      if (known) kept.set(read.step, { ...known, ended: read.ended });
    } else {
      isWhole = false;
      log.error("a line of the steps' log is damaged", { path, step: read.step ?? "unknown" });
      const key = read.step === null ? undefined : parseStepKey(read.step);
      if (!key || read.step === null) continue;
      kept.set(read.step, { record: kept.get(read.step)?.record ?? unreadableRecord(key), ended: DAMAGED });
    }
  }
  return { kept, finished, isWhole };
}

function linesOf({ record, ended }: StoredStep): string[] {
  return [launchLine(record), ...(ended ? [endLine(formatStepKey(record.key), ended)] : [])];
}

function launchLine(record: LaunchRecord): string {
  return JSON.stringify({ v: 1, step: formatStepKey(record.key), launch: record });
}

function endLine(step: string, { endedAt, end }: EndRecord): string {
  return JSON.stringify({ v: 1, step, endedAt, end });
}

function overLine(line: string): string {
  return JSON.stringify({ v: 1, over: line });
}
