/** The controller as the screen's source: its stream of changes, and calls for all else. Lost contacts are mended. */

import { isEnded } from "../core/job.ts";
import { jobLabel } from "../core/job-label.ts";
import { sleep } from "../platform/clock.ts";
import type { JobFilter, Params, Result } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";
import { type JobEntry, jobRecord } from "../view/job-record.ts";
import { recordText } from "../view/record-text.ts";
import { startedLines } from "../view/why-started.ts";
import { waitingText } from "../view/why-waiting.ts";
import { dependencyLines } from "./dependencies.ts";
import { createFollower } from "./follow.ts";
import type { Action, Deed, Message } from "./model.ts";
import type { Source, TuiPorts } from "./ports.ts";
import { FIELDS, toRow } from "./rows.ts";

/** Between two tries to reach a controller that is gone. */
const RETRY_MS = 1000;

/** The controller that `connect` finds. */
export function createLiveSource(ports: TuiPorts): Source {
  const { clock } = ports;
  let peer: Peer | null = null;
  let isClosed = false;
  let tell: (message: Message) => void = () => {};
  const current = (): Peer => {
    if (peer === null) throw new Error("there is no contact with the controller");
    return peer;
  };
  const follower = createFollower(clock, current, (message) => tell(message));

  /** Both streams go on until the contact is lost. */
  const watch = async (): Promise<void> => {
    const connected = current();
    const jobs = connected.stream("jobs.watch", { fields: [...FIELDS] }, ({ rows, gone, isReset, isPartial, now }) => {
      tell({ type: "jobs", isReset, isPartial, rows: rows.map(toRow), gone, nowMs: now });
    });
    const nodes = connected.stream("nodes.watch", {}, (item) => tell({ type: "nodes", ...item }));
    await Promise.race([jobs, nodes]).finally(() => connected.close());
  };

  /** Until it is closed; a controller that ends may come back. */
  const keepWatching = async (): Promise<void> => {
    while (!isClosed) {
      const problem = await watch().then(
        () => "the controller has ended",
        (error: unknown) => sentence(error),
      );
      peer?.close();
      peer = null;
      while (!isClosed && peer === null) {
        tell({ type: "trouble", text: `${problem}; trying again` });
        await sleep(clock, RETRY_MS);
        peer = await ports.connect().then(
          (connected) => connected.peer,
          () => null,
        );
      }
    }
  };

  return {
    async open(told) {
      tell = told;
      peer = (await ports.connect()).peer;
      void keepWatching();
    },
    detail: (jobId) => detailText(current(), jobId, (atMs) => ports.utcOffsetMinutes(atMs)),
    follow: follower.follow,
    act: (deed) => act(current(), deed),
    close() {
      isClosed = true;
      follower.follow(null);
      peer?.close();
    },
  };
}

/** What went wrong, for people. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
}

function filterFor(ids: readonly number[]): JobFilter {
  return { ids: [...ids], users: [], states: [], names: [], partitions: [] };
}

/** The record of a job. @throws Error if it is gone */
export async function recordOf(peer: Peer, jobId: number): Promise<{ entry: JobEntry; nowMs: number }> {
  let entry: JobEntry | null = null;
  const { now } = await peer.stream("jobs.get", { filter: filterFor([jobId]) }, ({ jobs }) => {
    entry ??= jobs.find(({ job }) => job.id === jobId) ?? null;
  });
  if (entry === null) throw new Error(`job ${jobId} has left the queue; mgpu-sacct may know it`);
  return { entry, nowMs: now };
}

/** Why it waits or how it went, then its record as scontrol shows it. */
async function detailText(peer: Peer, jobId: number, utcOffset: (atMs: number) => number): Promise<string> {
  const { entry, nowMs } = await recordOf(peer, jobId);
  const { job, row } = entry;
  const time = { nowMs, utcOffset };
  const label = jobLabel(job);
  const record = `Record\n  ${recordText(jobRecord(entry, true, time), false).trim()}\n`;
  if (job.state !== "PENDING") {
    const lines = startedLines(job, row, label, time).map((text) => `  ${text}\n`);
    return `${isEnded(job) ? "How it ended" : "How it goes"}\n${lines.join("")}${record}`;
  }
  const { explanation } = await peer.call("job.explain", { jobId, taskId: null });
  const why = explanation ? waitingText(explanation, time) : `  ${row.reasonText}\n`;
  const tree = (await dependencyLines(peer, job)).map((text) => `  ${text}\n`).join("");
  const depends = tree === "" ? "" : `Depends on\n${tree}`;
  return `Why it waits: ${explanation?.reason ?? row.reason}\n${why}${depends}${record}`;
}

async function act(peer: Peer, deed: Deed): Promise<string> {
  const { action, jobIds, node, target } = deed;
  if (action.type === "drain" || action.type === "resume") {
    const changes =
      action.type === "drain" ? { state: "DRAIN" as const, reason: action.reason } : { state: "RESUME" as const };
    await peer.call("cluster.change", { change: { type: "nodes.update", nodes: [node], changes } });
    return `${target}: ${action.type === "drain" ? "drained" : "resumed"}`;
  }
  const filter = filterFor(jobIds);
  const answer =
    action.type === "cancel"
      ? await peer.call("jobs.cancel", { filter, stepId: null, signal: action.signal, cause: "" })
      : await peer.call("jobs.steer", { filter, action: steerAction(action) });
  return resultText(answer, target, action.type);
}

type JobAction = Exclude<Action, { type: "cancel" | "drain" | "resume" }>;

function steerAction(action: JobAction): Params<"jobs.steer">["action"] {
  switch (action.type) {
    case "hold":
      return { type: "hold", by: "user" };
    case "release":
      return { type: "release" };
    case "requeue":
      return { type: "requeue", hold: false };
    case "nice":
      return { type: "update", changes: { nice: action.value } };
    case "limit":
      return { type: "update", changes: { timeLimitS: action.value } };
  }
}

const DONE: Readonly<Record<JobAction["type"] | "cancel", string>> = {
  cancel: "told to end",
  hold: "held",
  release: "released",
  requeue: "requeued",
  nice: "changed",
  limit: "changed",
};

/** @throws Error with what was refused, and how many were not */
function resultText({ jobs }: Result<"jobs.steer">, target: string, type: keyof typeof DONE): string {
  const refused = jobs.flatMap(({ error, label, jobId }) => (error ? [`${label ?? jobId}: ${error.message}`] : []));
  if (refused.length === 0) return `${target}: ${DONE[type]}`;
  const others = jobs.length - refused.length;
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : "";
  throw new Error(`${refused[0]}${more}${others > 0 ? `; ${others} ${DONE[type]}` : ""}`);
}
