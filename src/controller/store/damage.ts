/**
 * What damage leaves behind, beside the snapshot in the state folder:
 *
 *   damage.txt    what was found and what was dropped, a sentence a line, for people: it stays, and `mgpu status` shows
 *                 it, until somebody deletes it
 *   next-job-id   the number from which on job ids are free, whatever the journal that is left says
 */

import type { JournalRecord } from "../../core/events.ts";
import type { JobId } from "../../core/ids.ts";
import type { ClusterState } from "../../core/state.ts";
import type { Disk } from "../../platform/disk.ts";
import { salvage } from "./segment.ts";

/** Where the snapshot is, and so what belongs to the same state. */
interface DamagePlaces {
  readonly snapshotFile: string;
}

/** What was dropped, as far as it can be read. */
export interface Loss {
  readonly records: readonly JournalRecord[];
  readonly unread: readonly string[];
}

/** Job ids are larger than any that was dropped by at least this much, and go on at a round number after it. */
const ID_MARGIN = 100;
const ID_STEP = 1000;
/** A submission takes more than this in the journal: so many lost bytes can't hold more jobs. */
const SUBMISSION_BYTES_MIN = 150;
/** Ids and records named in one sentence. */
const LISTED_MAX = 20;

/** The file that people read and delete. */
export function damageFile(places: DamagePlaces): string {
  return beside(places, "damage.txt");
}

/** Adds sentences to the note, durably; those that it has already are not repeated. */
export async function noteDamage(disk: Disk, places: DamagePlaces, sentences: readonly string[]): Promise<void> {
  const known = await readDamage(disk, places);
  const fresh = sentences.filter((sentence) => !known.includes(sentence));
  if (fresh.length === 0) return;
  const text = [...known, ...fresh].map((sentence) => `${sentence}\n`).join("");
  await disk.replace(damageFile(places), new TextEncoder().encode(text));
}

/** The note's sentences; none if there is no note. */
export async function readDamage(disk: Disk, places: DamagePlaces): Promise<string[]> {
  return (await readText(disk, damageFile(places))).split("\n").filter(Boolean);
}

/** The least job id that may be given; 1 where nothing was ever lost. */
export async function readJobIdFloor(disk: Disk, places: DamagePlaces): Promise<JobId> {
  const text = await readText(disk, beside(places, "next-job-id"));
  return /^\d{1,15}\n$/.test(text) ? Number(text) : 1;
}

/** Sets the least job id, durably. */
export async function writeJobIdFloor(disk: Disk, places: DamagePlaces, id: JobId): Promise<void> {
  await disk.replace(beside(places, "next-job-id"), new TextEncoder().encode(`${id}\n`));
}

/**
 * A job id above all that were given before the loss.
 * @param next the least free id as far as the surviving state knows
 */
export function idAbove(next: JobId, losses: readonly Loss[]): JobId {
  let largest = next;
  for (const { records, unread } of losses) {
    const texts = [...records.map((record) => JSON.stringify(record)), ...unread];
    for (const text of texts) largest = Math.max(largest, largestId(text));
    const unreadBytes = unread.reduce((sum, text) => sum + text.length, 0);
    largest += Math.ceil(unreadBytes / SUBMISSION_BYTES_MIN);
  }
  return Math.ceil((largest + ID_MARGIN) / ID_STEP) * ID_STEP + 1;
}

/** What a part of a segment holds. */
export function lossOf(data: Uint8Array): Loss {
  return salvage(data);
}

/** Jobs that go on as they were although something happened to them since, in words; empty if there are none. */
export function describeStale(state: ClusterState, losses: readonly Loss[]): string {
  const changed = losses.flatMap(({ records }) => [...jobsIn(records).changed]);
  const stale = new Set(changed.filter((id) => state.pending.has(id) || state.active.has(id)));
  return listIds(stale, `as of record ${state.seq}: what happened since is lost, and what ran already may run again`);
}

/** `records 5 to 17 (jobs 3, 4 submitted; jobs 1, 2 changed) and 1 line that can't be read` */
export function describeLoss({ records, unread }: Loss): string {
  const parts: string[] = [];
  const [first, last] = [records[0], records.at(-1)];
  if (first && last) parts.push(describeRecords(records, first.seq, last.seq));
  if (unread.length > 0) parts.push(`${unread.length} ${unread.length === 1 ? "line" : "lines"} that can't be read`);
  return parts.join(" and ") || "nothing";
}

function describeRecords(records: readonly JournalRecord[], first: number, last: number): string {
  const { submitted, changed } = jobsIn(records);
  const jobs = [listIds(submitted, "submitted"), listIds(changed, "changed")].filter(Boolean).join("; ");
  const what = first === last ? `record ${first}` : `records ${first} to ${last}`;
  return jobs ? `${what} (${jobs})` : what;
}

/** Jobs that records submit, and others that they change. */
function jobsIn(records: readonly JournalRecord[]): Record<"submitted" | "changed", Set<JobId>> {
  const submitted = new Set<JobId>();
  const changed = new Set<JobId>();
  for (const event of records.flatMap((record) => record.events)) {
    // What was damaged may look like an event and lack half of it.
    const { job, jobId } = event as { readonly job?: { readonly id?: unknown }; readonly jobId?: unknown };
    if (typeof job?.id === "number") submitted.add(job.id);
    else if (typeof jobId === "number" && !submitted.has(jobId)) changed.add(jobId);
  }
  return { submitted, changed };
}

function listIds(ids: ReadonlySet<JobId>, what: string): string {
  if (ids.size === 0) return "";
  const more = ids.size > LISTED_MAX ? ` and ${ids.size - LISTED_MAX} more` : "";
  return `${ids.size === 1 ? "job" : "jobs"} ${[...ids].slice(0, LISTED_MAX).join(", ")}${more} ${what}`;
}

/** The largest number that a text gives as a job's id; the ids of steps are smaller than any that matters. */
function largestId(text: string): number {
  let largest = 0;
  for (const [, digits] of text.matchAll(/"(?:id|jobId|nextJobId)"\s*:\s*(\d{1,9})(?!\d)/g)) {
    largest = Math.max(largest, Number(digits));
  }
  return largest;
}

async function readText(disk: Disk, path: string): Promise<string> {
  return (await disk.size(path)) === null ? "" : new TextDecoder().decode(await disk.read(path));
}

function beside({ snapshotFile }: DamagePlaces, name: string): string {
  return `${snapshotFile.slice(0, snapshotFile.lastIndexOf("/"))}/${name}`;
}
