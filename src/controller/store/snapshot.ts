/**
 * Snapshots: a lowdb database in readable JSON, through an adapter of ours that is durable (lowdb's own writer
 * neither fsyncs nor keeps the file it replaces). One line holds everything but the jobs, and says how many of these follow, a line
 * each: written and read in parts, since a queue of 100,000 as one text is more than V8 takes, or the machine should need.
 *
 * The one before stays beside the newest as `snapshot.previous.json`, with the journal that leads on from it, so
 * that one damaged file loses nothing.
 */

import { type Adapter, Low } from "lowdb";
import { SpecReader, SpecWriter } from "../../core/brief-specs.ts";
import type { Job } from "../../core/job.ts";
import type { StoredState } from "../../core/state.ts";
import type { Disk } from "../../platform/disk.ts";
import { linesOfFile } from "./file-lines.ts";

/** The file's content. */
export interface SnapshotFile {
  readonly mgpu: "snapshot";
  readonly v: number;
  readonly state: StoredState;
}

/** The file's first line. Version 1 was one JSON text, jobs and all. */
interface Head {
  readonly mgpu: "snapshot";
  readonly v: number;
  /** How many lines of jobs follow. */
  readonly jobs: number;
  readonly state: Omit<StoredState, "jobs">;
}

/** Major version of the file. */
const SNAPSHOT_VERSION = 2;
const ONE_TEXT = 1;

/** Written at a time. */
const JOBS_PER_PART = 1000;

/** `snapshot.previous.json` beside `snapshot.json`. */
export function previousPath(path: string): string {
  return path.replace(/\.json$/, ".previous.json");
}

/** The stored state, or `null` if there is no such file. Rejects if the file can't be read as a snapshot. */
export async function readSnapshot(disk: Disk, path: string): Promise<StoredState | null> {
  const low = new Low<SnapshotFile | null>(durableAdapter(disk, path), null);
  await low.read();
  if (low.data === null) return null;
  const { mgpu, v, state } = low.data;
  if (mgpu !== "snapshot" || typeof state?.seq !== "number") throw new Error(`${path} is no snapshot of mgpu`);
  if (v !== SNAPSHOT_VERSION && v !== ONE_TEXT) {
    throw new Error(`${path} has version ${v}, this program reads versions up to ${SNAPSHOT_VERSION}`);
  }
  return state;
}

/** Puts a snapshot in place; the one there becomes the previous one. */
export async function writeSnapshot(disk: Disk, path: string, state: StoredState): Promise<void> {
  const low = new Low<SnapshotFile | null>(durableAdapter(disk, path), null);
  low.data = { mgpu: "snapshot", v: SNAPSHOT_VERSION, state };
  if ((await disk.size(path)) !== null) await disk.rename(path, previousPath(path));
  await low.write();
}

function durableAdapter(disk: Disk, path: string): Adapter<SnapshotFile | null> {
  return {
    read: () => readFile(disk, path),
    write: (data) => (data ? disk.replace(path, partsOf(data)) : Promise.resolve()),
  };
}

async function readFile(disk: Disk, path: string): Promise<SnapshotFile | null> {
  const size = await disk.size(path);
  if (size === null) return null;
  let head: Head | null = null;
  const jobs: Job[] = [];
  const specs = new SpecReader();
  // Whoever cut it in the middle of a line is found out by the text.
  for await (const { lines } of linesOfFile(disk, path)) {
    for (const line of lines) {
      const value: unknown = head || isHead(line) ? JSON.parse(line) : null;
      // As one text it has line breaks in it.
      if (value === null) return await readOneText(disk, path);
      if (head) jobs.push(specs.job(value as Job));
      else head = value as Head;
    }
  }
  if (head === null || jobs.length !== head.jobs) {
    throw new Error(`it has ${jobs.length} of ${head?.jobs ?? "an unknown number of"} jobs`);
  }
  return { mgpu: head.mgpu, v: head.v, state: { ...head.state, jobs } };
}

async function readOneText(disk: Disk, path: string): Promise<SnapshotFile> {
  const file = JSON.parse(new TextDecoder().decode(await disk.read(path))) as SnapshotFile;
  const specs = new SpecReader();
  for (const job of file.state?.jobs ?? []) specs.job(job);
  return file;
}

/** The first line of a file that has its jobs in lines of their own. */
function isHead(line: string): boolean {
  return line.startsWith('{"');
}

/** The bytes of a file. */
function* partsOf({ mgpu, v, state }: SnapshotFile): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const specs = new SpecWriter();
  const { jobs, ...rest } = state;
  const head: Head = { mgpu, v, jobs: jobs.length, state: rest };
  yield encoder.encode(`${JSON.stringify(head)}\n`);
  for (let from = 0; from < jobs.length; from += JOBS_PER_PART) {
    const lines = jobs.slice(from, from + JOBS_PER_PART).map((job) => `${JSON.stringify(specs.job(job))}\n`);
    yield encoder.encode(lines.join(""));
  }
}
