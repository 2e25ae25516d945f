/** Runs a small program for its output. It always answers in time, even when the program hangs in a driver. */

import { execFile } from "node:child_process";

/**
 * How a run ended.
 * - `missing`: there is no such program
 * - `failed`: it could not be run or hung; `problem` says why
 * - `ended`: it ran; the code is -1 if a signal ended it
 */
export type ProgramResult =
  | { readonly outcome: "missing" }
  | { readonly outcome: "failed"; readonly problem: string }
  | { readonly outcome: "ended"; readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end; never rejects. @param environment all its variables; those of this process if absent */
export type RunProgram = (
  program: string,
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
) => Promise<ProgramResult>;

/** nvidia-smi takes up to some seconds when no driver is loaded yet; a longer wait means that it hangs. */
const TIMEOUT_MS = 10_000;

/** Far beyond what 64 GPUs with hundreds of processes print. */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

/**
 * A runner of real programs.
 * @param timeoutMs after which a program is killed and reported as failed
 */
export function programRunner(timeoutMs = TIMEOUT_MS): RunProgram {
  // A process stuck in a driver can't be killed. Starting another one every few seconds would pile them up.
  const stuck = new Set<string>();
  return (program, args, environment) => {
    if (stuck.has(program)) {
      return Promise.resolve({ outcome: "failed", problem: `${program} hangs; an earlier run of it has not ended` });
    }
    return new Promise((resolve) => {
      // In `/`: a working directory that was removed would look like a missing program.
      const options = { cwd: "/", maxBuffer: OUTPUT_BYTES_MAX, env: environment ?? { ...process.env, LC_ALL: "C" } };
      const child = execFile(program, [...args], options, (error, stdout, stderr) => {
        clearTimeout(timer);
        stuck.delete(program);
        resolve(resultOf(program, error, stdout, stderr));
      });
      // Who asks its standard input for something gets no answer, rather than none for ever.
      child.stdin?.on("error", () => {});
      child.stdin?.end();
      const timer = setTimeout(() => {
        stuck.add(program);
        child.kill("SIGKILL");
        resolve({ outcome: "failed", problem: `${program} did not answer within ${timeoutMs / 1000} s` });
      }, timeoutMs);
    });
  };
}

function resultOf(
  program: string,
  error: (Error & { code?: unknown; killed?: unknown }) | null,
  stdout: string,
  stderr: string,
): ProgramResult {
  if (error === null) return { outcome: "ended", code: 0, stdout, stderr };
  if (error.code === "ENOENT") return { outcome: "missing" };
  if (typeof error.code === "number") return { outcome: "ended", code: error.code, stdout, stderr };
  if (error.code === undefined || error.code === null) return { outcome: "ended", code: -1, stdout, stderr };
  return { outcome: "failed", problem: `${program} can't be run: ${error.message}` };
}
