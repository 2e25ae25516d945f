/**
 * Starts batch scripts by a small program that forks for us (script-program.ts), while many come: from the second in a second on. Who
 * is told `null` starts his script himself. Where there is no Perl that is always so.
 */

import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import type { Duplex } from "node:stream";
import type { ProcessExit } from "./process.ts";
import type { SpentTime } from "./process-usage.ts";
import { startTicksOf } from "./proctable.ts";
import { readRecord } from "./script-folders.ts";
import { dismissal, orderOf, type Variables } from "./script-order.ts";
import { scriptProgram } from "./script-program.ts";

export interface ScriptRequest {
  /** Of the script's records; it exists, and those of an earlier start are blank. */
  readonly folder: string;
  readonly workDir: string;
  /** The first is the script, absolute. */
  readonly argv: readonly string[];
  /** All that the script gets but for SLURM_TASK_PID. */
  readonly environment: Readonly<Record<string, string>>;
  /** Octal; undefined to leave it as it is. */
  readonly umask: string | undefined;
  /** Lines of a shell that set the limits, or end it where one can't be set. Scripts with the same ones share a program. */
  readonly limits: readonly string[];
  /** Standard input, output and error: files or /dev/null. The caller closes them. */
  readonly descriptors: readonly [number, number, number];
  /** Once, after the start, and before the keeper has another script: `null` if the keeper ended without a word. Its records say more. */
  onExit(end: { readonly exit: ProcessExit; readonly spent: SpentTime } | null): void;
}

/** The script's keeper: spared by signals, and leads a session of its own, as the script does. Other scripts follow, one at a time. */
export interface ScriptKeeper {
  readonly pid: number;
  readonly startTicks: number;
}

export interface Scripts {
  /**
   * Starts a script; `null` if nothing was started, nor ever will be, and that is for the caller to do. Rejects where the script may
   * have been started, and who was to keep it is gone.
   */
  start(request: ScriptRequest): Promise<ScriptKeeper | null>;
  close(): void;
}

export interface ScriptsOptions {
  /** Standard streams for a child, less what no child may inherit. */
  readonly stdio: () => { readonly list: ("pipe" | "ignore" | number)[]; done(): void };
  /** A child that was nobody's program has ended. */
  readonly onReaped: () => void;
  /** From the first script on. */
  readonly isEager?: boolean;
  /** In place of {@link START_MS_MAX}. */
  readonly patienceMs?: number;
}

/** Two scripts within so long are many. */
const OFTEN_MS = 1000;

/**
 * How often keepers are looked after: those that outlive their program may have been killed; of those without work for a whole such time
 * all but a few end; and a program without work for so many looks ends.
 */
const LOOK_MS = 2000;
const IDLE_LOOKS = 15;
const IDLE_KEEPERS = 2;

/** Kinds of limits: one for each shell that people submit from. */
const PROGRAMS_MAX = 4;

/** A start that nobody answers for so long does not come any more: program or keeper are stopped, or the machine is far too busy. */
const START_MS_MAX = 10_000;

/** An answer that was on its way when the program ended is there by then. */
const LAST_WORD_MS = 1000;

/** How often one that was killed is looked after, until it is gone. */
const GONE_POLL_MS = 10;

const MICROSECONDS_PER_MS = 1000;

const SHELL = "/bin/sh";
const PERLS = ["/usr/bin/perl", "/bin/perl", "/usr/local/bin/perl"];

/** The machine's. */
export function realScripts(options: ScriptsOptions): Scripts {
  const programs = new Map<string, Program>();
  /** Of kinds that this machine does not allow. */
  const failed = new Set<string>();
  let perl: string | null = null;
  const text = scriptProgram(process.arch);
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    async start(request) {
      const nowMs = performance.now();
      const isMany = options.isEager === true || nowMs - lastMs < OFTEN_MS;
      lastMs = nowMs;
      const kind = request.limits.join("\n");
      for (const [name, one] of programs) {
        if (one.isOver) programs.delete(name);
        if (one.hasFailed) failed.add(name);
      }
      let program = programs.get(kind);
      if (program === undefined) {
        if (!isMany || programs.size >= PROGRAMS_MAX || failed.has(kind)) return null;
        perl ??= PERLS.find((path) => fs.existsSync(path)) ?? null;
        if (perl === null || text === null) return null;
        program = new Program([perl, "-e", text], kind, options);
        programs.set(kind, program);
      }
      if (options.isEager === true) await program.isDecided;
      if (!program.isReady) return null;
      return program.start(request);
    },
    close() {
      for (const program of programs.values()) program.end();
    },
  };
}

/** A process of the program's that runs one script at a time. */
interface Keeper {
  readonly number: number;
  /** `null` until it has said so. */
  process: ScriptKeeper | null;
  variables: Variables | null;
  /** A look found it without a script. */
  wasIdle: boolean;
}

interface Job {
  readonly request: ScriptRequest;
  readonly keeper: Keeper;
  /** Of the monotonic clock. */
  readonly orderedAtMs: number;
  isStarted: boolean;
  /** A look found its keeper gone. */
  isMissed: boolean;
  resolve(keeper: ScriptKeeper | null): void;
  reject(error: Error): void;
}

class Program {
  isReady = false;
  /** It ended, or can't do it: another one may be tried once it is forgotten. */
  isOver = false;
  /** It was never ready. */
  hasFailed = false;
  /** Resolves once it is ready, or over. */
  readonly isDecided: Promise<void>;
  private readonly child: ChildProcess;
  private readonly input: Duplex;
  private readonly jobs = new Map<number, Job>();
  private readonly keepers = new Map<number, Keeper>();
  /** The last is the one that had a script last. */
  private idle: Keeper[] = [];
  private decide = (): void => {};
  private text = "";
  private lastId = 0;
  private lastKeeper = 0;
  private idleLooks = 0;
  private readonly patienceMs: number;
  private readonly timer: NodeJS.Timeout;

  constructor(command: readonly string[], limits: string, options: ScriptsOptions) {
    this.isDecided = new Promise((resolve) => {
      this.decide = resolve;
    });
    const { list, done } = options.stdio();
    try {
      const argv = ["-c", `${limits}\nexec "$@"`, SHELL, ...command];
      this.child = spawn(SHELL, argv, { stdio: list, env: { PATH: "/usr/bin:/bin" }, cwd: "/", detached: true });
    } finally {
      done();
    }
    this.input = this.child.stdin as Duplex;
    this.child.stdout?.setEncoding("latin1").on("data", (chunk: string) => this.onText(chunk));
    this.child.once("error", () => this.onOver());
    this.child.once("exit", () => {
      options.onReaped();
      this.onOver();
    });
    // What it does not take any more, its end tells of.
    for (const stream of this.child.stdio) stream?.on("error", () => {});
    this.patienceMs = options.patienceMs ?? START_MS_MAX;
    this.timer = setInterval(() => this.look(), Math.min(LOOK_MS, this.patienceMs));
    this.timer.unref();
  }

  start(request: ScriptRequest): Promise<ScriptKeeper | null> {
    const keeper = this.idle.pop() ?? this.newKeeper();
    const order = orderOf(keeper.number, this.lastId + 1, request, keeper.variables);
    if (order === null) {
      if (keeper.variables === null) this.keepers.delete(keeper.number);
      else this.idle.push(keeper);
      return Promise.resolve(null);
    }
    keeper.variables = order.variables;
    keeper.wasIdle = false;
    this.lastId += 1;
    this.idleLooks = 0;
    const id = this.lastId;
    return new Promise((resolve, reject) => {
      const orderedAtMs = performance.now();
      this.jobs.set(id, { request, keeper, orderedAtMs, isStarted: false, isMissed: false, resolve, reject });
      this.input.write(order.bytes);
    });
  }

  end(): void {
    this.isReady = false;
    this.isOver = true;
    this.input.end();
  }

  private newKeeper(): Keeper {
    this.lastKeeper += 1;
    const keeper = { number: this.lastKeeper, process: null, variables: null, wasIdle: false };
    this.keepers.set(keeper.number, keeper);
    return keeper;
  }

  private onText(chunk: string): void {
    const lines = (this.text + chunk).split("\n");
    this.text = lines.pop() ?? "";
    for (const line of lines) this.onLine(line.split(" "));
  }

  private onLine([word = "", ...rest]: readonly string[]): void {
    const [first = 0, ...numbers] = rest.map(Number);
    if (word === "r") {
      this.isReady = !this.isOver;
      return this.decide();
    }
    if (word === "k") return this.onKeeper(first, numbers);
    if (word === "l") return this.onKeeperGone(first, numbers[0] ?? 0);
    const job = this.jobs.get(first);
    if (job === undefined) return;
    if (word === "s") {
      job.isStarted = true;
      return job.resolve(job.keeper.process);
    }
    this.jobs.delete(first);
    if (word === "x") {
      this.idle.push(job.keeper);
      return job.resolve(null);
    }
    this.onEnd(job, numbers);
  }

  private onKeeper(number: number, [pid = 0, startTicks = 0]: readonly number[]): void {
    const keeper = this.keepers.get(number);
    if (keeper) keeper.process = { pid, startTicks };
  }

  private onKeeperGone(number: number, id: number): void {
    const keeper = this.keepers.get(number);
    this.keepers.delete(number);
    this.idle = this.idle.filter((one) => one !== keeper);
    const job = this.jobs.get(id);
    if (job === undefined) return;
    this.jobs.delete(id);
    lost(job);
  }

  private onEnd(job: Job, [code = 0, signal = 0, userUs = 0, systemUs = 0, pages = 0]: readonly number[]): void {
    const spent = { userMs: userUs / MICROSECONDS_PER_MS, systemMs: systemUs / MICROSECONDS_PER_MS, pages };
    // After whoever awaits the start has gone on.
    setImmediate(() => {
      job.request.onExit({ exit: { code, signal }, spent });
      if (this.keepers.has(job.keeper.number)) this.idle.push(job.keeper);
    });
  }

  private onOver(): void {
    if (!this.isOver && this.lastId === 0) this.hasFailed = !this.isReady;
    this.isReady = false;
    this.isOver = true;
    this.decide();
    setTimeout(() => void this.settle(), LAST_WORD_MS).unref();
    if (this.jobs.size === 0) clearInterval(this.timer);
  }

  /**
   * What becomes of orders that nobody answered, once the program is gone: a keeper that has not looked at one by now does not follow
   * it, and one that was stopped just then must not. So it is killed, and then a script that has no record was not started.
   */
  private async settle(): Promise<void> {
    // What is there to be read was read by then, however late this is.
    await new Promise((resolve) => setImmediate(resolve));
    const open = [...this.jobs].filter(([, job]) => !job.isStarted);
    await Promise.all(
      open.map(async ([id, job]) => {
        const { process } = job.keeper;
        if (process !== null && !hasRecord(job)) await killSurely(process);
        // Its own word, in the meantime.
        if (job.isStarted || !this.jobs.delete(id)) return;
        lost(job);
      }),
    );
  }

  /** Keepers say how their scripts ended; one that was killed does not. What it said before is read by the next look. */
  private look(): void {
    const nowMs = performance.now();
    let isStuck = false;
    for (const [id, job] of this.jobs) {
      if (!job.isStarted) {
        isStuck ||= nowMs - job.orderedAtMs > this.patienceMs;
        continue;
      }
      const { process } = job.keeper;
      if (process === null || startTicksOf(process.pid) === process.startTicks) continue;
      if (!job.isMissed) {
        job.isMissed = true;
        continue;
      }
      this.jobs.delete(id);
      job.request.onExit(null);
    }
    if (isStuck) this.giveUp();
    this.thinOut();
    this.idleLooks = this.jobs.size === 0 ? this.idleLooks + 1 : 0;
    if (this.idleLooks > IDLE_LOOKS && !this.isOver) this.end();
    if (this.isOver && this.jobs.size === 0) clearInterval(this.timer);
  }

  /** Its scripts go on: keepers that have one outlive it. */
  private giveUp(): void {
    this.isReady = false;
    this.isOver = true;
    this.child.kill("SIGKILL");
  }

  /** Lets those keepers go that had nothing to do since the last look, all but a few. */
  private thinOut(): void {
    const kept = this.idle.slice(-IDLE_KEEPERS);
    const gone = this.idle.filter((keeper) => keeper.wasIdle && !kept.includes(keeper));
    for (const keeper of this.idle) keeper.wasIdle = true;
    if (gone.length === 0 || this.isOver) return;
    this.idle = this.idle.filter((keeper) => !gone.includes(keeper));
    for (const { number } of gone) {
      this.keepers.delete(number);
      this.input.write(dismissal(number));
    }
  }
}

/** Its keeper is gone. Until that has left a record it starts nothing. */
function lost(job: Job): void {
  const { request, isStarted, resolve, reject } = job;
  if (isStarted) setImmediate(() => request.onExit(null));
  else if (hasRecord(job)) reject(new Error("what was to start it was killed"));
  else resolve(null);
}

function hasRecord({ request }: Job): boolean {
  return readRecord(`${request.folder}/pid`).trim() !== "";
}

/** Resolves once it is gone: a stopped process dies of this signal as well. */
async function killSurely({ pid, startTicks }: ScriptKeeper): Promise<void> {
  while (startTicksOf(pid) === startTicks) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone just now.
    }
    await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS));
  }
}
