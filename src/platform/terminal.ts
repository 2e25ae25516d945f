/**
 * Standard input as it comes, the terminal's size and raw mode, and signals. Everything here is loaded at its first
 * use: plain commands never pay for it.
 */

import { readFileSync, writeSync } from "node:fs";
import { isTerminal } from "./stdio.ts";

const STDIN_FD = 0;
const STDOUT_FD = 1;
const STDERR_FD = 2;

type SignalHandler = () => void;

const firstParent = process.ppid;

/** Whoever started us wants us to outlive the terminal (nohup, `trap '' HUP`). */
const ignoresHangup = takeHangupIgnored();

/** The process's own input. */
export function realInput() {
  let stopReading: (() => void) | null = null;
  return {
    async read(take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
      const stream = process.stdin;
      await new Promise<void>((resolve, reject) => {
        stopReading = () => {
          stream.pause();
          stream.removeAllListeners("data");
          resolve();
        };
        stream.on("data", (chunk: Buffer) => {
          // One chunk at a time: the kernel holds back whoever writes to us.
          stream.pause();
          take(chunk).then(() => stopReading !== null && stream.resume(), reject);
        });
        // One that was stopped before stays paused, whoever listens.
        if (stream.isTTY) stream.ref();
        stream.resume();
        stream.once("end", resolve);
        stream.once("close", resolve);
        // A terminal that is gone, a folder as input: there is nothing more to read.
        stream.once("error", () => resolve());
      });
    },
    stop(): void {
      stopReading?.();
      stopReading = null;
      if (process.stdin.isTTY) process.stdin.unref();
    },
  };
}

/** The process's own terminal. */
export function realTerminal() {
  return {
    size(): { columns: number; rows: number } | null {
      if (!isTerminal(STDOUT_FD)) return null;
      const [columns, rows] = process.stdout.getWindowSize();
      // A terminal that does not know its size says 0.
      return columns > 0 && rows > 0 ? { columns, rows } : { columns: 80, rows: 24 };
    },
    isForeground,
    raw,
    fullScreen,
    suspend: () => void process.kill(0, "SIGSTOP"),
    hasParent: () => process.ppid === firstParent,
  };
}

/** The terminal's foreground group is ours, or there is no controlling terminal (-1). */
function isForeground(): boolean {
  const stat = readFileSync("/proc/self/stat", "latin1");
  // State, parent, group, session, terminal, foreground group: behind the program's name in brackets.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return foreground === group || foreground === "-1";
}

/**
 * Calls `handler` instead of what the signal would do; the result undoes that. A hangup that was ignored when we were
 * started stays ignored, as with any program that nohup starts.
 */
export function onSignal(name: NodeJS.Signals, handler: SignalHandler): () => void {
  if (name === "SIGHUP" && ignoresHangup) return () => {};
  if (name === "SIGHUP") process.once(name, endByHangup);
  process.on(name, handler);
  return () => void process.off(name, handler);
}

/**
 * Node gives every signal its default meaning before any of our code runs, so the launcher has to tell. Its variable
 * goes away: a job is not started that way because its srun was.
 */
function takeHangupIgnored(): boolean {
  const isIgnored = process.env.MGPU_HANGUP_IGNORED !== undefined;
  delete process.env.MGPU_HANGUP_IGNORED;
  if (isIgnored) process.once("SIGHUP", endByHangup).on("SIGHUP", () => {});
  return isIgnored;
}

/**
 * Node aborts, with a core dump, if it can't reset a terminal at its exit. After a hangup the terminal is gone, so
 * the process ends by that very signal then, as it would have done without a handler.
 */
function endByHangup(): void {
  const { isatty } = process.getBuiltinModule("node:tty");
  process.once("exit", () => {
    if (![STDIN_FD, STDOUT_FD, STDERR_FD].some((fd) => isTerminal(fd) && !isatty(fd))) return;
    process.removeAllListeners("SIGHUP");
    process.kill(process.pid, "SIGHUP");
  });
}

/** @param isBare the terminal goes on turning line feeds into line ends: whoever prints none can save the time */
function raw(isBare = false): () => void {
  if (!isTerminal(STDIN_FD)) return () => {};
  const { stdin } = process;
  let isRaw = true;
  const restore = (): void => {
    if (!isRaw) return;
    isRaw = false;
    process.off("exit", restore);
    stdin.setRawMode(false);
  };
  stdin.setRawMode(true);
  process.on("exit", restore);
  if (!isBare) leaveOutputAlone();
  return restore;
}

/** Alternate screen and no cursor; and out of them, with lines wrapped as ever (xterm's ctlseqs). */
const ENTER_FULL_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE_FULL_SCREEN = "\x1b[0m\x1b[?2026l\x1b[?7h\x1b[?25h\x1b[?1049l";

/** The whole screen is ours until the returned function is called, or the process ends. */
function fullScreen(): () => void {
  let isOurs = true;
  const leave = (): void => {
    if (!isOurs) return;
    isOurs = false;
    process.off("exit", leave);
    put(LEAVE_FULL_SCREEN);
  };
  process.on("exit", leave);
  put(ENTER_FULL_SCREEN);
  return leave;
}

/** To a terminal that may be gone. */
function put(text: string): void {
  try {
    writeSync(STDOUT_FD, text);
  } catch {
    // Then nobody sees what it looks like.
  }
}

/**
 * Node's raw mode lets the terminal go on turning line feeds into carriage return and line feed, which the remote
 * terminal did already; programs that move the cursor with a bare line feed would draw stairs. Undone with raw mode.
 */
function leaveOutputAlone(): void {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
}
