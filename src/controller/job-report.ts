/** What a notice of a job's end tells besides: how it used what it had, and the last lines of its output. */

import type { JobId } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import type { JobReport } from "../core/notice.ts";
import { outputsOf } from "../core/outputs.ts";
import type { ClusterState } from "../core/state.ts";
import type { Clock } from "../platform/clock.ts";
import { efficiencyLines } from "../view/accounting/seff.ts";
import type { Sessions } from "./sessions.ts";

/** Of the output's end. */
const TAIL_BYTES = 8192;
const TAIL_LINES = 10;
const LINE_CHARS = 200;

/** A notice waits no longer for a node, milliseconds. */
const READ_MS = 5000;

/** Escape sequences of terminals (ECMA-48): CSI, OSC, and two characters. */
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|.)/g;

/** Reports of jobs by their numbers; `null` for one that is no more. */
export function createReporter(
  state: () => ClusterState,
  sessions: Pick<Sessions, "get">,
  clock: Clock,
): (jobId: JobId) => Promise<JobReport | null> {
  return async (jobId) => {
    const job = state().jobs.get(jobId);
    return job ? jobReport(job, sessions, clock.now()) : null;
  };
}

/** Never rejects: what can't be read is left out. @param now milliseconds since 1970 */
async function jobReport(job: Job, sessions: Pick<Sessions, "get">, now: number): Promise<JobReport> {
  const facts = { state: job.state, partition: "", reason: "None", reasonText: "", isDuplicate: false };
  // Where nothing was measured, or nothing asked for, there is nothing to tell.
  const efficiency = efficiencyLines({ job, ...facts }, now).filter((line) => /Efficiency: .*%/.test(line));
  return { efficiency, output: await lastLines(job, sessions).catch(() => null) };
}

async function lastLines(job: Job, sessions: Pick<Sessions, "get">): Promise<JobReport["output"]> {
  const file = outputsOf(job).find(({ files }) => files.length > 0)?.files[0];
  const session = file && sessions.get(file.node);
  if (!session || file.path === "/dev/null") return null;
  const read = async (from: number, bytes: number) => {
    const order = { path: file.path, user: job.spec.user, from, bytes };
    return (await session.peer.call("node.read", order, { deadlineMs: READ_MS })).window;
  };
  const size = (await read(0, 0))?.size ?? 0;
  const tail = size === 0 ? null : await read(Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
  return tail && { path: file.path, lines: linesOf(tail.data, size > TAIL_BYTES) };
}

/** The last lines; a bar that was drawn over and over counts as it stood at last. */
function linesOf(data: Uint8Array, isCut: boolean): string[] {
  const text = new TextDecoder().decode(data).replace(/\n+$/, "");
  const lines = text.split("\n").slice(isCut ? 1 : 0);
  return lines.slice(-TAIL_LINES).map((line) => {
    const shown = line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
    return shown
      .replace(SEQUENCES, "")
      .replaceAll("\t", " ")
      .replace(/\p{Cc}/gu, "")
      .slice(0, LINE_CHARS);
  });
}
