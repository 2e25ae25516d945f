/**
 * A cluster of the built programs in a temporary home, and honest ways to use it.
 *
 * Tests hold no product code: they run what a user runs. Everything is polled for, nothing is slept for. At the end
 * every process that carries this cluster's mark must be gone; one that is left is a failure, and then is ended.
 */

import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");

/** Longest that anything may take before the test says what it waited for. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A program that was started and may still run. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout(): string;
  stdoutBytes(): Buffer;
  stderr(): string;
  readonly ended: Promise<Ran>;
}

/** See {@link TestCluster.hold}. */
export interface HeldJob {
  readonly jobId: number;
  readonly running: Running;
  release(): Promise<Ran>;
}

export interface ClusterOptions {
  /** Variables for daemons and commands. */
  readonly env?: Readonly<Record<string, string>>;
  /** Words before each program: what puts it into a namespace, and then becomes it. */
  readonly inside?: readonly string[];
}

export class TestCluster {
  /** Short, because paths of Unix sockets are limited to 107 bytes. */
  readonly folder = mkdtempSync(join(tmpdir(), "mgt-"));
  readonly home = join(this.folder, "home");
  readonly work = join(this.folder, "work");
  readonly #env: Record<string, string>;
  readonly #inside: readonly string[];

  constructor(options: ClusterOptions = {}) {
    this.#inside = options.inside ?? [];
    mkdirSync(this.work);
    mkdirSync(join(this.folder, "run"), { mode: 0o700 });
    this.#env = {
      PATH: `${join(ROOT, "bin")}:${process.env.PATH}`,
      HOME: this.folder,
      USER: process.env.USER ?? "root",
      LANG: "C.UTF-8",
      TZ: "UTC",
      MGPU_HOME: this.home,
      XDG_RUNTIME_DIR: join(this.folder, "run"),
      MGPU_FAKE_GPUS: "4",
      MGPU_CPUS: "8",
      MGPU_FRONT: "0",
      MGPU_KILL_WAIT: "2",
      MGPU_TEST_MARK: this.folder,
      ...options.env,
    };
  }

  /** Starts a program of bin/ or any other. */
  start(program: string, args: readonly string[], options: RunOptions = {}): Running {
    const known = join(ROOT, "bin", program);
    const [first = program, ...rest] = [...this.#inside, existsSync(known) ? known : program, ...args];
    const child = spawn(first, rest, {
      cwd: options.cwd ?? this.work,
      env: { ...this.#env, ...options.env },
      stdio: "pipe",
    });
    return follow(child, options.input);
  }

  /** Runs a program to its end. */
  run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.start(program, args, options).ended;
  }

  /** Runs a program that must succeed; answers with its output. */
  async ok(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const ran = await this.run(program, args, options);
    if (ran.code !== 0) throw new Error(`${program} ${args.join(" ")} -> ${JSON.stringify(ran)}\n${this.logs()}`);
    return ran.stdout;
  }

  /** Starts controller and node daemon as processes of their own, and waits until the node is there. */
  async startSeparate(): Promise<{ controller: Running; node: Running }> {
    const controller = this.start("mgpuctld", []);
    await this.until(async () => (await this.run("mgpu", ["status"])).code === 0, "the controller answers");
    const node = this.start("mgpud", ["--node-id", "n1"]);
    await this.until(
      async () => (await this.run("mgpu-sinfo", ["-h", "-o", "%N"])).stdout.includes("n1"),
      "n1 is there",
    );
    return { controller, node };
  }

  /** Starts a controller and node daemons of these shapes, and waits until all are there. */
  async startNodes(
    nodes: readonly { name: string; cpus: number; gpus: number; memoryMiB?: number }[],
  ): Promise<readonly Running[]> {
    const controller = this.start("mgpuctld", []);
    await this.until(async () => (await this.run("mgpu", ["status"])).code === 0, "the controller answers");
    const daemons = nodes.map(({ name, cpus, gpus, memoryMiB = 4000 }) => {
      const offered = ["--cpus", `${cpus}`, "--memory", `${memoryMiB}`, "--gpu-count", `${gpus}`];
      return this.start("mgpud", ["--node-id", name, ...offered]);
    });
    await this.until(
      async () => {
        const { stdout } = await this.run("mgpu-sinfo", ["-h", "-N", "-o", "%N %t"]);
        return nodes.every(({ name }) => stdout.includes(`${name} idle`));
      },
      () => `${nodes.map(({ name }) => name).join(", ")} are there: ${daemons.map((one) => one.stderr()).join("")}`,
    );
    return [controller, ...daemons];
  }

  /** Submits a script's text; answers with the job id. */
  async submit(script: string, args: readonly string[] = []): Promise<number> {
    const out = await this.ok("mgpu-sbatch", ["--parsable", ...args], { input: script });
    return Number(out.trim());
  }

  /** A job that runs on what it asks for until it is let go. */
  async hold(args: readonly string[] = [], options: RunOptions = {}): Promise<HeldJob> {
    const running = this.start("mgpu-srun", [...args, "sh", "-c", 'echo "$SLURM_JOB_ID"; read -r line'], options);
    await this.until(
      () => running.stdout().endsWith("\n"),
      () => `a job holds ${args.join(" ")}: ${running.stderr()}`,
    );
    const release = (): Promise<Ran> => {
      running.child.stdin?.end("go\n");
      return running.ended;
    };
    return { jobId: Number(running.stdout()), running, release };
  }

  /** Rows of squeue without a header, one field list a job. */
  async queue(format: string, ...args: string[]): Promise<string[]> {
    return (await this.ok("mgpu-squeue", ["-h", "-o", format, ...args])).split("\n").slice(0, -1);
  }

  /** A job's long state, whatever it is. */
  async state(job: number): Promise<string> {
    return (await this.ok("mgpu-squeue", ["-h", "-t", "all", "-j", `${job},${job}`, "-o", "%T"])).trim();
  }

  async untilState(job: number, ...states: string[]): Promise<void> {
    let last = "";
    await this.until(
      async () => {
        last = await this.state(job);
        return states.includes(last);
      },
      () => `job ${job} is ${states.join(" or ")}, not ${last}`,
    );
  }

  /** Polls until the condition holds; the failure says what was waited for and shows the logs. */
  async until(
    condition: () => boolean | Promise<boolean>,
    what: string | (() => string),
    patienceMs = PATIENCE_MS,
  ): Promise<void> {
    const end = Date.now() + patienceMs;
    while (!(await condition())) {
      if (Date.now() > end) {
        throw new Error(`waited in vain until ${typeof what === "string" ? what : what()}\n${this.logs()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Each daemon by name, as `mgpu status --json` tells. */
  async daemons(): Promise<{ daemon: string; node: string; pid: number }[]> {
    return JSON.parse(await this.ok("mgpu", ["status", "--json"])).daemons;
  }

  async pidOf(daemon: string): Promise<number> {
    const found = (await this.daemons()).find((one) => one.daemon === daemon);
    if (!found) throw new Error(`no ${daemon}`);
    return found.pid;
  }

  write(name: string, text: string): string {
    const path = join(this.work, name);
    writeFileSync(path, text);
    return path;
  }

  /** Adds to a file by its full path. */
  append(path: string, text: string): void {
    appendFileSync(path, text);
  }

  read(name: string): string {
    return readFileSync(join(this.work, name), "utf8");
  }

  has(name: string): boolean {
    return existsSync(join(this.work, name));
  }

  /** The newest lines of every log file. */
  logs(): string {
    const folder = join(this.home, "log");
    if (!existsSync(folder)) return "(no logs)";
    return readdirSync(folder)
      .map((name) => `--- ${name}\n${readFileSync(join(folder, name), "utf8").slice(-3000)}`)
      .join("\n");
  }

  /** Processes that carry this cluster's mark. */
  processes(): { pid: number; command: string }[] {
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
      try {
        const environment = readFileSync(`/proc/${name}/environ`, "latin1");
        if (!environment.split("\0").includes(`MGPU_TEST_MARK=${this.folder}`)) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ");
        return command === "" ? [] : [{ pid: Number(name), command }];
      } catch {
        return [];
      }
    });
  }

  /** Ends the cluster as a user would, checks that nothing is left, and removes the folder. */
  async stop(): Promise<void> {
    try {
      await this.run("mgpu", ["down", "--force"]);
      await this.until(
        () => this.processes().length === 0,
        () => `nothing is left running: ${JSON.stringify(this.processes())}`,
        10_000,
      );
    } finally {
      for (const { pid } of this.processes()) kill(pid, "SIGKILL");
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** Whether a process is there and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Sends a signal; a process that is gone already is no error. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function follow(child: ChildProcess, input: string | Uint8Array | undefined): Running {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin?.on("error", () => {});
  if (input !== undefined) child.stdin?.end(input);
  const stdoutBytes = (): Buffer => Buffer.concat(out);
  const stdout = (): string => stdoutBytes().toString();
  const stderr = (): string => Buffer.concat(err).toString();
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout: stdout(), stderr: stderr() }));
  });
  return { child, pid: child.pid ?? -1, stdout, stdoutBytes, stderr, ended };
}
