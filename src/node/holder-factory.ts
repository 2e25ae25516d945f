/**
 * How the agent comes by holders and follows batch scripts: ports, with real ones in holders.ts and in the holder's
 * own folder, and virtual ones in simulations.
 */

import type { StepKey } from "../core/ids.ts";
import type { BatchExit } from "./holder/batch-spool.ts";
import type { HolderPort } from "./holder-port.ts";

/** A user as whom steps run. */
export interface Runner {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** A user of this machine, with what a login would set. */
export interface RunnerAccount extends Runner {
  /** All groups. */
  readonly groups: readonly number[];
  readonly home: string;
  readonly shell: string;
}

/** What root's node daemon does for users: each has a holder, with the user's rights, in which all of the user's steps run. */
export interface OtherUsers {
  /** As whom a job's submitter runs on this machine. Rejects with a sentence if that is nobody. */
  resolve(submitter: Runner): Promise<RunnerAccount>;
  shared(user: Runner): Promise<HolderPort>;
  forPty(user: Runner, key: StepKey): Promise<HolderPort>;
  /** Where a holder of that user keeps what a batch script needs. */
  batchFolder(user: Runner, key: StepKey): string;
  /** Removes that folder, with the user's rights. Never rejects. */
  removeBatch(user: Runner, key: StepKey): Promise<void>;
}

export interface HolderFactory {
  /** Where the shared holder listens, running or not. */
  readonly sharedSocket: string;
  /** The shared holder: the living one, else a new one. Rejects, in words, if none can be started. */
  shared(): Promise<HolderPort>;
  /** The holder of one step with a terminal, listening at `socket`: the living one, else a new one. */
  forPty(key: StepKey, socket: string): Promise<HolderPort>;
  /** Where steps may run as others than the daemon's own user, which root's may; absent elsewhere. */
  readonly others?: OtherUsers;
  /** Holders that outlived an earlier daemon. Called once, before all else. */
  adopt(): Promise<readonly HolderPort[]>;
  /** Asks holders in which nothing runs to end, output that nobody reads or not. */
  shutdownIdle(): Promise<void>;
}

/** Looks at a batch script's spool folder, without its holder: `readBatchExit`, or a virtual one. */
export type FollowBatch = (spoolFolder: string) => Promise<BatchExit>;
