/** Records of jobs, of those too that have left the queue's memory, and what is to be said about one. */

import { type HistoryRecord, historyFilter } from "../core/history.ts";
import { isEnded, type Job } from "../core/job.ts";
import { queueAt } from "../core/job-at.ts";
import { jobLabel } from "../core/job-label.ts";
import type { JobFilter } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";
import { efficiencyLines, usedNow, withUsage } from "../view/accounting/seff.ts";
import { type JobEntry, jobRecord } from "../view/job-record.ts";
import { toJobRow } from "../view/job-row.ts";
import { type RecordTime, recordText } from "../view/record-text.ts";
import { startedLines } from "../view/why-started.ts";
import { waitingText } from "../view/why-waiting.ts";
import { dependencyLines } from "./dependencies.ts";
import type { Row } from "./rows.ts";

/** Selects jobs by their numbers. */
export function filterFor(ids: readonly number[]): JobFilter {
  return { ids: [...ids], users: [], states: [], names: [], partitions: [] };
}

/** The record of a job, of one that has left the queue's memory from accounting. @throws Error if nobody knows it */
export async function recordOf(peer: Peer, jobId: number): Promise<{ entry: JobEntry; nowMs: number }> {
  let entry: JobEntry | null = null;
  const { now } = await peer.stream("jobs.get", { filter: filterFor([jobId]) }, ({ jobs }) => {
    entry ??= jobs.find(({ job }) => job.id === jobId) ?? null;
  });
  if (entry !== null) return { entry, nowMs: now };
  const record = await historyOf(peer, jobId);
  if (record === null) throw new Error(`there never was a job ${jobId}`);
  const { job, reason, reasonText, partition } = record;
  return { entry: { job, row: toJobRow(job, { reason, reasonText, partition }) }, nowMs: now };
}

/** The newest record of a job in accounting. */
async function historyOf(peer: Peer, jobId: number): Promise<HistoryRecord | null> {
  let found: HistoryRecord | null = null;
  const params = { filter: historyFilter({ ids: [jobId] }), duplicates: false, steps: true };
  await peer.stream("jobs.history", params, ({ records }) => {
    found = records.findLast(({ job }) => job.id === jobId) ?? found;
  });
  return found;
}

/** Why it waits or how it went and what it used, then its record as scontrol shows it. @throws as calls do */
export async function detailText(peer: Peer, jobId: number, utcOffset: (atMs: number) => number): Promise<string> {
  const { entry, nowMs } = await recordOf(peer, jobId);
  const time = { nowMs, utcOffset };
  const { job } = entry;
  const how = job.state === "PENDING" ? await waitingPart(peer, entry, time) : startedPart(entry, job, time);
  const depends = part("Depends on", await dependencyLines(peer, job));
  const used = part("What it used", await usedLines(peer, job, nowMs));
  return `${how}${depends}${used}Record\n  ${recordText(jobRecord(entry, true, time), false).trim()}\n`;
}

function part(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${heading}\n${lines.map((text) => `  ${text}\n`).join("")}`;
}

/** With the smallest change that would start it. */
async function waitingPart(peer: Peer, { job, row }: JobEntry, time: RecordTime): Promise<string> {
  const { explanation } = await peer.call("job.explain", { jobId: job.id, taskId: null });
  const why = explanation ? waitingText(explanation, time) : `  ${row.reasonText}\n`;
  return `Why it waits: ${explanation?.reason ?? row.reason}\n${why}`;
}

function startedPart({ row }: JobEntry, job: Exclude<Job, { state: "PENDING" }>, time: RecordTime): string {
  return part(isEnded(job) ? "How it ended" : "How it goes", startedLines(job, row, jobLabel(job), time));
}

/** As seff tells it; of a job that runs what its nodes see now. */
async function usedLines(peer: Peer, job: Job, nowMs: number): Promise<string[]> {
  if (job.state === "PENDING" || job.startAt === null) return [];
  const record = await historyOf(peer, job.id).catch(() => null);
  if (record === null) return [];
  const { steps, untold } = await usedNow(peer, job);
  return [...efficiencyLines(withUsage(record, steps), nowMs), ...(untold === "" ? [] : [untold])];
}

/** What waited and ran at a moment, as squeue --at lists it. @throws as calls do */
export async function pastRows(peer: Peer, atMs: number): Promise<Row[]> {
  const jobs: Job[] = [];
  const partitionOf = new Map<number, string>();
  const params = { filter: historyFilter({ since: atMs }), duplicates: true, steps: false };
  await peer.stream("jobs.history", params, ({ records }) => {
    for (const { job, partition } of records) {
      if (job.submitAt > atMs) continue;
      jobs.push(job);
      partitionOf.set(job.id, partition);
    }
  });
  return queueAt(jobs, atMs).map((job) => {
    const reason = job.state === "PENDING" && job.eligibleAt > atMs ? "BeginTime" : "None";
    return toJobRow(job, { reason, reasonText: "", partition: partitionOf.get(job.id) ?? "" });
  });
}
