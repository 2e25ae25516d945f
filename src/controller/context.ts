/** What handlers may use. Made once in main.ts. */

import type { Places } from "../config/places.ts";
import type { Settings } from "../config/settings.ts";
import type { Command } from "../core/commands.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { Effect } from "../core/effects.ts";
import type { EndedJob, Job, Step } from "../core/job.ts";
import type { User } from "../core/jobspec.ts";
import type { Operator } from "../core/node.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Mailer } from "../platform/mailer.ts";
import { RpcError } from "../protocol/errors.ts";
import type { AttachPoint, JobRow } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";
import type { Reason } from "../sched/plan.ts";
import type { JobRowExtra } from "../view/job-row.ts";
import type { Ending as JobEnding } from "./breaker.ts";
import type { ElasticCrew } from "./elastic/crew.ts";
import type { Ending } from "./ending.ts";
import type { GpuGuard } from "./gpu-guard.ts";
import type { Loop } from "./loop.ts";
import type { Owners } from "./owners.ts";
import type { QueueOrder } from "./planner.ts";
import type { Submitted } from "./program-guard.ts";
import type { Sessions } from "./sessions.ts";
import type { Statistics } from "./statistics.ts";
import type { FinishedQuery } from "./store/accounting.ts";
import type { Blobs } from "./store/blobs.ts";
import type { Watchers } from "./watchers.ts";

/** Users and groups by name or number; `null` for one that there is not. Rejects, in words, if nobody can say. */
export interface People {
  findUser(name: string): Promise<User | null>;
  findGroup(name: string): Promise<number | null>;
}

export interface ControllerContext extends Ending {
  readonly loop: Loop;
  readonly sessions: Sessions;
  /** GPUs that processes of others load. */
  readonly guard: GpuGuard;
  /** What decides on the order of waiting jobs of equal priority. */
  readonly order: QueueOrder;
  readonly watchers: Watchers;
  readonly owners: Owners;
  readonly statistics: Statistics;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly mailer: Mailer;
  readonly settings: Settings;
  readonly places: Places;
  readonly identity: {
    readonly pid: number;
    readonly user: Operator;
    readonly version: string;
    readonly startedAt: number;
  };
  /** The users and groups of this machine; `null` where they can't be asked for. */
  readonly people: People | null;
  /** What keeps machines coming that other batch systems lend; `null` where none can be asked. */
  readonly elastic: { crew: ElasticCrew | null };
  /** Whether other machines can connect. */
  listens(): boolean;
  /** Root's, for its users: a folder that they can't pass on their way, empty for none; `null` where only one is served. */
  readonly serves: { closed: string | null };
  /** Why a job waits. */
  reasonOf(job: Job): Reason;
  /** What rows tell of a job beyond its record. */
  factsOf(job: Job): Required<JobRowExtra>;
  /** A job as listings show it. */
  rowOf(job: Job): JobRow;
  /** Where a job's running steps can be attached. */
  attachPoints(job: Job, steps: readonly Step[]): AttachPoint[];
  /** Whether a node's daemon is connected. */
  isConnected(node: string): boolean;
  /** Connections to the holders of a node of this machine, made without its daemon; close them. Never rejects. */
  holdersOf(node: string): Promise<Peer[]>;
  /** @throws RpcError PERMISSION where one of these may not run (security.allowed_script_paths) */
  checkPrograms(...submitted: readonly Submitted[]): Promise<void>;
  perform(effects: readonly Effect[]): void;
  /** A job's main part ended on a node, and that counted. */
  noteEnding(ending: JobEnding): void;
  /** Why other machines can't reach us although they should; empty otherwise. */
  outsideProblem(): string;
  /** Nodes that should connect soon: they count as down if they don't. */
  missNodes(nodes: readonly string[]): void;
  /** Jobs that left the hot state, see store/accounting.ts. */
  readFinished(query: FinishedQuery, onDamage: () => void): AsyncGenerator<EndedJob[]>;
  /** What damage the state folder had, in sentences that stay until somebody deletes their file. */
  damage(): Promise<readonly string[]>;
  /** The next controller starts with settings of its own. Never rejects. */
  forgetSettings(): Promise<void>;
}

/** Carries out a user's command; a denial becomes the error of the call. */
export async function executeOrThrow(context: ControllerContext, command: Command): Promise<Decision> {
  const decision = await context.loop.execute(command);
  if (decision.kind === "deny") {
    const { code, message, hint } = decision.denial;
    throw new RpcError(code, message, hint);
  }
  return decision;
}
