/** The procedures that tell of changes, for screens and for those who wait: Slurm is asked again and again, politely. */

import { RpcError } from "../../protocol/errors.ts";
import type { JobListRow, NodeRow } from "../../protocol/procedures.ts";
import type { Handlers } from "../../rpc/types.ts";
import { LIVE_STATES } from "../../view/job-states.ts";
import type { SlurmJob } from "./jobs.ts";
import { attachPointOf, hasSessions, sessionOf, sessionsIn } from "./sessions.ts";
import type { Slurm } from "./slurm.ts";

/** Rows of one message: a chunk that a screen draws in one go. */
const ROWS_MAX = 500;

type Watchers = Pick<Handlers<"controller">, "jobs.watch" | "nodes.watch" | "job.watch">;

/** How often a watcher looks whether the kept answer is a new one, milliseconds. Slurm is asked no more often for that. */
const LOOK_MS = 500;

/** The same for the file of a session that is about to begin. */
const SESSION_LOOK_MS = 100;

/** The procedures that last. */
export function watchers(slurm: Slurm): Watchers {
  return {
    async "jobs.watch"({ fields }, sink, { signal }) {
      const known = new Map<number, string>();
      let isFirst = true;
      await onEach(
        slurm,
        () => slurm.jobs(),
        signal,
        async (jobs) => {
          const changed = jobs.flatMap((one) => {
            const values = fields.map((field) => (one.row as JobListRow)[field]);
            const text = JSON.stringify(values);
            if (known.get(one.job.id) === text) return [];
            known.set(one.job.id, text);
            return [values];
          });
          const present = new Set(jobs.map(({ job }) => job.id));
          const gone = [...known.keys()].filter((id) => !present.has(id));
          for (const id of gone) known.delete(id);
          const now = slurm.ports.clock.now();
          for (let from = 0; from < Math.max(1, changed.length); from += ROWS_MAX) {
            const rows = changed.slice(from, from + ROWS_MAX);
            const isPartial = from + ROWS_MAX < changed.length;
            await sink.send({ isReset: isFirst && from === 0, isPartial, rows, gone: isPartial ? [] : gone, now });
          }
          isFirst = false;
        },
      );
      return {};
    },
    async "nodes.watch"(_params, sink, { signal }) {
      const known = new Map<string, string>();
      let isFirst = true;
      await onEach(
        slurm,
        () => slurm.nodes(),
        signal,
        async (nodes) => {
          const changed = nodes.filter((node) => isNews(known, node));
          const gone = [...known.keys()].filter((name) => !nodes.some((node) => node.name === name));
          for (const name of gone) known.delete(name);
          await sink.send({ isReset: isFirst, nodes: changed, gone, now: slurm.ports.clock.now() });
          isFirst = false;
        },
      );
      return {};
    },
    "job.watch": jobWatcher(slurm),
  };
}

/** Of one job, until it is over; with the way to its session, as soon as there is one. */
function jobWatcher(slurm: Slurm): Watchers["job.watch"] {
  return async ({ jobId, stepId = null }, sink, { signal }) => {
    let isFirst = true;
    let last = "";
    let attached: string | null = null;
    const isIt = ({ job }: SlurmJob): boolean => job.id === jobId;
    const take = async (jobs: readonly SlurmJob[]): Promise<boolean> => {
      const found = jobs.find(isIt) ?? jobs.find(({ job }) => job.array?.jobId === jobId);
      if (!found && last === "" && isFirst) {
        // It may be younger than what is kept.
        isFirst = false;
        slurm.changed();
        return true;
      }
      if (!found && last === "") throw new RpcError("INVALID_JOB", "Invalid job id specified");
      if (!found) throw forgotten(jobId);
      const session = attached === null ? sessionOf(sessionsIn(slurm.ports), found, stepId) : undefined;
      // What is kept may be older than the session.
      if (session && found.row.state === "PENDING") slurm.changed();
      const attach = session && found.row.state !== "PENDING" ? [attachPointOf(session, slurm.ports)] : [];
      if (attach.length > 0) attached = session?.path ?? null;
      const row = session?.order.isOwnJob ? { ...found.row, tasks: 1 } : found.row;
      const text = JSON.stringify(found.row);
      const isOver = !LIVE_STATES.includes(found.row.state);
      if (text !== last || attach.length > 0) await sink.send({ row, step: null, attach, final: isOver });
      last = text;
      return !isOver;
    };
    await onEach(
      slurm,
      () => slurm.jobs(),
      signal,
      take,
      () => attached === null && hasSessions(slurm.ports),
    );
    return {};
  };
}

/** How it ended nobody saw: its last row would be taken for its end. */
function forgotten(jobId: number): RpcError {
  const text = `job ${jobId} left Slurm's queue between two looks: how it ended is not known here`;
  return new RpcError("INVALID_JOB", text, `mgpu-sacct -j ${jobId} tells it, where Slurm keeps accounts`);
}

function isNews(known: Map<string, string>, node: NodeRow): boolean {
  const text = JSON.stringify({ ...node, vitals: { ...node.vitals, now: 0 } });
  if (known.get(node.name) === text) return false;
  known.set(node.name, text);
  return true;
}

/**
 * Hands over each new answer until it is stopped, or `take` says that it has seen enough. Where something besides is awaited,
 * which costs Slurm nothing, it is looked for more often.
 */
async function onEach<T>(
  slurm: Slurm,
  ask: () => Promise<T>,
  signal: AbortSignal,
  take: (answer: T) => Promise<unknown>,
  isAwaited: () => boolean = () => false,
): Promise<void> {
  let last: T | undefined;
  while (!signal.aborted) {
    const answer = await ask();
    if ((answer !== last || isAwaited()) && (await take(answer)) === false) return;
    last = answer;
    await pause(slurm, signal, isAwaited() ? SESSION_LOOK_MS : LOOK_MS);
  }
}

function pause({ ports: { clock } }: Slurm, signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const cancel = clock.after(ms, wake);
    signal.addEventListener("abort", wake);
  });
}
