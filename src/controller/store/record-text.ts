/** A journal record as JSON. Most of a submission's is its specification, whose text is at hand where others said the same. */

import type { Event, JournalRecord } from "../../core/events.ts";
import type { PendingJob } from "../../core/job.ts";
import { specText } from "../../core/shared-specs.ts";

/** What `JSON.stringify` says. */
export function recordText(record: JournalRecord): string {
  const { v, seq, at, events } = record;
  return `{"v":${v},"seq":${seq},"at":${at},"events":[${events.map(eventText).join(",")}]}`;
}

function eventText(event: Event): string {
  return event.type === "job.submitted"
    ? `{"type":"job.submitted","job":${jobText(event.job)}}`
    : JSON.stringify(event);
}

function jobText(job: PendingJob): string {
  const { spec, ...rest } = job;
  const text = JSON.stringify(rest);
  // Braces stay braces: the rest is never empty.
  return `${text.slice(0, -1)},"spec":${specText(spec)}}`;
}
