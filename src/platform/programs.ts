/** Programs of others that are run for what they print: Slurm's commands. */

import { closeSync, openSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What a program did. */
export interface ProgramRun {
  /** 128 + the signal for one that was ended by it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOrder {
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Its standard input; without it there is none. */
  readonly input?: Uint8Array;
  /** Milliseconds after which it is killed. */
  readonly limitMs: number;
}

export interface Programs {
  /** Runs a program to its end. Rejects with Node's error if it can't be started. */
  run(order: ProgramOrder): Promise<ProgramRun>;
  /** The first program of a name along a PATH that is none of mgpu's and not in `except`, links followed; `null` for none. */
  find(name: string, pathVariable: string, except: string): string | null;
  /** Starts one in a session of its own, without input; rejects with Node's error. */
  startApart(order: ApartOrder): Promise<ApartProgram>;
}

/** A program that goes on without us. */
export interface ApartOrder {
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What it prints goes there; the file is made. */
  readonly log: string;
}

export interface ApartProgram {
  /** Resolves with its exit code, 128 + the signal, should it end while we look. */
  readonly exited: Promise<number>;
  signal(signal: NodeJS.Signals): void;
}

/** A list of a hundred thousand jobs as JSON is some 400 MB. */
const OUTPUT_BYTES_MAX = 1 << 30;

const EXECUTABLE = 0o111;

/** The machine's own. */
export function realPrograms(): Programs {
  return { run, find, startApart };
}

function run({ file, args, environment, cwd, input, limitMs }: ProgramOrder): Promise<ProgramRun> {
  const { execFile } = process.getBuiltinModule("node:child_process");
  const { constants } = process.getBuiltinModule("node:os");
  const options = { env: environment, maxBuffer: OUTPUT_BYTES_MAX, timeout: limitMs, killSignal: "SIGKILL" as const };
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      [...args],
      cwd === undefined ? options : { ...options, cwd },
      (error, stdout, stderr) => {
        const { exitCode, signalCode } = child;
        if (exitCode === null && signalCode === null) return reject(error);
        const code = exitCode ?? 128 + (signalCode === null ? 0 : constants.signals[signalCode]);
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

async function startApart({ file, args, environment, log }: ApartOrder): Promise<ApartProgram> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const { constants } = process.getBuiltinModule("node:os");
  const output = openSync(log, "a", 0o600);
  const child = spawn(file, [...args], { env: environment, stdio: ["ignore", output, output], detached: true });
  closeSync(output);
  const exited = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.unref();
  return { exited, signal: (signal) => void child.kill(signal) };
}

function find(name: string, pathVariable: string, except: string): string | null {
  const barred = real(except);
  for (const folder of pathVariable.split(":").filter((one) => one.startsWith("/"))) {
    const path = join(folder, name);
    const target = real(path);
    // Links of another mgpu would lead there and back for ever.
    if (isProgram(path) && dirname(target) !== barred && !/^mgpu(-|$)/.test(basename(target))) return path;
  }
  return null;
}

function isProgram(path: string): boolean {
  try {
    const facts = statSync(path);
    return facts.isFile() && (facts.mode & EXECUTABLE) !== 0;
  } catch {
    return false;
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
