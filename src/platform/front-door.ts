/**
 * Where launchers ask a front to run a command (bin/, src/decisions/0029-front.md), made of what a plain shell can use without
 * starting a program: FIFOs and files.
 *
 * In the front's folder lie `door`, into which launchers write lines, and slots: a FIFO `s0` for answers, and `c0` while
 * a launcher has claimed it, made by that launcher exclusively and removed here. `c PID COUNT T` calls with COUNT
 * arguments (T is 1 if stdin is a terminal), `d PID` says that the answer was read. With an exit code `o` and `e` may come:
 * then there are files `o0` and `e0` for the launcher to write to its stdout and stderr. A launcher's slot is its pid modulo
 * their number. The front has all FIFOs open for writing: should it end, its launchers read an end of file.
 *
 * Of a command that is sent signals and shows output as it comes: `s PID INT` passes one on; lines `o` and `e` ask the
 * launcher to copy FIFOs `xo0` and `xe0` to its stdout and stderr from now on; `.` makes it look for signals; `k INT` is
 * the end of one that dies of a signal.
 */

import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { isAlive } from "./caller.ts";
import { makeFolders } from "./folders.ts";
import { type ByteSource, pipeSource } from "./pipes.ts";

/** As bin/ has it: commands that can be under way at once. */
export const SLOTS = 128;

/** Claims whose launchers were killed are looked for this often. */
const SWEEP_MS = 1000;

/** A launcher calls at once when it has its traps. What comes from one that has left may be the number of another later. */
const EARLY_MS = 5000;

/** Longest line of a launcher is some 30 bytes; more than this without an end is nothing of ours. */
const LINE_BYTES_MAX = 4096;

export interface FrontCall {
  readonly pid: number;
  /** How many arguments the command has. */
  readonly count: number;
  readonly stdinIsTerminal: boolean;
  /** The file from which the launcher reads the answer: `DEVICE:INODE`. */
  readonly answerFile: string;
  /** Writes a line of the answer; nothing once the launcher is known to be gone. */
  answer(line: string): void;
  /** The last line: the exit code, and what the launcher has to write to its stdout and stderr by itself. */
  end(code: number, out: Uint8Array, err: Uint8Array): void;
  /** Has the launcher copy a FIFO to its stdout or stderr, until its end. Answers with the FIFO's path. */
  copy(stream: "out" | "err"): string;
  /** Who hears of the signals that the launcher gets. */
  onSignal(hear: (name: LauncherSignal) => void): void;
}

/** Signals that launchers pass on; bin/ has the same list. */
export type LauncherSignal = "SIGINT" | "SIGQUIT" | "SIGHUP" | "SIGTERM" | "SIGUSR1" | "SIGUSR2" | "SIGCONT";

const SIGNAL_LINE = /^s (\d{1,10}) (INT|QUIT|HUP|TERM|USR1|USR2|CONT)$/;

export interface FrontDoor {
  /** Whether the door is still where launchers look for it. */
  isThere(): boolean;
  /** Nobody comes in any more; calls under way can still be answered. */
  shut(): void;
  /** Hears and answers nothing any more. */
  close(): void;
}

/**
 * Makes the folder's FIFOs anew and listens. Whoever calls has the folder's lock. Rejects with Node's error.
 * @param folder the user's own
 */
export async function openFrontDoor(folder: string, onCall: (call: FrontCall) => void): Promise<FrontDoor> {
  fs.rmSync(folder, { recursive: true, force: true });
  makeFolders(folder, 0o700);
  const door = join(folder, "door");
  const draft = `${door}.new`;
  const names = Array.from({ length: SLOTS }, (_, index) => join(folder, `s${index}`));
  const copied = names.flatMap((_, index) => ["xo", "xe"].map((kind) => join(folder, `${kind}${index}`)));
  await promisify(execFile)("mkfifo", ["-m", "600", draft, ...names, ...copied]);
  const slots = names.map((path, index) => new Slot(path, (kind) => join(folder, `${kind}${index}`)));
  const descriptor = openBoth(draft);
  const { dev, ino } = fs.fstatSync(descriptor);
  const source = pipeSource(descriptor);
  readLines(source, (line) => {
    const [, signalled, signal] = SIGNAL_LINE.exec(line) ?? [];
    if (signal) return slots[Number(signalled) % SLOTS]?.hear(Number(signalled), `SIG${signal}` as LauncherSignal);
    const [, word, pid, count, terminal] = /^([cd]) (\d{1,10})(?: (\d{1,7}) ([01]))?$/.exec(line) ?? [];
    const slot = slots[Number(pid) % SLOTS];
    if (slot === undefined) return;
    if (word === "d" || count === undefined) return slot.pid === Number(pid) ? slot.free() : undefined;
    const early = slot.begin(Number(pid));
    const turn = slot.turn;
    onCall({
      ...{ pid: Number(pid), count: Number(count), stdinIsTerminal: terminal === "1", answerFile: slot.file },
      answer(text) {
        if (slot.turn === turn) slot.answer(text);
      },
      end(code, out, err) {
        if (slot.turn === turn) slot.end(code, { o: out, e: err });
      },
      copy: (stream) => slot.copy(stream === "out" ? "o" : "e", slot.turn === turn),
      onSignal(hear) {
        if (slot.turn === turn) slot.signal = hear;
      },
    });
    for (const name of early) slot.signal(name);
  });
  const sweeping = setInterval(() => {
    for (const index of claimsIn(folder)) slots[index]?.sweep();
  }, SWEEP_MS);
  sweeping.unref();
  // Only now launchers find it.
  fs.renameSync(draft, door);
  return {
    isThere() {
      const info = fs.statSync(door, { throwIfNoEntry: false });
      return info?.ino === ino && info.dev === dev;
    },
    shut: () => fs.rmSync(door, { force: true }),
    close() {
      clearInterval(sweeping);
      source.close();
      for (const slot of slots) slot.close();
    },
  };
}

/** The numbers of the slots that launchers have. */
function claimsIn(folder: string): number[] {
  try {
    return fs
      .readdirSync(folder)
      .flatMap((name) => /^c(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number);
  } catch {
    return [];
  }
}

/** Signals of a launcher that has no slot. */
interface Early {
  readonly pid: number;
  readonly names: LauncherSignal[];
  /** When the first of them came, of performance.now(). */
  readonly at: number;
}

/** The way of answers to one launcher at a time. */
class Slot {
  readonly file: string;
  /** Counts the launchers that had it: what is for one of them must not reach the next. */
  turn = 0;
  /** The launcher that has it; 0 for none. */
  pid = 0;
  signal: (name: LauncherSignal) => void = () => {};
  private readonly pathOf: (kind: string) => string;
  private readonly descriptor: number;
  private readonly left: string[] = [];
  /** FIFOs that the launcher was asked to copy. */
  private readonly copied = new Set<string>();
  /** Of one that has not called yet. */
  private early: Early = { pid: 0, names: [], at: 0 };

  constructor(path: string, pathOf: (kind: string) => string) {
    this.pathOf = pathOf;
    this.descriptor = openBoth(path);
    const { dev, ino } = fs.fstatSync(this.descriptor);
    this.file = `${dev}:${ino}`;
  }

  /** A launcher has called. @returns the signals that it had before */
  begin(pid: number): LauncherSignal[] {
    this.pid = pid;
    const { names, at, pid: whose } = this.early;
    return whose === pid && performance.now() - at < EARLY_MS ? names.splice(0) : [];
  }

  /** A signal of a launcher: another's may have come late, or early. */
  hear(pid: number, name: LauncherSignal): void {
    if (pid === this.pid) return this.signal(name);
    if (pid !== this.early.pid) this.early = { pid, names: [], at: performance.now() };
    if (!this.early.names.includes(name)) this.early.names.push(name);
  }

  answer(line: string): void {
    fs.writeSync(this.descriptor, `${line}\n`);
  }

  copy(kind: "o" | "e", isTurn: boolean): string {
    const path = this.pathOf(`x${kind}`);
    if (isTurn) {
      this.copied.add(path);
      this.answer(kind);
    }
    return path;
  }

  end(code: number, texts: Readonly<Record<string, Uint8Array>>): void {
    const kinds = Object.keys(texts).filter((kind) => texts[kind]?.length);
    for (const kind of kinds) {
      fs.writeFileSync(this.pathOf(kind), texts[kind] ?? "", { mode: 0o600 });
      this.left.push(this.pathOf(kind));
    }
    this.answer(`${code} ${kinds.join("")}`.trimEnd());
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }

  /** What the last launcher left unread is not for the next one. */
  free(): void {
    this.turn++;
    this.pid = 0;
    this.signal = () => {};
    // A copier of a launcher that was killed may still wait for us: it would get what is for the next one.
    for (const path of this.copied) letGo(path);
    this.copied.clear();
    try {
      fs.readSync(this.descriptor, Buffer.alloc(LINE_BYTES_MAX));
    } catch {
      // EAGAIN: there is nothing.
    }
    for (const path of [...this.left.splice(0), this.pathOf("c")]) fs.rmSync(path, { force: true });
  }

  /** A launcher that was killed says nothing any more. */
  sweep(): void {
    try {
      const pid = fs.readFileSync(this.pathOf("c"), "latin1");
      if (/^\d+\n$/.test(pid) && !isAlive(Number(pid))) this.free();
    } catch {
      // Not claimed.
    }
  }
}

/** Who waits for a writer reads the end. */
function letGo(fifo: string): void {
  try {
    fs.closeSync(fs.openSync(fifo, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK));
  } catch {
    // ENXIO: nobody does.
  }
}

/** Opened for both, a FIFO has always a reader and a writer: nobody waits for one, and no end of file is read. */
function openBoth(path: string): number {
  return fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
}

function readLines(source: ByteSource, take: (line: string) => void): void {
  let rest = "";
  const onData = (chunk: Uint8Array): void => {
    const lines = (rest + Buffer.from(chunk).toString("latin1")).split("\n");
    rest = (lines.pop() ?? "").slice(-LINE_BYTES_MAX);
    for (const line of lines) take(line);
  };
  source.start(onData, () => {});
}
