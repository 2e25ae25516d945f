/** What a session needs to know of the job that it follows. */

import type { StepId } from "../../core/ids.ts";
import type { InterruptMode } from "./interrupt.ts";
import type { LastTasksPlan } from "./last-tasks.ts";
import type { SilencePlan } from "./silence.ts";
import type { TerminalPlan } from "./terminal-view.ts";

export interface SessionPlan {
  readonly jobId: number;
  /** The step within the job that is followed; `null` for a job of our own, whose step 0 it is. */
  readonly stepId: StepId | null;
  /** More components of a heterogeneous job that have a part in it; each by its own number. */
  readonly otherJobIds?: readonly number[];
  /** `null` where only the job's nodes will tell. */
  readonly tasks: number | null;
  readonly label: boolean;
  /** How the task's terminal is seen; null without one. */
  readonly terminal: TerminalPlan | null;
  /** When the user hears that the job is alive and quiet; `null` for never. */
  readonly silence: SilencePlan | null;
  /** Whether the user is told some time before the job's time is over. */
  readonly warnsBeforeEnd: boolean;
  /** Whether this client is the one without whom the job (or step) may be of no use. */
  readonly ownsJob: boolean;
  /** What SIGHUP and SIGTERM do to a client whose task has a terminal: it turns away, or they are the task's. */
  readonly onDisconnect: "detach" | "kill";
  /** The first task's stderr comes here, with what its holder has to say. */
  readonly isReasonStreamed: boolean;
  /** Who gets our input: all tasks, one of them, or nobody. */
  readonly input: "all" | number | null;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** What ends the step when tasks end: --kill-on-bad-exit, --wait. */
  readonly lastTasks: LastTasksPlan;
  /** What Ctrl-C does first. */
  readonly interrupt: InterruptMode;
  /** Seconds within which the job must have its resources; `null` for as long as it takes. */
  readonly immediateS: number | null;
}
