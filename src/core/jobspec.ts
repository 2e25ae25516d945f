/** What a user asked for, after all defaults and all checks that need no cluster. Never changes after submission. */

import type { ResourceRequest } from "./resources.ts";

/** Who submitted. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/**
 * How a job comes to run programs.
 * - `batch`: a script that the first node runs (sbatch)
 * - `run`: one step, whose streams belong to the client (srun)
 */
export type JobKind = "batch" | "run";

/** File name patterns and stream handling; patterns are kept as written and filled in on the node. */
export interface IoSpec {
  /** File, `none` for /dev/null, `all` (srun: the client's stdin to every task), or a task number. */
  readonly stdin: string;
  /** Pattern, or `null` for the default: the client for srun, `slurm-%j.out` for sbatch. */
  readonly stdout: string | null;
  /** Pattern, or `null` for the same place as stdout. */
  readonly stderr: string | null;
  readonly openMode: "truncate" | "append";
  /** Put `TASK: ` before each line (srun -l). Done by the client. */
  readonly label: boolean;
}

/** The terminal of a PTY step at its start. */
export interface PtySpec {
  readonly columns: number;
  readonly rows: number;
}

export interface JobSpec {
  readonly kind: JobKind;
  readonly name: string;
  readonly user: User;
  /** Partition name, or `null` for the default one. */
  readonly partition: string | null;
  readonly request: ResourceRequest;
  /** Seconds; `null` for the partition's default; `Infinity` is written as 0. See {@link UNLIMITED}. */
  readonly timeLimitS: number | null;
  /** Absolute path. */
  readonly workDir: string;
  readonly io: IoSpec;
  /** Program and arguments (srun), or the script's name and arguments (sbatch). */
  readonly argv: readonly string[];
  /** Digest of the stored script; `null` for srun. */
  readonly scriptDigest: string | null;
  /** Digest of the stored environment. */
  readonly environmentDigest: string;
  readonly pty: PtySpec | null;
  /** May the job be started again after a node failure or by request. */
  readonly requeue: boolean;
  /** Short name of the host on which the user typed the command. */
  readonly submitHost: string;
}

/** A time limit of no limit. 0 because JSON has no infinity and Slurm reads `-t 0` as no limit too. */
export const UNLIMITED = 0;

/** What a client sends: the controller fills in what only it may say. */
export type JobRequest = Omit<JobSpec, "user" | "scriptDigest" | "environmentDigest">;
