/** What the node agent needs of a holder: a real one over its socket, or a virtual one in simulations. */

import type { StepKey } from "../core/ids.ts";
import type { HolderStep, StepLaunch, TerminateDetails } from "../protocol/holder.ts";
import type { Result } from "../protocol/procedures.ts";

export interface HolderPort {
  /** Where clients attach, and who it is. */
  readonly identity: {
    readonly socket: string;
    readonly pid: number;
    readonly version: string;
    readonly startedAt: number;
  };
  /** The uid as which it runs, where that is not the daemon's: it is believed about that user's steps only. */
  readonly owner?: number;
  /** Kills a user's that does not do what it is told, and counts it as gone. */
  kill?(): void;
  /** Starts a step's tasks; a step known already is returned as it stands. A start that fails is an ended step. */
  launch(step: StepLaunch): Promise<HolderStep>;
  /** Lets tasks go on that wait for their control group. */
  go(key: StepKey): Promise<void>;
  signal(key: StepKey, signal: number, tree: boolean): Promise<void>;
  /** Says something in a step's output, or a batch script's (`spool`); false where there is none that could take it. */
  notify(key: StepKey, message: string, spool: string | null): Promise<boolean>;
  /** Ends every process of a job; resolves when none is left. */
  terminate(jobId: number, attempt: number, killWaitMs: number, details?: TerminateDetails): Promise<void>;
  /** Ends every process of one step; resolves when none is left. */
  terminateStep(key: StepKey, killWaitMs: number, details?: TerminateDetails): Promise<void>;
  /** Lets go of an ended step whose status was reported. */
  forget(key: StepKey): Promise<void>;
  /** What the running steps of a job used so far, and their processes. */
  usage(jobId: number, attempt: number): Promise<Result<"holder.usage">["steps"]>;
  /** Everything it runs or still remembers. */
  status(): Promise<readonly HolderStep[]>;
  /** Called on each change of a step's phase. Set once. */
  onChange(callback: (step: HolderStep) => void): void;
  /** Called once when the holder is gone; its pipes and PTYs are gone with it, batch scripts are not. */
  onGone(callback: () => void): void;
}
