/** A connection through a program: what is sent goes into it, and it prints, in frames (util/lined.ts), what comes back. */

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { LinedReader, linedFrames, linedMark } from "../util/lined.ts";
import type { Connection, ConnectionEvents } from "./net.ts";

export interface PipeOrder {
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Time for a program to end by itself once its input is closed, and once it was told to. */
const END_MS = 5000;

/** What is kept of what it complains of. */
const COMPLAINTS_MAX = 4096;

/**
 * Connects through a program, which has no part in our terminal and its signals. Resolves when somebody of ours is at the
 * other end; rejects with what the program complained of if it ends before.
 */
export function connectThroughProgram(
  { file, args, environment }: PipeOrder,
  events: ConnectionEvents,
): Promise<Connection> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args], { env: environment, stdio: "pipe", detached: true });
    const reader = new LinedReader();
    let complaints = "";
    let isOpen = false;
    child.stdout.on("data", (chunk: Buffer) => {
      try {
        const parts = reader.take(chunk);
        if (reader.isOpen && !isOpen) {
          isOpen = true;
          resolve(connectionOf(child));
        }
        for (const part of parts) events.data(part);
      } catch {
        child.kill("SIGKILL");
      }
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaints = (complaints + chunk.toString()).slice(-COMPLAINTS_MAX);
    });
    child.stdin.on("error", () => {});
    child.stdin.on("drain", () => events.drain());
    child.once("error", reject);
    child.once("close", (code) => {
      const said = complaints.trim().split("\n").at(-1) || `${file} ended with exit code ${code}`;
      if (isOpen) events.close(code === 0 ? "" : said);
      else reject(new Error(said));
    });
  });
}

function connectionOf(child: ChildProcessWithoutNullStreams): Connection {
  return {
    write: (data) => child.stdin.writable && child.stdin.write(data),
    pause: () => void child.stdout.pause(),
    resume: () => void child.stdout.resume(),
    close() {
      child.stdin.end();
      const timers = [
        setTimeout(() => child.kill("SIGTERM"), END_MS),
        setTimeout(() => child.kill("SIGKILL"), 2 * END_MS),
      ];
      for (const timer of timers) timer.unref();
      child.once("close", () => timers.forEach((timer) => void clearTimeout(timer)));
    },
  };
}

/**
 * The other end, within a job: passes on what comes on standard input to a Unix socket, and what the socket says to
 * standard output. Resolves to the exit code, when either is over.
 */
export function relaySocket(path: string): Promise<number> {
  const { connect } = process.getBuiltinModule("node:net");
  const { stdin, stdout } = process;
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      stdout.write(linedMark());
      stdin.on("data", (chunk: Buffer) => {
        if (!socket.write(chunk)) stdin.pause();
      });
      stdin.once("end", () => socket.end());
    });
    socket.on("drain", () => void stdin.resume());
    socket.on("data", (chunk: Buffer) => {
      const hasRoom = linedFrames(chunk).map((frame) => stdout.write(frame));
      if (hasRoom.includes(false)) socket.pause();
    });
    stdout.on("drain", () => void socket.resume());
    stdout.on("error", () => socket.destroy());
    let problem = "";
    socket.once("error", (error: NodeJS.ErrnoException) => {
      problem = error.code ?? error.message;
    });
    socket.once("close", () => {
      if (problem !== "") process.stderr.write(`mgpu: the session's holder can't be reached at ${path}: ${problem}\n`);
      stdout.write("", () => resolve(problem === "" ? 0 : 1));
    });
  });
}
