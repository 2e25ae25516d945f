/** What a command may touch. Commands never print, exit or read `process` by themselves. */

import type { loadConfig } from "../config/load.ts";
import type { Environment, Places } from "../config/places.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { MachineFacts } from "../platform/machine-facts.ts";
import type { Net } from "../platform/net.ts";
import type { Prober } from "../platform/probe.ts";
import type { Random } from "../platform/random.ts";
import type { Credential } from "../platform/secure.ts";
import type { Tcp } from "../platform/tcp.ts";
import type { Invitation } from "../protocol/identity.ts";
import type { AttachPoint } from "../protocol/procedures.ts";
import type * as replay from "../replay/main.ts";
import type { Connected } from "../rpc/types.ts";
import type { OperandMode, Option, ParsedOptions } from "./option.ts";
import type { SlurmHandOver } from "./slurm.ts";
import type { Target } from "./target.ts";

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
  /** A file's bytes, or standard input's (`null`), until the end or until `goOn` says no to a piece; throws like read. */
  readWhile(path: string | null, goOn: (piece: Uint8Array) => boolean): Uint8Array;
  isFolder(path: string): boolean;
  /** Whether this machine knows a user of that name. */
  isUser(name: string): boolean;
  /**
   * Why a folder can't be trusted to hold our sockets: it is somebody else's, or others may write there.
   * @param owner whose it should be; ours unless given
   */
  trustProblem(path: string, owner?: number): string;
  /** Whether something is there. */
  exists(path: string): boolean;
  /** Whether a program can be run: a path, or a name looked up in `pathVariable`. */
  findProgram(name: string, cwd: string, pathVariable: string): "found" | "missing" | "not executable" | "a folder";
  /** The file that running a program means: a path, or a name looked up in `pathVariable`; as typed if there is none. */
  programPath(name: string, cwd: string, pathVariable: string): string;
  /** Empty if the file can be opened for writing (it is not made), else the reason in words. */
  writeProblem(path: string): string;
  /** Makes or replaces a file. Throws Node's error. */
  write(path: string, data: Uint8Array): void;
  /** Makes or replaces a file as a whole, and its folder; only the user can read it. Throws Node's error. */
  replace(path: string, data: Uint8Array): void;
  /** Makes a folder, and those above it; one that is there is fine. Throws Node's error. */
  makeFolder(path: string): void;
  /** What is known of a file without reading it. Throws Node's error. */
  stat(path: string): FileFacts;
  /** The file's bytes, in parts of at most so many. Throws Node's error. */
  chunks(path: string, bytes: number): Iterable<Uint8Array>;
  /** Part of a plain file and its size; `null` if there is none. Rejects with Node's error. */
  window(
    path: string,
    from: number,
    bytes: number,
  ): Promise<{ readonly data: Uint8Array; readonly size: number } | null>;
  /** Makes a symbolic link, and its folder; empty if it is there (already), else the reason in words. */
  link(target: string, path: string): string;
  /** Removes a file; one that is not there is no matter. Throws Node's error. */
  remove(path: string): void;
}

/** A file as its folder knows it. */
export interface FileFacts {
  readonly isFile: boolean;
  /** Bytes. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Milliseconds since 1970. */
  readonly atimeMs: number;
  readonly mtimeMs: number;
}

/** Signals that a command may want to hear of. */
export type SignalName =
  | "SIGINT"
  | "SIGTERM"
  | "SIGHUP"
  | "SIGQUIT"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGCONT"
  | "SIGWINCH"
  | "SIGTSTP";

/** Standard input as it comes. */
export interface Input {
  /** Hands over chunk after chunk, never the next before `take` resolved; resolves at the end of the input. */
  read(take: (chunk: Uint8Array) => Promise<void>): Promise<void>;
  /** Reads no more; a `read` under way resolves. */
  stop(): void;
}

/** The terminal on which the command runs. */
export interface Terminal {
  /** `null` where stdout is no terminal. */
  size(): { readonly columns: number; readonly rows: number } | null;
  /** Whether its keys are ours: a shell's background job would be stopped as soon as it read them or went raw. */
  isForeground(): boolean;
  /**
   * Raw mode: every key reaches the reader of stdin unchanged. The returned function undoes it; so does the end of
   * the process, whichever way it ends.
   */
  raw(): () => void;
  /** Takes the whole screen; the returned function gives it back, and so does the end of the process. */
  fullScreen(): () => void;
  /** Stops us and all that our shell started with us; returns when we are to go on. */
  suspend(): void;
  /** Whether who started us still lives: without it nobody gives the terminal back to its shell. */
  hasParent(): boolean;
}

/** What a command needs to stand between the user and a running step. Nothing is loaded or opened before its use. */
export interface SessionPorts {
  readonly input: Input;
  readonly terminal: Terminal;
  /** From the first call on the signal does not do what it would; the returned function ends that. */
  onSignal(name: SignalName, handler: () => void): Cancel;
  /** Connects to the holder of a step, wherever that is; rejects if there is none. */
  connectHolder(point: AttachPoint): Promise<Connected>;
  /** Starts a program here, with our own streams; rejects with Node's error if it can't be started. */
  startChild(request: ChildRequest): Promise<Child>;
}

/** A program to run where the command was typed. */
export interface ChildRequest {
  /** The program, a path or a name to be found along PATH, and its arguments. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** In a session of its own: without our terminal, so that all its processes can be signalled together. */
  readonly isApart: boolean;
}

/** A program that runs here. */
export interface Child {
  /** How it ended; one of the two is 0. */
  readonly exited: Promise<{ readonly code: number; readonly signal: number }>;
  /** Sends it a signal; all its processes if it runs apart. */
  signal(signal: number): void;
}

/** The shell in which the command was typed: what a job takes over from it. */
export interface Shell {
  /** File mode bits that new files don't get. */
  umask(): number;
  /** Soft limits by Slurm's names (`NOFILE`), -1 for none. */
  limits(): Readonly<Record<string, number>>;
  /** The variables that a login shell of this user sets; `null` if it did not say so in time. */
  loginEnvironment(timeoutMs: number): Promise<Readonly<Record<string, string>> | null>;
}

export interface CommandContext {
  /** Where the launchers of all commands lie, an absolute path. */
  readonly launcherFolder: string;
  /** The name the user typed, without folder: `mgpu-squeue`, or `squeue` through a shim. Messages start with it. */
  readonly program: string;
  /** Of mgpu: `0.1.0`. */
  readonly version: string;
  readonly environment: Environment;
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  /** Short host name. */
  readonly hostname: string;
  readonly places: Places;
  readonly stdio: Stdio;
  readonly files: Files;
  readonly shell: Shell;
  readonly clock: Clock;
  readonly random: Random;
  readonly net: Net;
  readonly session: SessionPorts;
  /** Loaded at its first use: few commands have one. */
  tcp(): Promise<Tcp>;
  /** How far local time is ahead of UTC at a moment, in minutes. */
  utcOffsetMinutes(atMs: number): number;
  /** Opens the terminal UI, which is loaded then, until it is left; the exit code. */
  openTui(request: TuiRequest): Promise<number>;
  /** Connects to a controller on another machine. @throws UserError with advice */
  remote(invitation: Invitation): Promise<Connected>;
  /** Loaded at its first use. */
  machine(): Promise<MachinePorts>;
  /** Loaded at its first use. */
  doctor(): Promise<DoctorPorts>;
  /** What Slurm's own command is handed over to instead; `null` where the chosen cluster is mgpu's. @throws UserError */
  slurm(): SlurmHandOver | null;
  /** From now on `connect` means the cluster of that profile (-M). */
  chooseCluster(name: string): void;
  /** What -M named: commands that messages tell to type have it again. */
  readonly namedCluster?: string;
  /** The configuration of this machine, whose parser is loaded then. */
  loadConfig(): ReturnType<typeof loadConfig>;
  /** The replay of traces, which is loaded then. */
  loadReplay(): ReplayEngine;
  /** Connects to the controller, starting one on this machine if none is configured or running. */
  connect(options?: ConnectOptions): Promise<Connected>;
}

/** The node daemon of a machine that joined a cluster. */
export interface MachinePorts {
  /** Starts it, detached, with variables that our environment may lack. */
  startNode(variables: Readonly<Record<string, string>>): Promise<{
    readonly logFile: string;
    /** Bytes that the log had before. */
    readonly logFrom: number;
    /** Resolves should it end while we wait. */
    readonly exited: Promise<unknown>;
  }>;
  /** The process that is the daemon of a node; `null` if there is none. */
  findNode(node: string): Promise<{ readonly pid: number | null } | null>;
  /** Asks a process to end (SIGTERM). */
  endProcess(pid: number): void;
  /** Asks the holders of a node to end as soon as nothing runs in them; how many there are. */
  endHolders(node: string): number;
}

/** What `mgpu doctor` looks at. Nothing here rejects but `connect`. */
export interface DoctorPorts {
  readonly prober: Prober;
  /** Numbers of this machine, loopback left out. */
  readonly addresses: readonly string[];
  /** Looks at this machine; `state folder` and the like are looked at with our own rights. */
  examine(folders: readonly { readonly what: string; readonly path: string }[]): Promise<MachineFacts>;
  /** Daemons of mgpu whose program file is gone. */
  orphanedDaemons(): readonly { readonly pid: number; readonly program: string; readonly file: string }[];
  /** Which process works with the state folder; `null` if none does. */
  findController(): Promise<{ readonly pid: number | null } | null>;
  /** Where commands would find their controller. @throws UserError as they would */
  target(): Target;
  /** Connects to another machine and says hello; rejects with what the system, TLS or the other side says. */
  connect(target: string, credential: Credential): Promise<Connected>;
}

/** What `mgpu sim` needs to replay traces. */
export type ReplayEngine = typeof replay & {
  /** The contents of a gzip file; throws Node's error. */
  gunzip(data: Uint8Array): Uint8Array;
};

/** How the terminal UI is to look and behave. */
export interface TuiRequest {
  /** A simulated cluster, without any daemon. */
  readonly isDemo: boolean;
  /** Nothing can be changed. */
  readonly isReadOnly: boolean;
  /** No characters beyond ASCII. */
  readonly isAscii: boolean;
}

export interface ConnectOptions {
  /** Whether a controller may be started on this machine if none runs; yes, unless it is said. */
  readonly start?: boolean;
  /** Whether the user asks for the start itself: one that ran apart from its nodes is started for nothing less. */
  readonly isAsked?: boolean;
  /** Whether mgpu on this machine is meant, whatever the user's default profile says. */
  readonly isHere?: boolean;
}

/** One command. `run` gets parsed options without problems and returns the exit code. */
export interface Command {
  /** `squeue`: without `mgpu-`. */
  readonly name: string;
  readonly summary: string;
  /** Further sentences of --help; absent for none. */
  readonly notes?: readonly string[];
  /** After the program's name: `[OPTIONS...] executable [args...]`. */
  readonly synopsis: string;
  readonly options: readonly Option[];
  readonly operands: OperandMode;
  readonly examples: readonly string[];
  run(parsed: ParsedOptions, context: CommandContext): Promise<number>;
}

/** How a message begins under Slurm's names, which differs there from message to message: `PROGRAM: error: `, or not. */
export type Severity = "error" | "fatal" | "bare";

/** A user's mistake or a refusal: one message or several, all shown, then the hint; exit code 1 unless said. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly problems: readonly string[];
  readonly hint: string | undefined;
  readonly exitCode: number;
  readonly severity: Severity;

  constructor(problems: string | readonly string[], hint?: string, exitCode = 1, severity: Severity = "error") {
    const list = typeof problems === "string" ? [problems] : problems;
    super(list.join("; "));
    this.problems = list;
    this.hint = hint;
    this.exitCode = exitCode;
    this.severity = severity;
  }
}
