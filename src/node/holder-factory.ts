/**
 * How the agent comes by holders and follows batch scripts: ports, with real ones in holders.ts and in the holder's
 * own folder, and virtual ones in simulations.
 */

import type { StepKey } from "../core/ids.ts";
import type { BatchExit } from "./holder/batch-spool.ts";
import type { HolderPort } from "./holder-port.ts";

export interface HolderFactory {
  /** Where the shared holder listens, running or not. */
  readonly sharedSocket: string;
  /** The shared holder: the living one, else a new one. Rejects, in words, if none can be started. */
  shared(): Promise<HolderPort>;
  /** The holder of one step with a terminal, listening at `socket`: the living one, else a new one. */
  forPty(key: StepKey, socket: string): Promise<HolderPort>;
  /** Holders that outlived an earlier daemon. Called once, before all else. */
  adopt(): Promise<readonly HolderPort[]>;
  /** Asks holders in which nothing runs to end, output that nobody reads or not. */
  shutdownIdle(): Promise<void>;
}

/** Looks at a batch script's spool folder, without its holder: `readBatchExit`, or a virtual one. */
export type FollowBatch = (spoolFolder: string) => Promise<BatchExit>;
