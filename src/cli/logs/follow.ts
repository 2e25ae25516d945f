/** mgpu logs: shows the output of jobs, once or until they end. */

import { isEnded, type Job } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Peer } from "../../rpc/types.ts";
import type { CommandContext } from "../context.ts";
import { criteriaOf, type JobTarget, jobFilter } from "../filters.ts";
import { type LogFile, logsOf, type Wanted } from "./files.ts";
import { createReading, type Part, type Reading } from "./reading.ts";
import { localSource, relayedSource } from "./source.ts";

/** Between two looks at files and jobs, in milliseconds: people read no faster. */
const POLL_MS = 250;

/** Between two tries to reach a controller that is gone. */
const RETRY_MS = 1000;

/** A job as it was last seen. */
export interface Seen {
  readonly job: Job;
  /** Why it waits, in words; empty for any other. */
  readonly waiting: string;
}

export interface LogOptions extends Wanted {
  readonly targets: readonly JobTarget[];
  readonly part: Part;
}

/** Shows jobs' outputs; made once a command. */
export interface Display {
  /** Takes the newest records: finds files, prints what is there. */
  show(seen: readonly Seen[], isFollowing: boolean): Promise<void>;
  /** What is left of unfinished lines. */
  end(): void;
  /** Whether something could not be shown. */
  hasFailed(): boolean;
  /** Whether nothing can come of a job any more: it has files, and none of them can be read. */
  isHopeless(job: Job): boolean;
}

/** @param hosts short host names by node; nodes of other hosts are read through the controller */
export function createDisplay(
  context: CommandContext,
  peer: () => Peer,
  options: LogOptions,
  hosts: ReadonlyMap<string, string>,
): Display {
  const readings = new Map<string, Reading & { attempt: number; isLocal: boolean }>();
  const said = new Set<string>();
  let failed = false;

  const remark = (text: string, isFailure = false): void => {
    failed ||= isFailure;
    if (said.has(text)) return;
    said.add(text);
    context.stdio.err(`${context.program}: ${text}\n`);
  };

  const readingOf = (file: LogFile) => {
    const isLocal = (hosts.get(file.node) ?? context.hostname) === context.hostname;
    // Nodes of one machine have the same files.
    const key = `${file.job.id} ${file.stepId} ${isLocal ? "" : file.node} ${file.path}`;
    let reading = readings.get(key);
    if (!reading) {
      const source = isLocal ? localSource(context, file) : relayedSource(peer, file);
      const made = createReading(file, source, options.part, context.stdio);
      reading = Object.assign(made, { attempt: file.job.attempt, isLocal });
      readings.set(key, reading);
    }
    return reading;
  };

  const showJob = async ({ job, waiting }: Seen, isFollowing: boolean): Promise<void> => {
    if (job.state === "PENDING") {
      const hint = isFollowing ? "" : `; "mgpu logs -f ${jobLabel(job)}" waits for its start`;
      return remark(`job ${jobLabel(job)} waits: ${waiting}${hint}`);
    }
    const { files, remarks } = logsOf(job, options);
    for (const text of remarks) remark(text);
    for (const file of files) {
      const reading = readingOf(file);
      if (reading.attempt !== job.attempt) {
        reading.attempt = job.attempt;
        if (job.spec.io.openMode === "truncate") reading.restart();
      }
      const isThere = await reading.pump();
      if (!isFollowing || isOver(job)) reading.end();
      if (reading.problem !== "") remark(reading.problem, true);
      else if (!isThere && (!isFollowing || isOver(job))) remark(missingText(file), true);
    }
  };

  return {
    async show(seen, isFollowing) {
      for (const one of seen) await showJob(one, isFollowing);
    },
    end() {
      for (const reading of readings.values()) reading.end();
    },
    hasFailed: () => failed,
    isHopeless({ id, attempt }) {
      const own = [...readings.values()].filter(({ file }) => file.job.id === id);
      return own.length > 0 && own.every((one) => one.problem !== "" && one.attempt === attempt);
    },
  };
}

function missingText({ job, path, node }: LogFile): string {
  const name = jobLabel(job);
  if (!isEnded(job)) return `${path} on ${node} does not exist yet: job ${name} has just started, or removed it`;
  return `${path} on ${node} does not exist: it was removed or moved since job ${name} ended`;
}

/** Whether nothing of a job writes any more. */
function isOver(job: Job): boolean {
  return isEnded(job) && job.cleanup.length === 0;
}

/** Shows what comes until all jobs are over. Resolves early when `stop` is aborted. */
export async function follow(
  context: CommandContext,
  first: Peer,
  options: LogOptions,
  records: readonly Seen[],
  hosts: ReadonlyMap<string, string>,
  stop: AbortSignal,
): Promise<Display> {
  let peer = first;
  const display = createDisplay(context, () => peer, options, hosts);
  let seen = new Map(records.map((one) => [one.job.id, one]));
  while (!stop.aborted) {
    try {
      seen = new Map([...seen, ...(await newest(peer, options.targets))]);
      await display.show([...seen.values()], true);
      if ([...seen.values()].every(({ job }) => isOver(job) || display.isHopeless(job))) break;
      await pause(context, POLL_MS, stop);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== "LOST_CONTACT" || stop.aborted) throw error;
      peer = await reconnected(context, stop, peer);
    }
  }
  if (peer !== first) peer.close();
  display.end();
  return display;
}

/** Records of those that the queue still knows, tasks of arrays that were started meanwhile among them. */
async function newest(peer: Peer, targets: readonly JobTarget[]): Promise<Map<number, Seen>> {
  const found = new Map<number, Seen>();
  const filter = jobFilter(criteriaOf(targets.filter(({ cannotExist }) => !cannotExist)));
  await peer.stream("jobs.get", { filter }, ({ jobs }) => {
    for (const { job, row } of jobs) found.set(job.id, { job, waiting: `${row.reason}: ${row.reasonText}` });
  });
  return found;
}

/** A controller that is being restarted is back in a moment; meanwhile jobs go on. */
async function reconnected(context: CommandContext, stop: AbortSignal, old: Peer): Promise<Peer> {
  context.stdio.err(`${context.program}: lost contact with the controller, trying to reach it again\n`);
  while (!stop.aborted) {
    await pause(context, RETRY_MS, stop);
    try {
      return (await context.connect({ start: false })).peer;
    } catch {
      // Not yet.
    }
  }
  return old;
}

function pause({ clock }: Pick<CommandContext, "clock">, ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      stop.removeEventListener("abort", wake);
      resolve();
    };
    const cancel = clock.after(ms, wake);
    stop.addEventListener("abort", wake);
  });
}
