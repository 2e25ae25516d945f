/**
 * Elastic nodes: machines that another batch system lends for a while. A queue says what an allocation there looks like and
 * how many there may be; each allocation is a job of that system in which a node daemon runs, under a name of its own that
 * never comes back.
 */

import type { NodeName } from "../ids.ts";
import type { NodeMark, Operator } from "../node.ts";
import type { Gpu } from "../resources.ts";

/** Batch systems that lend machines. */
export const MANAGERS = ["slurm"] as const;

export type Manager = (typeof MANAGERS)[number];

/** What one allocation has: what it is asked for with, and what its node will offer. */
export interface AllocationShape {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** As sbatch takes them behind `--gres=gpu:`, `4` or `a100:4`; empty for none. */
  readonly gpus: string;
  readonly timeS: number;
}

/** How many allocations there may be, and how fast they come and go. */
export interface ElasticLimits {
  /** At once, waiting and running. */
  readonly max: number;
  /** At once that wait there. */
  readonly backlog: number;
  /** Seconds between two submissions. */
  readonly minBetweenS: number;
  /** Seconds without a job after which a node leaves. */
  readonly idleS: number;
}

/** Where the batch system's commands are looked for before the controller's own PATH, and variables for them. */
export interface ManagerPlace {
  readonly path?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

export interface ElasticQueue {
  readonly id: number;
  readonly manager: Manager;
  readonly by: Operator;
  /** Milliseconds since 1970, as all times here. */
  readonly since: number;
  readonly shape: AllocationShape;
  readonly limits: ElasticLimits;
  /** Options of its own for the batch system's submission, as they were typed. */
  readonly args: readonly string[];
  readonly place: ManagerPlace;
  /** Allocations so far: their nodes' names are counted by it. */
  readonly submitted: number;
  /** Of the last one; 0 for none. */
  readonly submittedAt: number;
  /** No new allocations come while it is paused; those there are go on. */
  readonly pause: NodeMark | null;
  /** Submissions, or allocations of which no node came, that failed one after the other. */
  readonly failures: number;
  /** Nothing is submitted before. */
  readonly retryAt: number;
  /** What the last of those failures was; empty for none. */
  readonly problem: string;
  /** It goes as soon as its allocations are over. */
  readonly isLeaving?: true;
  /** GPUs that a node of it had, which tells more than the shape. */
  readonly seenGpus?: readonly Gpu[];
  /** What happened, the newest last: at most {@link NOTES_MAX}. */
  readonly notes: readonly ElasticNote[];
}

export interface ElasticNote {
  readonly at: number;
  readonly text: string;
}

/** An allocation, by the name of its node. */
export interface ElasticNode {
  readonly node: NodeName;
  readonly queueId: number;
  readonly orderedAt: number;
  /** Its job's number there; empty until that is known. */
  readonly outerId: string;
  /** `ordered`: it may or may not be known there; `waiting` and `running` there. */
  readonly phase: "ordered" | "waiting" | "running";
  /** Why it waits there, in that system's words; empty where it runs. */
  readonly why: string;
  /** Where it runs, its machine's name there; empty before. */
  readonly host: string;
  /** When it ends at the latest; `null` until that is known. Nothing is placed there that may take longer. */
  readonly endsAt: number | null;
  /** When its node joined first; `null` before. */
  readonly joinedAt: number | null;
  /** It was told to end, and why. */
  readonly leaving?: string;
}

/** Notes of a queue that are kept. */
export const NOTES_MAX = 100;

/** Queues at once: each costs the batch system a question now and then. */
export const QUEUES_MAX = 20;

/** Failures one after the other after which a queue is paused. */
export const FAILURES_MAX = 8;

const RETRY_FIRST_MS = 10_000;
const RETRY_MOST_MS = 15 * 60_000;

/** How long after so many failures in a row nothing is submitted, milliseconds: twice as long each time. */
export function retryAfterMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** (failures - 1));
}

/** What the node of a queue's allocation is called. */
export function elasticNodeName(queue: Pick<ElasticQueue, "id" | "manager">, number: number): NodeName {
  return `${queue.manager}${queue.id}-${number}`;
}
