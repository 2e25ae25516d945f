/** Partitions: named sets of nodes with limits. One machine has one, `gpu`-agnostic, called `main`. */

export interface Partition {
  readonly name: string;
  readonly isDefault: boolean;
  /** Seconds, 0 for no limit: what a job gets that names none. */
  readonly defaultTimeS: number;
  /** Seconds, 0 for no limit: the most a job may ask for. */
  readonly maxTimeS: number;
}

/** What a cluster has when nothing is configured. */
export const DEFAULT_PARTITION: Partition = { name: "main", isDefault: true, defaultTimeS: 0, maxTimeS: 0 };
