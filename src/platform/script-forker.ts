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
import { SCRIPT_PROGRAM } from "./script-program.ts";

export interface ScriptRequest {
  /** Of the script's records; it exists, and has none of an earlier start. */
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
  /** Once, after the start: `null` if the keeper ended without a word. Its records say more. */
  onExit(end: { readonly exit: ProcessExit; readonly spent: SpentTime } | null): void;
}

/** The script's keeper: spared by signals, and leads a session of its own, as the script does. */
export interface ScriptKeeper {
  readonly pid: number;
  readonly startTicks: number;
}

export interface Scripts {
  /**
   * Starts a script; `null` if nothing was started and that is for the caller to do. Rejects where the program ended without
   * an answer: then the script may have been started, if only just.
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
}

/** Two scripts within so long are many. */
const OFTEN_MS = 1000;

/** How often keepers are looked after that outlive their program, should one have been killed; and a program without work for so many looks ends. */
const LOOK_MS = 2000;
const IDLE_LOOKS = 15;

/** Kinds of limits: one for each shell that people submit from. */
const PROGRAMS_MAX = 4;

/** An answer that was on its way when the program ended is there by then. */
const LAST_WORD_MS = 2000;

const TICK_MS = 10;

const SHELL = "/bin/sh";
const PERLS = ["/usr/bin/perl", "/bin/perl", "/usr/local/bin/perl"];

/** The machine's. */
export function realScripts(options: ScriptsOptions): Scripts {
  const programs = new Map<string, Program>();
  /** Of kinds that this machine does not allow. */
  const failed = new Set<string>();
  let perl: string | null = null;
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
        if (perl === null) return null;
        program = new Program(perl, kind, options);
        programs.set(kind, program);
      }
      if (options.isEager === true) await program.isDecided;
      if (!program.isReady) return null;
      const order = orderOf(program.nextId, request);
      return order === null ? null : program.start(order, request);
    },
    close() {
      for (const program of programs.values()) program.end();
    },
  };
}

interface Job {
  readonly request: ScriptRequest;
  resolve(keeper: ScriptKeeper | null): void;
  reject(error: Error): void;
  keeper: ScriptKeeper | null;
  /** A look found its keeper gone. */
  isMissed: boolean;
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
  private decide = (): void => {};
  private text = "";
  private lastId = 0;
  private idleLooks = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(perl: string, limits: string, options: ScriptsOptions) {
    this.isDecided = new Promise((resolve) => {
      this.decide = resolve;
    });
    const { list, done } = options.stdio();
    try {
      const argv = ["-c", `${limits}\nexec "$@"`, SHELL, perl, "-e", SCRIPT_PROGRAM];
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
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.timer.unref();
  }

  get nextId(): number {
    return this.lastId + 1;
  }

  start(order: Buffer, request: ScriptRequest): Promise<ScriptKeeper | null> {
    this.lastId += 1;
    this.idleLooks = 0;
    const id = this.lastId;
    return new Promise((resolve, reject) => {
      this.jobs.set(id, { request, resolve, reject, keeper: null, isMissed: false });
      this.input.write(order);
    });
  }

  end(): void {
    this.isReady = false;
    this.isOver = true;
    this.input.end();
  }

  private onText(chunk: string): void {
    const lines = (this.text + chunk).split("\n");
    this.text = lines.pop() ?? "";
    for (const line of lines) this.onLine(line.split(" "));
  }

  private onLine([word, id = "", ...rest]: readonly string[]): void {
    if (word === "r") {
      this.isReady = true;
      return this.decide();
    }
    const job = this.jobs.get(Number(id));
    if (job === undefined) return;
    const [first = 0, second = 0, userTicks = 0, systemTicks = 0, pages = 0] = rest.map(Number);
    if (word === "s") {
      job.keeper = { pid: first, startTicks: second };
      return job.resolve(job.keeper);
    }
    this.jobs.delete(Number(id));
    if (word === "x") return job.resolve(null);
    if (word === "l") return lost(job);
    const spent = { userMs: userTicks * TICK_MS, systemMs: systemTicks * TICK_MS, pages };
    // After whoever awaits the start has gone on.
    setImmediate(() => job.request.onExit({ exit: { code: first, signal: second }, spent }));
  }

  private onOver(): void {
    if (!this.isOver && this.lastId === 0) this.hasFailed = !this.isReady;
    this.isReady = false;
    this.isOver = true;
    this.decide();
    setTimeout(() => {
      for (const [id, job] of this.jobs) {
        if (job.keeper !== null) continue;
        this.jobs.delete(id);
        job.reject(new Error("the program that starts scripts was killed"));
      }
    }, LAST_WORD_MS).unref();
    if (this.jobs.size === 0) clearInterval(this.timer);
  }

  /** Keepers say how their scripts ended; one that was killed does not. What it said before is read by the next look. */
  private look(): void {
    for (const [id, job] of this.jobs) {
      if (job.keeper === null || startTicksOf(job.keeper.pid) === job.keeper.startTicks) continue;
      if (!job.isMissed) {
        job.isMissed = true;
        continue;
      }
      this.jobs.delete(id);
      job.request.onExit(null);
    }
    this.idleLooks = this.jobs.size === 0 ? this.idleLooks + 1 : 0;
    if (this.idleLooks > IDLE_LOOKS && !this.isOver) this.end();
    if (this.isOver && this.jobs.size === 0) clearInterval(this.timer);
  }
}

/** Its keeper was killed. Until that has said who it is, it starts nothing. */
function lost({ request, keeper, resolve, reject }: Job): void {
  if (keeper !== null) setImmediate(() => request.onExit(null));
  else if (hasText(`${request.folder}/pid`)) reject(new Error("what was to start it was killed"));
  else resolve(null);
}

function hasText(path: string): boolean {
  return (fs.lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** The bytes of an order; `null` where a stream is neither a file nor /dev/null, or a text can't be told. */
function orderOf(id: number, request: ScriptRequest): Buffer | null {
  const { folder, workDir, argv, environment, umask = "", descriptors } = request;
  const streams: string[] = [];
  for (const [at, descriptor] of descriptors.entries()) {
    const same = descriptors.indexOf(descriptor);
    const facts = same < at ? ["", String(same), ""] : fileOf(descriptor);
    if (facts === null) return null;
    streams.push(...facts);
  }
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const fields = [String(id), folder, workDir, ...streams, umask, String(argv.length), ...argv, ...variables];
  if (fields.some((field) => field.includes("\0"))) return null;
  const body = Buffer.from(fields.map((field) => `${field}\0`).join(""));
  const order = Buffer.allocUnsafe(body.length + 4);
  order.writeUInt32BE(body.length);
  body.copy(order, 4);
  return order;
}

/** Path, device and number of an open file. */
function fileOf(descriptor: number): [string, string, string] | null {
  try {
    const facts = fs.fstatSync(descriptor);
    const path = fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    if (!facts.isFile() && path !== "/dev/null") return null;
    return [path, String(facts.dev), String(facts.ino)];
  } catch {
    return null;
  }
}
