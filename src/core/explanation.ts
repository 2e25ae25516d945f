/** Why a waiting job waits, in all detail: what `mgpu why` shows. Made by sched/explain, carried by job.explain. */

/** Amounts of what nodes have. GPUs are whole ones, by type. */
export interface Amounts {
  readonly gpus: Readonly<Record<string, number>>;
  readonly cpus: number;
  readonly memoryMiB: number;
}

/**
 * What was found of a node.
 * - `free`: the job, or its part, would fit there now
 * - `busy`: it would fit if others left
 * - `small`: it would not fit even if the node were empty
 * - `barred`: the job may not go there (partition, features, its own wishes)
 * - `away`: down, drained or not connected
 */
export type NodeFinding = "free" | "busy" | "small" | "barred" | "away";

export interface NodeVerdict {
  readonly node: string;
  readonly finding: NodeFinding;
  readonly free: Amounts;
  readonly total: Amounts;
  /** What stands against it, a clause each: `2 GPUs more (2 of 4 free)`. */
  readonly lacks: readonly string[];
}

/** A job that has what is missing. */
export interface Holder {
  readonly jobId: number;
  readonly label: string;
  readonly user: string;
  /** Slurm's long state name. */
  readonly state: string;
  readonly nodeList: string;
  /** Of the nodes that were looked at: whole GPUs, CPUs, MiB. */
  readonly gpus: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Milliseconds since 1970; `null` without a time limit. */
  readonly until: number | null;
}

/** A job that comes first. */
export interface Earlier {
  readonly jobId: number;
  readonly label: string;
  readonly user: string;
  readonly request: string;
}

/** The job's place among those that wait and may start. */
export interface QueuePlace {
  /** 1 for the first. */
  readonly position: number;
  readonly of: number;
  /** The next to go, at most a few. */
  readonly ahead: readonly Earlier[];
}

/** When it should start if every job uses its whole time limit. */
export interface StartForecast {
  /** Milliseconds since 1970; `null` where that can't be known. */
  readonly startAt: number | null;
  readonly nodeList: string;
  /** Why it can't be known; empty where it is. */
  readonly why: string;
}

/** What would start the job now. */
export interface Change {
  /** `ask for 2 GPUs rather than 4`. */
  readonly words: string;
  /** Words of command lines, one a line; run one after the other. */
  readonly commands: readonly (readonly string[])[];
}

export interface Explanation {
  readonly jobId: number;
  readonly label: string;
  readonly reason: string;
  readonly reasonText: string;
  /** The request in words. */
  readonly request: string;
  readonly partition: string;
  readonly nodes: readonly NodeVerdict[];
  /** Nodes of which nothing is told. */
  readonly nodesOmitted: number;
  readonly holders: readonly Holder[];
  readonly holdersOmitted: number;
  readonly place: QueuePlace | null;
  readonly forecast: StartForecast;
  /** The smallest first; none where no single change would do. */
  readonly changes: readonly Change[];
  /** What is said of machines that other batch systems lend, a sentence each; absent where there is nothing to say. */
  readonly allocations?: readonly string[];
  /** The search for changes was cut short: there may be others. */
  readonly isCut: boolean;
}
