/** A program that runs where the user typed the command, with the command's own streams: salloc's shell. */

import { constants } from "node:os";

/** How it ended; one of the two is 0. */
export interface ChildExit {
  readonly code: number;
  readonly signal: number;
}

export interface ChildRequest {
  /** The program, a path or a name to be found along PATH, and its arguments. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** In a session of its own: without our terminal, so that all its processes can be signalled together. */
  readonly isApart: boolean;
}

/** Starts a program; rejects with Node's error if it can't be started. */
export async function startChild({ argv, environment, isApart }: ChildRequest) {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { env: environment, stdio: "inherit", detached: isApart });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(signal === null ? { code: code ?? 0, signal: 0 } : { code: 0, signal: constants.signals[signal] });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const pid = child.pid ?? 0;
  return {
    exited,
    signal(signal: number): void {
      try {
        process.kill(isApart ? -pid : pid, signal);
      } catch {
        // It is over, or has become somebody else's.
      }
    },
  };
}
