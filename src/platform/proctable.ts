/**
 * Which processes of this machine belong to a step, read from /proc.
 *
 * A process belongs to a step if its environment names it (the cookie, which children inherit), if its parent does,
 * if it is in a session of one that does, or if it was adopted. What is once known stays known for as long as the
 * process lives, whatever it does to its environment. A daemon of ours that a job's command started is not the job's, nor is
 * what descends from it without a cookie: its environment says so (MGPU_DAEMON=1), and holders take that variable
 * away from tasks.
 *
 * Promises: a pid is always paired with its start time, and nothing is signalled by pid alone; this process and
 * pid 1 never belong to a step; zombies count as gone. A scan of a quiet machine costs one listing of /proc and
 * one read for each known process.
 */

import * as fs from "node:fs";
import { type ProcessMemory, realProcessMemory } from "./process-memory.ts";
import { type ProcessUsage, processUsage } from "./process-usage.ts";

/** One process, and no later one of the same number. */
export interface ProcessRef {
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly startTicks: number;
}

export interface StepProcess extends ProcessRef {
  readonly parent: number;
  readonly session: number;
  /** The cookie's value: JOB.ATTEMPT.STEP. */
  readonly step: string;
}

export interface ProcessTable {
  /** The environment that marks a process as a step's. */
  cookie(step: string): Readonly<Record<string, string>>;
  /** Live processes of all steps whose key starts with `prefix`, those adopted as spared left out. */
  find(prefix: string): StepProcess[];
  /**
   * Makes a process, and what descends from it, a step's, also without a cookie. A spared one is never found
   * itself. `ownSession`: its pid is (or will be) a session of its own. Null if it is gone, or is not the one that started then.
   */
  adopt(
    pid: number,
    step: string,
    options: { readonly spared: boolean; readonly startTicks?: number },
  ): ProcessRef | null;
  /** Forgets one that was adopted: what descends from it is found by its own cookie. */
  release(process: ProcessRef): void;
  isAlive(process: ProcessRef): boolean;
  readonly memory: ProcessMemory;
  /** What a process used so far; null for one that is gone. */
  usage(pid: number): ProcessUsage | null;
  /** Sends a signal if that very process lives; false if it doesn't, or may not be signalled. */
  signal(process: ProcessRef, signal: number): boolean;
}

export interface ProcessTableOptions {
  /**
   * Names this node daemon's processes apart from those of another one on the same machine that runs a job of the
   * same number (a test beside a real cluster). The same after a restart.
   */
  readonly scope: string;
  /** Milliseconds that never jump. */
  readonly monotonic: () => number;
  /** `/proc`, but for tests. */
  readonly root?: string;
  readonly ownPid?: number;
}

/** Fields of /proc/PID/stat. */
export interface ProcessStat {
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly threads: number;
  readonly startTicks: number;
}

const STEP_VARIABLE = "MGPU_STEP";
const SCOPE_VARIABLE = "MGPU_STEP_SCOPE";
const DAEMON_VARIABLE = "MGPU_DAEMON";

/**
 * A stranger younger than this is looked at again in each scan: between fork and exec a process still shows the
 * environment of who forked it.
 */
const SETTLED_MS = 1_000;
const SETTLED_TICKS = 100;

/** Marks a stranger that is not looked at any more. */
const SETTLED = Number.POSITIVE_INFINITY;

/** Strangers are forgotten this often, in case that pids wrapped more than once unnoticed. */
const CACHE_AGE_MS_MAX = 60_000;

/** Larger than nearly every environment: most are read with one call. */
const READ_BYTES = 64 * 1024;

interface Known extends StepProcess {
  readonly spared: boolean;
  /** When it is looked at for the last time whether it became a daemon; SETTLED once that is done. */
  settledAt: number;
}

/** A process in a scan that no cookie decides; a daemon is nobody's relative. */
interface Undecided extends StepProcess {
  readonly isDaemon: boolean;
}

/** The machine's process table. */
export function realProcessTable(options: ProcessTableOptions): ProcessTable {
  const table = new CookieTable(options);
  return {
    cookie: (step) => ({ [STEP_VARIABLE]: step, [SCOPE_VARIABLE]: options.scope }),
    find: (prefix) => table.find(prefix),
    adopt: (pid, step, { spared, startTicks }) => table.adopt(pid, step, spared, startTicks),
    release: (ref) => table.release(ref),
    isAlive: (ref) => table.isAlive(ref),
    memory: realProcessMemory(options.root),
    usage: (pid) => processUsage(pid, options.root),
    signal: (ref, signal) => table.signal(ref, signal),
  };
}

/** Reads one line of /proc/PID/stat; the command's name may hold blanks and parentheses. Undefined for nonsense. */
export function parseStat(line: string): ProcessStat | undefined {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  // The first of these is field 3, the state.
  const field = (number: number): number => Number(fields[number - 3]);
  const [state] = fields;
  const stat = { parent: field(4), session: field(6), threads: field(20), startTicks: field(22) };
  if (state === undefined || !Object.values(stat).every(Number.isSafeInteger)) return undefined;
  return { state, ...stat };
}

class CookieTable {
  private readonly scope: string;
  private readonly monotonic: () => number;
  private readonly root: string;
  private readonly ownPid: number;
  private readonly known = new Map<number, Known>();
  /** Strangers by pid, with when they are looked at for the last time; SETTLED once that is done. */
  private readonly strangers = new Map<number, number>();
  private strangersSince = 0;
  /** Start of the youngest process seen: an older one is settled. */
  private newestTicks = 0;
  private lastPid = 0;
  private ownSession: number | undefined;
  private readonly buffer = Buffer.alloc(READ_BYTES);

  constructor({ scope, monotonic, root = "/proc", ownPid = process.pid }: ProcessTableOptions) {
    this.scope = scope;
    this.monotonic = monotonic;
    this.root = root;
    this.ownPid = ownPid;
  }

  find(prefix: string): StepProcess[] {
    this.scan();
    return [...this.known.values()].filter((one) => !one.spared && one.step.startsWith(prefix));
  }

  adopt(pid: number, step: string, spared: boolean, known?: number): ProcessRef | null {
    const stat = this.readStat(pid);
    if (stat === undefined || !this.mayBelong(pid) || stat.startTicks !== (known ?? stat.startTicks)) return null;
    // Its own session, even if it has not made it yet: until then it is in ours.
    const { startTicks, parent } = stat;
    this.known.set(pid, { pid, startTicks, parent, session: pid, step, spared, settledAt: SETTLED });
    this.strangers.delete(pid);
    this.newestTicks = Math.max(this.newestTicks, stat.startTicks);
    return { pid, startTicks };
  }

  release({ pid, startTicks }: ProcessRef): void {
    if (this.known.get(pid)?.startTicks !== startTicks) return;
    this.known.delete(pid);
    // It lives on, and so does its session: a child that was seen before it had one of its own must not stand for it.
    this.strangers.set(pid, SETTLED);
    for (const one of this.known.values()) {
      if (one.session === pid) this.known.set(one.pid, { ...one, session: one.pid });
    }
  }

  isAlive({ pid, startTicks }: ProcessRef): boolean {
    const stat = this.readStat(pid);
    return stat !== undefined && stat.startTicks === startTicks && !isGone(stat);
  }

  signal(ref: ProcessRef, signal: number): boolean {
    if (!this.mayBelong(ref.pid) || !this.isAlive(ref)) return false;
    try {
      return process.kill(ref.pid, signal);
    } catch {
      // Gone meanwhile (ESRCH), another user's (EPERM), or no such signal (EINVAL).
      return false;
    }
  }

  private scan(): void {
    const wrapped = this.refreshCache();
    const sessions = new Map<number, string>();
    // Sessions of those that died since the last scan count once more: a child may be all that is left of them.
    if (!wrapped) this.collectSessions(sessions);
    const listed = this.listPids();
    this.refreshKnown(sessions);
    if (wrapped) this.collectSessions(sessions);
    const undecided: Undecided[] = [];
    for (const pid of listed) {
      if (this.known.has(pid) || this.strangers.get(pid) === SETTLED || !this.mayBelong(pid)) continue;
      this.classify(pid, sessions, undecided);
    }
    this.adoptRelatives(sessions, undecided);
    this.rememberStrangers(undecided);
    this.forgetGone(listed);
  }

  /** Forgets strangers when their pids may mean other processes by now; true if pids wrapped. */
  private refreshCache(): boolean {
    const now = this.monotonic();
    const lastPid = Number(this.readText("loadavg").trim().split(" ").at(-1));
    const wrapped = !(lastPid >= this.lastPid);
    this.lastPid = lastPid;
    if (wrapped || now - this.strangersSince > CACHE_AGE_MS_MAX) {
      this.strangers.clear();
      this.strangersSince = now;
    }
    return wrapped;
  }

  private listPids(): number[] {
    return fs
      .readdirSync(this.root)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  }

  private collectSessions(sessions: Map<number, string>): void {
    for (const { session, step } of this.known.values()) sessions.set(session, step);
  }

  /** Drops known processes that are gone; a session whose number names another process now is no longer a step's. */
  private refreshKnown(sessions: Map<number, string>): void {
    for (const [pid, one] of this.known) {
      const stat = this.readStat(pid);
      const lives = stat !== undefined && stat.startTicks === one.startTicks && !isGone(stat);
      const isStranger = lives && this.becameDaemon(one);
      if (lives && !isStranger) {
        // An adopted one keeps the session it is about to make until it made one.
        const session = this.isOwnSession(stat.session) ? one.session : stat.session;
        if (stat.parent !== one.parent || session !== one.session) {
          this.known.set(pid, { ...one, parent: stat.parent, session });
        }
        continue;
      }
      this.known.delete(pid);
      if (isStranger || (stat !== undefined && stat.startTicks !== one.startTicks)) sessions.delete(pid);
    }
  }

  /** Whether one that showed the environment of who forked it turned out to be a daemon. */
  private becameDaemon(one: Known): boolean {
    if (one.settledAt === SETTLED) return false;
    if (this.isSettled(one.startTicks, one.settledAt)) one.settledAt = SETTLED;
    const { step, isDaemon } = this.readMarks(one.pid);
    return step === undefined && isDaemon;
  }

  private classify(pid: number, sessions: Map<number, string>, undecided: Undecided[]): void {
    const stat = this.readStat(pid);
    if (stat === undefined) return;
    const { parent, session, startTicks } = stat;
    // A zombie never lives again; session 0 are the kernel's own and those that entered this container.
    if (isGone(stat) || session === 0) return void this.strangers.set(pid, SETTLED);
    this.newestTicks = Math.max(this.newestTicks, startTicks);
    const { step, isDaemon } = this.readMarks(pid);
    if (step === undefined) return void undecided.push({ pid, startTicks, parent, session, step: "", isDaemon });
    this.learn({ pid, startTicks, parent, session, step }, sessions);
  }

  /** Children and session members of known ones, until no more are found. */
  private adoptRelatives(sessions: Map<number, string>, undecided: Undecided[]): void {
    for (let found = true; found; ) {
      found = false;
      for (let index = undecided.length - 1; index >= 0; index--) {
        const one = undecided[index] as Undecided;
        if (one.isDaemon) continue;
        const step = this.known.get(one.parent)?.step ?? sessions.get(one.session);
        if (step === undefined) continue;
        undecided.splice(index, 1);
        this.learn({ ...one, step }, sessions);
        found = true;
      }
    }
  }

  private learn({ pid, startTicks, parent, session, step }: StepProcess, sessions: Map<number, string>): void {
    const settledAt = this.monotonic() + SETTLED_MS;
    const one = { pid, startTicks, parent, session, step, spared: false, settledAt };
    this.known.set(pid, one);
    this.strangers.delete(one.pid);
    if (!this.isOwnSession(one.session)) sessions.set(one.session, one.step);
  }

  private rememberStrangers(strangers: readonly StepProcess[]): void {
    const now = this.monotonic();
    for (const { pid, startTicks } of strangers) {
      const settledAt = this.strangers.get(pid) ?? now + SETTLED_MS;
      this.strangers.set(pid, this.isSettled(startTicks, settledAt) ? SETTLED : settledAt);
    }
  }

  private isSettled(startTicks: number, settledAt: number): boolean {
    return startTicks + SETTLED_TICKS < this.newestTicks || this.monotonic() >= settledAt;
  }

  private forgetGone(listed: readonly number[]): void {
    if (this.strangers.size <= listed.length) return;
    const present = new Set(listed);
    for (const pid of this.strangers.keys()) if (!present.has(pid)) this.strangers.delete(pid);
  }

  private mayBelong(pid: number): boolean {
    return pid > 1 && pid !== this.ownPid;
  }

  /** Whether a session is that of this program, or the machine's first: then it says nothing. */
  private isOwnSession(session: number): boolean {
    this.ownSession ??= this.readStat(this.ownPid)?.session;
    return session <= 1 || session === this.ownSession;
  }

  private readStat(pid: number): ProcessStat | undefined {
    return parseStat(this.readText(`${pid}/stat`));
  }

  /** The step that a process's environment names, if it is one of this scope; and whether it is a daemon's. */
  private readMarks(pid: number): { readonly step: string | undefined; readonly isDaemon: boolean } {
    const environment = this.readBytes(`${pid}/environ`);
    const step = variable(environment, STEP_VARIABLE);
    const isOurs = step !== undefined && variable(environment, SCOPE_VARIABLE) === this.scope;
    return { step: isOurs ? step : undefined, isDaemon: variable(environment, DAEMON_VARIABLE) === "1" };
  }

  private readText(path: string): string {
    return this.readBytes(path).toString("latin1");
  }

  /** All of a file of /proc, valid until the next read; empty if it can't be read. */
  private readBytes(path: string): Buffer {
    let descriptor: number;
    try {
      descriptor = fs.openSync(`${this.root}/${path}`, "r");
    } catch {
      return Buffer.alloc(0);
    }
    try {
      const read = fs.readSync(descriptor, this.buffer);
      if (read < this.buffer.length) return this.buffer.subarray(0, read);
      return Buffer.concat([Buffer.from(this.buffer), fs.readFileSync(descriptor)]);
    } catch {
      return Buffer.alloc(0);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

/** A zombie; a leader whose other threads still run looks like one, but has them. */
function isGone({ state, threads }: ProcessStat): boolean {
  return (state === "Z" || state === "X" || state === "x") && threads <= 1;
}

function variable(environment: Buffer, name: string): string | undefined {
  const pattern = `${name}=`;
  for (let at = environment.indexOf(pattern); at >= 0; at = environment.indexOf(pattern, at + 1)) {
    if (at > 0 && environment[at - 1] !== 0) continue;
    const end = environment.indexOf(0, at);
    return environment.toString("utf8", at + pattern.length, end < 0 ? environment.length : end);
  }
  return undefined;
}

/** When a process started, in clock ticks after boot; null if there is none of that pid, or it has ended. */
export function startTicksOf(pid: number): number | null {
  try {
    const stat = parseStat(fs.readFileSync(`/proc/${pid}/stat`, "latin1"));
    // One that nobody has reaped yet is over all the same.
    return stat && !isGone(stat) ? stat.startTicks : null;
  } catch {
    return null;
  }
}

/** What a process runs, as the kernel has it (15 letters at most); empty for one that is gone. */
export function programOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
