/**
 * Finished jobs, for good: one JSON line each in `YYYY-MM.jsonl`, by the month (UTC) in which they ended.
 *
 * A line is on disk before its job leaves the hot state. A crash in between writes it again, so readers take the
 * last line of each job.
 */

import type { EndedJob } from "../../core/job.ts";
import type { Disk } from "../../platform/disk.ts";
import { monthOf } from "../../util/civil.ts";

/** Version of a line. */
const ACCOUNTING_VERSION = 1;

/** Appends finished jobs durably. */
export async function recordFinished(disk: Disk, folder: string, jobs: readonly EndedJob[]): Promise<void> {
  await disk.makeFolder(folder);
  const lines = new Map<string, string[]>();
  for (const job of jobs) {
    const month = monthOf(job.endAt);
    const list = lines.get(month) ?? [];
    list.push(`${JSON.stringify({ v: ACCOUNTING_VERSION, job })}\n`);
    lines.set(month, list);
  }
  for (const [month, list] of lines) await appendLines(disk, `${folder}/${month}.jsonl`, list.join(""));
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
