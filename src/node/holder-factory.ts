/**
 * How the agent comes by holders and follows batch scripts: ports, with real ones in holders.ts and in the holder's
 * own folder, and virtual ones in simulations.
 */

import type { StepKey } from "../core/ids.ts";
import type { ExitStatus } from "../core/job.ts";
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
  /** Asks holders in which nothing runs to end. */
  shutdownIdle(): Promise<void>;
}

/** Where a batch script stands by the files in its folder, when its holder is gone. */
export type BatchState =
  | { readonly phase: "running" }
  | { readonly exit: ExitStatus }
  /** It neither runs nor left an exit status; why, in words. */
  | { readonly lost: string };

/** Looks at a batch script's spool folder. */
export type FollowBatch = (spoolFolder: string) => Promise<BatchState>;
