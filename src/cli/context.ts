/** What a command may touch. Commands never print, exit or read `process` by themselves. */

import type { Environment, Places } from "../config/places.ts";
import type { Clock } from "../platform/clock.ts";
import type { Net } from "../platform/net.ts";
import type { Random } from "../platform/random.ts";
import type { Connected } from "../rpc/types.ts";
import type { Option, OperandMode, ParsedOptions } from "./option.ts";

/** Standard streams, and what they are connected to. */
export interface Stdio {
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Synchronous and complete: retried until all is written; a reader that is gone ends the command quietly. */
  out(data: string | Uint8Array): void;
  err(data: string | Uint8Array): void;
}

/** The few questions that commands ask of the file system. Paths may be relative to the working directory. */
export interface Files {
  /** The file's bytes; throws Node's error with its `code`. */
  read(path: string): Uint8Array;
  readStdin(): Uint8Array;
  isFolder(path: string): boolean;
  /** Whether a program can be run: a path, or a name looked up in `pathVariable`. */
  findProgram(name: string, cwd: string, pathVariable: string): "found" | "missing" | "not executable" | "a folder";
  /** Empty if the file can be opened for writing (it is not made), else the reason in words. */
  writeProblem(path: string): string;
}

export interface CommandContext {
  /** The name the user typed, without folder: `mgpu-squeue`, or `squeue` through a shim. Messages start with it. */
  readonly program: string;
  readonly environment: Environment;
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  /** Short host name. */
  readonly hostname: string;
  readonly places: Places;
  readonly stdio: Stdio;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly net: Net;
  /** Connects to the controller, starting one on this machine if none is configured or running. */
  connect(options?: { readonly start?: boolean }): Promise<Connected>;
}

/** One command. `run` gets parsed options without problems and returns the exit code. */
export interface Command {
  /** `squeue`: without `mgpu-`. */
  readonly name: string;
  readonly summary: string;
  /** After the program's name: `[OPTIONS...] executable [args...]`. */
  readonly synopsis: string;
  readonly options: readonly Option[];
  readonly operands: OperandMode;
  readonly examples: readonly string[];
  run(parsed: ParsedOptions, context: CommandContext): Promise<number>;
}

/** A user's mistake or a refusal: one message or several, all shown, then the hint; exit code 1 unless said. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly problems: readonly string[];
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(problems: string | readonly string[], hint?: string, exitCode = 1) {
    const list = typeof problems === "string" ? [problems] : problems;
    super(list.join("; "));
    this.problems = list;
    this.hint = hint;
    this.exitCode = exitCode;
  }
}
