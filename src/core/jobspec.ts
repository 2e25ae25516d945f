/** What a user asked for, after all defaults and all checks that need no cluster. */

import type { Activation } from "./activation.ts";
import type { ArraySpec } from "./array-spec.ts";
import type { CpuBind } from "./cpu-bind.ts";
import type { Dependency } from "./dependency.ts";
import type { GpuBind } from "./gpu-bind.ts";
import type { TaskDistribution } from "./layout.ts";
import type { ResourceRequest, StepRequest } from "./resources.ts";
import type { SignalSpec } from "./signal-spec.ts";

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
 * - `alloc`: an allocation that its owner fills with steps, and gives back (salloc)
 */
export type JobKind = "batch" | "run" | "alloc";

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
  /** Seconds without a key typed or anything printed after which it is ended; absent for never. */
  readonly inactivityS?: number;
}

/** The program of one task where the tasks of a step run different ones (--multi-prog). */
export interface TaskProgram {
  readonly task: number;
  readonly argv: readonly string[];
}

/** What the tasks of a step run, and how. A job carries that of its own step; steps made within it have their own. */
export interface ProgramSpec {
  readonly name: string;
  /** Absolute path. */
  readonly workDir: string;
  readonly io: IoSpec;
  /** Program and arguments (srun), or the script's name and arguments (sbatch). Empty for an allocation alone. */
  readonly argv: readonly string[];
  /** One a task with --multi-prog; empty where all run `argv`. */
  readonly programs: readonly TaskProgram[];
  /** Digest of the stored environment. */
  readonly environmentDigest: string;
  readonly pty: PtySpec | null;
  /**
   * What becomes of it when its client is gone for good. Where nothing is said, a program with a terminal runs on and
   * any other is ended.
   */
  readonly onDisconnect?: "detach" | "kill";
  /** File mode bits that new files don't get. */
  readonly umask: number;
  /** Soft limits by Slurm's names (`NOFILE`), -1 for none; those not named are the node's. */
  readonly rlimits: Readonly<Record<string, number>>;
  readonly distribution: TaskDistribution;
  readonly gpuBind: GpuBind | null;
  /** Absent where nothing was said: tasks are not bound to CPUs. */
  readonly cpuBind?: CpuBind;
  /** Run before and after each task, on its node: a path, or a name to be found along PATH (srun alone). */
  readonly taskProlog?: string;
  readonly taskEpilog?: string;
  /** The environment of Python that it runs in. */
  readonly activation?: Activation;
}

/** A step as srun asks for it within a running job. */
export interface StepSpec extends ProgramSpec {
  readonly request: StepRequest;
  /** Seconds, {@link UNLIMITED} for none but the job's. */
  readonly timeLimitS: number;
  /** Short name of the host on which the user typed the command, and its process. */
  readonly submitHost: string;
}

/** A number of licenses. */
export interface LicenseWish {
  readonly name: string;
  readonly count: number;
}

/** Whom to tell what by mail. */
export interface MailSpec {
  /** Slurm's words: BEGIN, END, FAIL ... */
  readonly types: readonly string[];
  /** Empty where only web addresses are told. */
  readonly user: string;
  /** Web addresses that are told the same (--notify), as core/notice.ts reads them. */
  readonly notify?: readonly string[];
}

/** Where a job stands in a heterogeneous one (see core/het.ts): its position, and how many there are. */
export interface HetSpec {
  readonly offset: number;
  readonly size: number;
}

export interface JobSpec extends ProgramSpec {
  readonly kind: JobKind;
  readonly user: User;
  /** Partition name, or `null` for the default one. */
  readonly partition: string | null;
  /** Where several were named (`-p a,b`), all of them as listed: see core/partition-list.ts. */
  readonly partitions?: readonly string[] | undefined;
  readonly request: ResourceRequest;
  /** Seconds; `null` for the partition's default; `Infinity` is written as 0. See {@link UNLIMITED}. */
  readonly timeLimitS: number | null;
  /** Least seconds that will do (--time-min), `null` if only the whole limit will. */
  readonly timeMinS: number | null;
  /** Milliseconds since 1970: not started before, 0 for at once. */
  readonly beginAt: number;
  /** Milliseconds since 1970: must be over by then, 0 for no such time. */
  readonly deadlineAt: number;
  /** Digest of the stored script; `null` for srun. */
  readonly scriptDigest: string | null;
  /** May the job be started again after a node failure or by request. */
  readonly requeue: boolean;
  /** How often a job that failed is started again by itself. */
  readonly retries: number;
  /** Seconds before the first such start; each later one waits twice as long. */
  readonly retryWaitS: number;
  /** Submitted on hold: waits for a release. */
  readonly hold: boolean;
  /** Given by the user; `null` for what the queue's policy gives. */
  readonly priority: number | null;
  readonly nice: number;
  readonly dependency: Dependency | null;
  /** End the job if its dependency can never be met. */
  readonly killOnInvalidDep: boolean;
  /** Sent some time before the time limit. */
  readonly signal: SignalSpec | null;
  readonly array: ArraySpec | null;
  readonly het: HetSpec | null;
  readonly account: string | null;
  readonly comment: string;
  readonly wckey: string;
  readonly qos: string | null;
  readonly reservation: string | null;
  readonly licenses: readonly LicenseWish[];
  readonly mail: MailSpec | null;
  /** Keep running when a node fails (--no-kill). */
  readonly noKill: boolean;
  /** Short name of the host on which the user typed the command. */
  readonly submitHost: string;
  /** The command that was typed, for the record. */
  readonly submitLine: string;
}

/** A time limit of no limit. 0 because JSON has no infinity and Slurm reads `-t 0` as no limit too. */
export const UNLIMITED = 0;

/** What a client sends: the controller fills in what only it may say. */
export type JobRequest = Omit<JobSpec, "user" | "scriptDigest" | "environmentDigest">;

/** The same of a step. */
export type StepOrder = Omit<StepSpec, "environmentDigest">;

/** The QoS of jobs that have none by their own wish or their account's. */
export const QOS_DEFAULT = "normal";
