/**
 * Finished jobs, for good: one JSON line each in `YYYY-MM.jsonl`, by the month (UTC) in which they ended.
 *
 * A line is on disk before its job leaves the hot state. A crash in between writes it again, so readers take the
 * first line of each end: they say the same, for a job that is over and cleared away changes only if it is requeued.
 * One that was requeued between its line and its leaving memory gets a later line; the ends that this one has as earlier
 * starts are named in `superseded.jsonl` first, and readers pass over their lines.
 */

import type { EndedJob } from "../../core/job.ts";
import type { Disk } from "../../platform/disk.ts";
import { monthOf } from "../../util/civil.ts";

/** Version of a line. */
const ACCOUNTING_VERSION = 1;

/** Appends finished jobs durably. */
export async function recordFinished(disk: Disk, folder: string, jobs: readonly EndedJob[]): Promise<void> {
  await disk.makeFolder(folder);
  const superseded = jobs.flatMap(supersededBy);
  if (superseded.length > 0) await appendLines(disk, `${folder}/${SUPERSEDED}`, superseded.join(""));
  const lines = new Map<string, string[]>();
  for (const job of jobs) {
    const month = monthOf(job.endAt);
    const list = lines.get(month) ?? [];
    list.push(`${JSON.stringify({ v: ACCOUNTING_VERSION, job })}\n`);
    lines.set(month, list);
  }
  for (const [month, list] of lines) await appendLines(disk, `${folder}/${month}.jsonl`, list.join(""));
}

/** File of the ends of which a later line tells. */
const SUPERSEDED = "superseded.jsonl";

/** Lines for ends that accounting may have. One that was requeued while it ran was never over. */
function supersededBy({ id, earlier = [] }: EndedJob): string[] {
  const ends = earlier.filter(({ state }) => state !== "REQUEUED");
  return ends.map(({ endAt }) => `${JSON.stringify({ id, endAt })}\n`);
}

/** Their names, `12 1790000000000`. */
async function readSuperseded(disk: Pick<Disk, "list" | "readPart">, folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  if (!(await disk.list(folder)).includes(SUPERSEDED)) return found;
  for await (const lines of readLines(disk, `${folder}/${SUPERSEDED}`)) {
    for (const line of lines) {
      const [, id, endAt] = /^\{"id":(\d+),"endAt":(\d+)\}$/.exec(line) ?? [];
      if (id !== undefined) found.add(`${id} ${endAt}`);
    }
  }
  return found;
}

/** Which lines are worth reading. */
export interface FinishedQuery {
  /** Jobs that ended before are not wanted, milliseconds since 1970; `null` for all. */
  readonly since: number | null;
  /** Only these records, and those that belong to such an array or heterogeneous job; `null` for all. */
  readonly ids: ReadonlySet<number> | null;
}

/** Bytes read at a time: small enough that the daemon answers others in between. */
const READ_BYTES = 256 * 1024;

/** A line that is longer is damage: no job's record comes near. */
const LINE_CHARACTERS_MAX = 64 * 1024 * 1024;

/** What every line of version 1 begins with; the number is the job's. Where other keys follow, all of it is read. */
const LINE_START = /^\{"v":1,"job":\{"id":(\d+),/;

/**
 * Jobs of the accounting files, month by month as they ended, a few hundred at a time. Memory does not grow with the
 * files, but for 8 bytes for each job that was read.
 * @param onDamage told of each line that can't be read
 */
export async function* readFinished(
  disk: Pick<Disk, "list" | "readPart">,
  folder: string,
  query: FinishedQuery,
  onDamage: () => void,
): AsyncGenerator<EndedJob[]> {
  const seen = new SeenJobs();
  const superseded = await readSuperseded(disk, folder);
  const isWanted = (job: EndedJob): boolean =>
    (query.since === null || job.endAt >= query.since) && !superseded.has(`${job.id} ${job.endAt}`) && seen.add(job);
  const first = query.since === null ? "" : monthOf(Math.max(0, query.since));
  for (const name of await disk.list(folder)) {
    if (!/^\d{4,}-\d\d\.jsonl$/.test(name) || name.slice(0, -".jsonl".length) < first) continue;
    for await (const lines of readLines(disk, `${folder}/${name}`)) {
      const jobs = lines.flatMap((line) => parseLine(line, query, onDamage) ?? []);
      const wanted = jobs.filter(isWanted);
      if (wanted.length > 0) yield wanted;
    }
  }
}

function parseLine(line: string, { ids }: FinishedQuery, onDamage: () => void): EndedJob | undefined {
  const id = Number(LINE_START.exec(line)?.[1] ?? Number.NaN);
  // Such texts can't be part of a user's own: there, the quotes are escaped.
  const isAlone = /"attempt":\d+,"array":null/.test(line) && line.includes('"het":null');
  if (ids && id > 0 && isAlone && !ids.has(id)) return undefined;
  try {
    const { v, job } = JSON.parse(line) as { readonly v: unknown; readonly job: EndedJob };
    if (v === ACCOUNTING_VERSION && job.id > 0 && job.endAt >= 0 && typeof job.spec === "object") return job;
  } catch {
    // Told below.
  }
  onDamage();
  return undefined;
}

/** Whole lines of a file, some at a time; what follows the last line's end was cut off by a crash. */
async function* readLines(disk: Pick<Disk, "readPart">, path: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for (let at = 0; ; ) {
    const part = await disk.readPart(path, at, READ_BYTES);
    if (part.length === 0) return;
    at += part.length;
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARACTERS_MAX) rest = "";
    yield lines;
  }
}

/** Numbers of jobs in a page: half a megabyte, made when the first of them comes. */
const PAGE_IDS = 65_536;

/**
 * Which jobs came already, by number and end: numbers begin anew after a lost state, and a job may be requeued between
 * its line and its leaving memory.
 */
class SeenJobs {
  private readonly pages = new Map<number, Float64Array>();

  /** False if that very end of the job was added before. */
  add({ id, endAt }: EndedJob): boolean {
    const number = Math.floor(id / PAGE_IDS);
    const page = this.pages.get(number) ?? new Float64Array(PAGE_IDS);
    this.pages.set(number, page);
    if (page[id % PAGE_IDS] === endAt) return false;
    page[id % PAGE_IDS] = endAt;
    return true;
  }
}

async function appendLines(disk: Disk, path: string, text: string): Promise<void> {
  const before = (await disk.size(path)) ?? 0;
  const file = await disk.openAppend(path);
  try {
    await file.append(new TextEncoder().encode(text));
    await file.sync();
  } catch (error) {
    // Half a line would swallow the first one of the next try.
    await disk.truncate(path, before).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
}
