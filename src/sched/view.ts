/** What a pass of the scheduler looks at. */

import type { NodeName } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import type { Queue } from "../core/lanes.ts";
import type { Node } from "../core/node.ts";
import type { Holding, HoldingBook } from "./book.ts";
import type { Gate } from "./eligible.ts";
import type { Kept } from "./kept.ts";
import type { PassMemory } from "./memory.ts";
import type { Places } from "./places.ts";
import type { Preempting } from "./preempt.ts";

export interface ScheduleView {
  /** Waiting jobs, the most important first. Read as far as needed. */
  readonly pending: Iterable<PendingJob> & Partial<Queue>;
  /** All of them that may end without starting, wherever they stand (deadline, --kill-on-invalid-dep). */
  readonly expiring: Iterable<PendingJob>;
  /** All nodes of the cluster. */
  readonly nodes: readonly Node[];
  /** Whether a node's daemon is connected. */
  readonly isConnected: (node: NodeName) => boolean;
  readonly gate: Gate;
  /** Where jobs may go; anywhere if absent. */
  readonly places?: Places;
  /** Where they may go later, and the times at which that changes by itself; as now if absent. */
  readonly later?: { readonly placesAt: (at: number) => Places; readonly times: readonly number[] };
  /** What is in use, and until when; read only when a job is blocked. What is not told of never ends. */
  readonly holdings?: HoldingBook | Iterable<Holding>;
  /** What other passes have found out; no other pass with it may be under way. */
  readonly memory?: PassMemory | undefined;
  /** Running jobs that others may have the room of; none if absent. */
  readonly preemption?: Preempting | undefined;
  /** What the pass before promised, of jobs that may still start; nothing if absent. */
  readonly kept?: Iterable<Kept>;
  /** How many there are of each license; needed only where holdings or jobs have any. */
  readonly licenses?: ReadonlyMap<string, number>;
}
