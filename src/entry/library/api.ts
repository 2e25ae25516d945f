/** What programs that use mgpu as a library see: types, and the one error. Nothing is imported, so that it stands alone. */

/** A number, or words as the command's option takes them: `2`, `"a100:2"`, `"0.5"`. */
export type Amount = number | string;

/** Resources and wishes of a job: options of mgpu-sbatch and mgpu-srun under these names. */
export interface JobOptions {
  /** `--gpus`: `2`, `0.5`, `"a100:2"`. */
  readonly gpus?: Amount;
  /** `--model`: as many GPUs as the configuration says that this model needs. */
  readonly model?: string;
  /** `--node-gpu-ids`: `"node001:0,1;node002:0"`. */
  readonly nodeGpuIds?: string;
  /** `--allowed-gpus`: `"0,2-3"`. */
  readonly allowedGpus?: string;
  /** `--cpus-per-task` */
  readonly cpus?: Amount;
  /** `--ntasks` */
  readonly tasks?: Amount;
  /** `--nodes` */
  readonly nodes?: Amount;
  /** `--mem`: MiB, or `"16G"`. */
  readonly memory?: Amount;
  /** `--time`: minutes, or `"1:30:00"`. */
  readonly time?: Amount;
  /** `--job-name` */
  readonly name?: string;
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  /** `"high"`, `"normal"`, `"low"` or a number. */
  readonly priority?: Amount;
  /** `--array`: `"0-99%4"`. */
  readonly array?: string;
  /** `--dependency`: `"afterok:12"`. */
  readonly dependency?: string;
  readonly condaEnv?: string;
  readonly venv?: string;
  readonly retries?: Amount;
  /** `--output`: `"slurm-%j.out"` unless said. */
  readonly output?: string;
  readonly error?: string;
  /** Submitted on hold. */
  readonly hold?: boolean;
  readonly comment?: string;
  /** `--notify`: web addresses with commas between them. */
  readonly notify?: string;
  /** Working directory of the job; this program's unless said. */
  readonly cwd?: string;
  /** Variables for the job, besides those of this program. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Any other option by its long name: `{ "mail-type": "END", exclusive: true }`. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
}

/** A job to be queued. */
export interface JobRequest extends JobOptions {
  /** A line for the shell, or a program with its arguments. */
  readonly command: string | readonly string[];
}

/** States as Slurm names them: PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, TIMEOUT ... */
export interface Job {
  readonly id: number;
  readonly name: string;
  readonly user: string;
  readonly state: string;
  /** Why it waits, in Slurm's word and in a sentence; empty where it does not. */
  readonly reason: string;
  readonly reasonText: string;
  /** Nodes that it has, as a host list: `n[1-2]`. */
  readonly nodes: string;
  /** 0 as long as it has not ended. */
  readonly exitCode: number;
  /** Number of the signal that ended it; 0 for none. */
  readonly exitSignal: number;
}

/** Which jobs: empty lists and absent ones stand for any. */
export interface JobFilter {
  readonly ids?: readonly number[];
  readonly states?: readonly string[];
  readonly users?: readonly string[];
}

/** A node of the cluster. */
export interface Node {
  readonly name: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: readonly { readonly index: number; readonly model: string; readonly memoryMiB: number }[];
}

/** Where to find mgpu. Without any of it: as the commands find it, which start it on this machine if none runs. */
export interface ConnectOptions {
  /** A cluster of mgpu login, by its name; `local` is this machine. */
  readonly cluster?: string;
  /** State folder of mgpu on this machine, in place of MGPU_HOME. */
  readonly home?: string;
  /** Whether mgpu may be started on this machine; yes unless said. */
  readonly start?: boolean;
}

/** A way to a controller, for any number of calls. Close it, or the program does not end. */
export interface Connection {
  /** Of the controller. */
  readonly version: string;
  close(): void;
}

/** What a program prints, as it comes. */
export type OnOutput = (data: Uint8Array, stream: "stdout" | "stderr") => void;

/** How to look on at a job. */
export interface AttachOptions {
  readonly onOutput?: OnOutput;
}

/** How a job's program ended for who ran or watched it. */
export interface Ended {
  readonly exitCode: number;
}

/** A controller to be started on this machine. */
export interface ControllerOptions {
  /** Also for other machines: `"0.0.0.0:7411"`. */
  readonly listen?: string;
  /** State folder in place of MGPU_HOME. */
  readonly home?: string;
  /** Settings by their variables, for instance `{ MGPU_FAKE_GPUS: "4" }`. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A controller that runs in the background; it goes on when this program ends. */
export interface ControllerHandle {
  readonly pid: number;
  readonly socket: string;
  /** For other machines: `host:port#token`; `null` without `listen`. */
  readonly invitation: string | null;
  /** Ends it and its nodes on this machine, also if it ran before. Refused while jobs run, unless forced. */
  stop(options?: { readonly force?: boolean }): Promise<void>;
}

/** A node to be started on this machine. */
export interface NodeOptions {
  /** The short host name unless said. */
  readonly name?: string;
  /** What the controller's machine gave out, `host:port#token`; without it a node of a controller on this machine. */
  readonly invitation?: string;
  /** Offer so many fake GPUs in place of those that are found. */
  readonly gpus?: number;
  readonly cpus?: number;
  readonly memoryMiB?: number;
  readonly home?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

/** A node's daemon that runs in the background. */
export interface NodeHandle {
  readonly name: string;
  readonly pid: number;
  /**
   * Ends the daemon; jobs go on, and it finds them when it is started again. One that came by an invitation leaves its
   * cluster: it comes back with a new one.
   */
  stop(): Promise<void>;
}

/** A mistake or a refusal: every problem in a sentence, and what to do where that is known. */
export class MgpuError extends Error {
  override readonly name = "MgpuError";
  readonly problems: readonly string[];
  readonly hint: string | undefined;

  constructor(problems: readonly string[], hint?: string) {
    super(problems.join("; "));
    this.problems = problems;
    this.hint = hint;
  }
}
