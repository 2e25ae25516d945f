/** sbatch --wait: waits for a job's end, of all tasks of an array, and says which exit code that means. */

import { sleep } from "../platform/clock.ts";
import { RpcError } from "../protocol/errors.ts";
import type { JobRow } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";
import { LIVE_STATES } from "../view/job-states.ts";
import { type CommandContext, UserError } from "./context.ts";
import { jobFilter } from "./filters.ts";

/** What is looked at of each job. */
type End = Pick<JobRow, "id" | "state" | "exitCode" | "exitSignal"> & { readonly reasonText?: string };

const FIELDS = ["id", "state", "exitCode", "exitSignal"] as const;

/** Between two looks at an array: each costs the controller little, and finished tasks stay to be seen for minutes. */
const POLL_MS_MIN = 100;
const POLL_MS_MAX = 2000;
const POLL_GROWTH = 1.5;

/** How long a controller may be away: longer than its restart or a reboot of its machine takes. */
const AWAY_MS_MAX = 600_000;
const RETRY_MS = 1000;

/** What is waited for. */
export interface Awaited {
  readonly jobId: number;
  /** Jobs besides, which are waited for as if all were tasks of one array. */
  readonly others?: readonly number[];
  readonly isArray: boolean;
  /** Hears of each job and task that is looked at; `null` if nobody wants to. */
  readonly progress: { see(row: End): void } | null;
}

/**
 * Waits, through restarts of the controller.
 * @returns the job's exit code, the highest of an array's tasks; 1 for one that was ended by a signal or otherwise
 * @throws UserError if the controller stays away
 */
export async function awaitEnd(
  context: CommandContext,
  peer: Peer,
  { jobId, others = [], isArray, progress }: Awaited,
): Promise<number> {
  const ends = new Map<number, number>();
  const look = isArray ? pollArray : watchJob;
  let current: Peer | null = peer;
  let awaySince: number | null = null;
  for (;;) {
    try {
      current ??= (await context.connect({ start: false })).peer;
      await look({ clock: context.clock, peer: current, jobId, others }, (row) => {
        awaySince = null;
        progress?.see(row);
        return note(row, ends);
      });
      return Math.max(0, ...ends.values());
    } catch (error) {
      if (!isAway(error)) throw error;
      awaySince ??= context.clock.monotonic();
      if (context.clock.monotonic() - awaySince > AWAY_MS_MAX) throw stillAway(jobId, error);
      current?.close();
      current = null;
      await sleep(context.clock, RETRY_MS);
    }
  }
}

/** Where to look for what. */
interface Look {
  readonly clock: CommandContext["clock"];
  readonly peer: Peer;
  readonly jobId: number;
  readonly others: readonly number[];
}

/** Takes what was seen of a job; true if it has not ended. */
type See = (row: End) => boolean;

/** Watches one job until it is over and cleared. */
async function watchJob({ peer, jobId }: Look, see: See): Promise<void> {
  await peer.stream("job.watch", { jobId, owner: false }, ({ row }) => void see(row));
}

/** Looks again and again until no task of an array is left. Tasks that have left the queue's memory were seen before. */
async function pollArray({ clock, peer, jobId, others }: Look, see: See): Promise<void> {
  for (let waitMs = POLL_MS_MIN; ; waitMs = Math.min(waitMs * POLL_GROWTH, POLL_MS_MAX)) {
    let open = 0;
    await peer.stream(
      "jobs.list",
      { filter: jobFilter({ ids: [jobId, ...others] }), fields: [...FIELDS] },
      ({ rows }) => {
        for (const values of rows) open += see(rowOf(values)) ? 1 : 0;
      },
    );
    if (open === 0) return;
    await sleep(clock, waitMs);
  }
}

function rowOf(values: readonly unknown[]): End {
  return Object.fromEntries(FIELDS.map((field, index) => [field, values[index]])) as unknown as End;
}

/** Keeps how a job ended; true if it has not. */
function note({ id, state, exitCode, exitSignal }: End, ends: Map<number, number>): boolean {
  if (LIVE_STATES.includes(state)) return true;
  const code = exitSignal === 0 ? exitCode : 1;
  ends.set(id, state === "COMPLETED" ? code : Math.max(code, 1));
  return false;
}

function isAway(error: unknown): boolean {
  if (error instanceof UserError) return true;
  return error instanceof RpcError && ["LOST_CONTACT", "DEADLINE", "SHUTTING_DOWN"].includes(error.code);
}

function stillAway(jobId: number, error: unknown): UserError {
  const message = error instanceof Error ? error.message : String(error);
  return new UserError(`job ${jobId} goes on, but it can't be waited for: ${message}`);
}
