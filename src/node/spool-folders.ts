/**
 * Records as versions before 1.0 kept them: `launch.json` and `end.json` in the folder of each step, and `finished.log` with a line for
 * each that was over. They are read once and then removed.
 */

import type { NodePlaces } from "../config/places.ts";
import { parseStepKey } from "../core/ids.ts";
import type { Disk } from "../platform/disk.ts";
import type { Log } from "../platform/log.ts";
import { isFinishedLine } from "./finished.ts";
import type { StoredStep } from "./spool.ts";
import { DAMAGED, parseEndFile, parseLaunchFile, unreadableRecord } from "./spool-records.ts";

/** What was found, by the names of the folders. */
export interface OldRecords {
  readonly steps: ReadonlyMap<string, StoredStep>;
  readonly finished: readonly string[];
  readonly isThere: boolean;
  /** Removes the files, but not what else is in the folders. */
  remove(): Promise<void>;
}

/** Reads them. Rejects if that is impossible. */
export async function readFolders(
  ports: { readonly disk: Disk; readonly log: Log },
  places: NodePlaces,
): Promise<OldRecords> {
  const { disk, log } = ports;
  const finishedPath = `${places.folder}/finished.log`;
  const finishedBytes = await readOptional(disk, finishedPath);
  const steps = new Map<string, StoredStep>();
  const files: string[] = finishedBytes ? [finishedPath] : [];
  for (const name of await disk.list(places.spoolFolder)) {
    const folder = `${places.spoolFolder}/${name}`;
    const launch = await readOptional(disk, `${folder}/launch.json`);
    const key = parseStepKey(name);
    if (!launch || !key) continue;
    files.push(`${folder}/launch.json`, `${folder}/end.json`);
    const record = parseLaunchFile(launch, name);
    const endBytes = await readOptional(disk, `${folder}/end.json`);
    const ended = endBytes ? parseEndFile(endBytes) : null;
    if (record && ended !== undefined) {
      steps.set(name, { record, ended });
    } else {
      log.error("a step's record is damaged; the step counts as lost", { folder });
      steps.set(name, { record: record ?? unreadableRecord(key), ended: DAMAGED });
    }
  }
  return {
    steps,
    finished: finishedBytes
      ? new TextDecoder().decode(finishedBytes).split("\n").slice(0, -1).filter(isFinishedLine)
      : [],
    isThere: files.length > 0,
    async remove() {
      for (const path of files) await disk.remove(path);
    },
  };
}

async function readOptional(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  return (await disk.size(path)) === null ? undefined : disk.read(path);
}
