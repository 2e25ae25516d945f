/**
 * The single writer. Commands go through the kernel one by one; their events are written in batches; answers and
 * effects leave only after the batch that holds their events is on disk.
 *
 *   execute(command) -> kernel.step -> state moves on at once, records join the open batch
 *   flush            -> one append (write + fdatasync) for all that came meanwhile -> answers, effects
 *
 * Naive would be one fsync a command (a few hundred a second). While one batch is being written, the next fills up.
 *
 * When the disk refuses a batch, everything that is not on disk is forgotten: its commands are answered with STORAGE,
 * the state is read again from disk, and connected nodes are told to start over (`onReloaded`). So memory and disk
 * never disagree, and nothing acknowledged is lost. Until a write succeeds again only reading is possible.
 */

import type { Command } from "../core/commands.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { Effect } from "../core/effects.ts";
import type { JournalRecord } from "../core/events.ts";
import { type Outcome, step } from "../core/kernel.ts";
import type { ClusterState } from "../core/state.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { RpcError } from "../protocol/errors.ts";
import type { OpenedStore } from "./store/store.ts";

export interface Loop {
  /** The newest state, the open batch included. Read only. Another object after a reload. */
  readonly state: ClusterState;
  /** Why nothing can be written right now; empty when all is well. */
  readonly problem: string;
  /** Carries out one command; the answer comes once it is durable. Rejects with STORAGE if it can't be. */
  execute(command: Command): Promise<Decision>;
  /** Waits for the open batch, then closes the store. */
  close(): Promise<void>;
}

export interface LoopPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Carries out effects; must not throw. */
  perform(effects: readonly Effect[]): void;
  /** The state was read again from disk: whatever was told to others before may be untrue. */
  onReloaded(): void;
}

interface Waiting {
  readonly decision: Decision;
  resolve(decision: Decision): void;
  reject(error: RpcError): void;
}

interface Batch {
  readonly records: JournalRecord[];
  readonly effects: Effect[];
  readonly waiting: Waiting[];
}

/** Starts the loop on an opened store. */
export function createLoop({ store, state: initial }: OpenedStore, ports: LoopPorts): Loop {
  let state = initial;
  let batch = emptyBatch();
  let flushing: Promise<void> | null = null;
  let mending: Promise<void> | null = null;
  let problem = "";
  let lastAt = 0;

  /** Times in the journal never go back, even if the machine's clock does. */
  const nextTime = (): number => {
    lastAt = Math.max(lastAt, ports.clock.now());
    return lastAt;
  };

  const execute = (command: Command): Promise<Decision> => {
    if (problem) return mend().then(() => execute(command));
    let outcome: Outcome;
    try {
      outcome = step(state, command, nextTime());
    } catch (error) {
      return refuseBroken(command, error as Error);
    }
    batch.records.push(...outcome.records);
    batch.effects.push(...outcome.effects);
    return new Promise((resolve, reject) => {
      batch.waiting.push({ decision: outcome.decision, resolve, reject });
      flushing ??= flush();
    });
  };

  /** A broken assertion may leave the state half changed: the next command reads it again from disk first. */
  const refuseBroken = (command: Command, error: Error): Promise<never> => {
    problem = "an internal error; the state is read again from disk";
    ports.log.error("a command broke an assertion", { command: command.type, error: error.stack ?? error.message });
    return Promise.reject(new RpcError("INTERNAL", `${command.type} failed inside the controller`, "see its log"));
  };

  const flush = async (): Promise<void> => {
    // One turn of patience: commands that arrived together share a batch.
    await Promise.resolve();
    while (batch.waiting.length > 0) {
      const full = batch;
      batch = emptyBatch();
      try {
        if (full.records.length > 0) await store.append(full.records);
      } catch (error) {
        await startOver(error as NodeJS.ErrnoException, [...full.waiting, ...batch.waiting]);
        continue;
      }
      release(full, ports);
    }
    flushing = null;
  };

  const startOver = async (error: NodeJS.ErrnoException, lost: readonly Waiting[]): Promise<void> => {
    problem = `the state folder can't be written: ${error.message}`;
    ports.log.error("a write failed; going on from what is on disk", { error: error.message, refused: lost.length });
    batch = emptyBatch();
    await reload().catch((reason: unknown) => ports.log.error("the state can't be read", { error: String(reason) }));
    for (const one of lost) one.reject(storageError(problem));
  };

  const reload = async (): Promise<void> => {
    state = await store.reload();
    ports.onReloaded();
  };

  /** Before the next command after trouble: can the disk be written again? Concurrent callers share one try. */
  const mend = (): Promise<void> => {
    mending ??= (async () => {
      try {
        await flushing;
        await reload();
        await store.probe();
        ports.log.info("the state folder can be written again");
        problem = "";
      } catch (error) {
        throw storageError(`the state folder can't be written: ${(error as Error).message}`);
      } finally {
        mending = null;
      }
    })();
    return mending;
  };

  return {
    get state() {
      return state;
    },
    get problem() {
      return problem;
    },
    execute,
    async close() {
      await flushing;
      await store.close();
    },
  };
}

function release(batch: Batch, ports: LoopPorts): void {
  ports.perform(batch.effects);
  for (const { decision, resolve } of batch.waiting) resolve(decision);
}

function emptyBatch(): Batch {
  return { records: [], effects: [], waiting: [] };
}

function storageError(message: string): RpcError {
  return new RpcError("STORAGE", message, "nothing acknowledged is lost; free space or mend the folder, then try again");
}
