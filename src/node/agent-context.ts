/** What the parts of the agent share. Made once by agent.ts. */

import type { StepKey } from "../core/ids.ts";
import type { Clock } from "../platform/clock.ts";
import type { HostCpu } from "../platform/cpu-topology.ts";
import type { Log } from "../platform/log.ts";
import type { ClosedStarts } from "./closed-starts.ts";
import type { GpuLoads } from "./gpu-loads.ts";
import type { GpuWatch } from "./gpu-watch.ts";
import type { HolderCrew } from "./holder-crew.ts";
import type { FollowBatch, Runner } from "./holder-factory.ts";
import type { MemoryLimits } from "./memory-limits.ts";
import type { StepProcesses } from "./orphan-memory.ts";
import type { ReportQueue } from "./report-queue.ts";
import type { Spool } from "./spool.ts";
import type { LaunchRecord } from "./spool-records.ts";
import type { StepTable } from "./step-table.ts";

export interface AgentContext {
  readonly clock: Clock;
  readonly log: Log;
  /** Of this node. */
  readonly name: string;
  /** Whose daemon this is; `null` where that does not matter. */
  readonly user: Runner | null;
  /** Path of the controller's socket where that is on this machine; else empty. */
  readonly controller: string;
  readonly spool: Spool;
  readonly reports: ReportQueue;
  readonly steps: StepTable;
  readonly holders: HolderCrew;
  readonly closed: ClosedStarts;
  readonly gpuWatch: GpuWatch;
  readonly gpuLoads: GpuLoads;
  readonly followBatch: FollowBatch;
  /** Names of the steps (JOB.ATTEMPT.STEP) of which processes live on this node. */
  readonly survivors: () => readonly string[];
  /** Starts (JOB.ATTEMPT) of which only processes are left: no record speaks of them. */
  readonly strays: Set<string>;
  /** The processes of this node's steps; without them batch scripts without a holder have no memory limit. */
  readonly processes: StepProcesses | null;
  readonly memory: MemoryLimits;
  /** CPUs that steps can be bound to. */
  readonly cpus: () => readonly HostCpu[];
  /** Whether something of that path is on this machine. */
  readonly exists: (path: string) => boolean;
  /** When this daemon started, milliseconds since 1970. */
  readonly startedAt: number;
  /** The machine's present boot. */
  readonly bootId: string;
  /** Between TERM and KILL, as the controller says. */
  killWaitMs: number;
  /** Who found the GPUs, when last asked. */
  gpuProvider: string;
  /** MiB of each GPU by UUID, when last asked. */
  gpuMemory: ReadonlyMap<string, number>;
  /** CPUs near each GPU by UUID, when last asked. */
  gpuCpus: ReadonlyMap<string, readonly number[]>;
  /** The daemon is ending: nothing new is begun, and nothing that runs is touched. */
  stopped: boolean;
}

/** Pause before something that failed is tried again, in milliseconds. */
export const RETRY_MS = 1000;

/** Where a batch script's files are: among the records of its step, or with its user. */
export function batchFolderOf({ spool, holders }: AgentContext, { key, user }: LaunchRecord): string {
  return (user && holders.others?.batchFolder(user, key)) ?? spool.folderOf(key);
}

/** Fields by which the log tells one step from others. */
export function logFields(key: StepKey): { jobId: number; attempt: number; step: StepKey["stepId"] } {
  return { jobId: key.jobId, attempt: key.attempt, step: key.stepId };
}
