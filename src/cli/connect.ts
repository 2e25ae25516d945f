/**
 * How commands find their controller: the one that MGPU_CONTROLLER names, else the one of this machine and user,
 * which the first command starts.
 *
 * Two first commands at once start one: the second daemon finds the lock taken and ends with EXIT_LOCKED, and its
 * command goes on with the first. Socket and endpoint files that nobody stands behind any more are seen through.
 */

import { type Endpoint, SOCKET_PATH_BYTES_MAX } from "../config/places.ts";
import { sleep } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import type { NodeRow } from "../protocol/procedures.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected, Peer } from "../rpc/types.ts";
import { type CommandContext, UserError } from "./context.ts";

/** A daemon that was just spawned and lives on without us. */
export interface StartedDaemon {
  readonly pid: number;
  readonly logFile: string;
  /** Bytes that the log had before: an earlier daemon's. */
  readonly logFrom: number;
  /** Resolves with its exit code (`null` after a signal) should it end while we wait. */
  readonly exited: Promise<number | null>;
}

export interface ConnectPorts
  extends Pick<
    CommandContext,
    "program" | "version" | "environment" | "cwd" | "user" | "places" | "stdio" | "files" | "clock" | "net"
  > {
  readonly log: Log;
  /** Spawns controller and node daemon of this machine, detached. */
  startDaemon(): Promise<StartedDaemon>;
  /** Instead of {@link connectPeer}, for tests. */
  dial?(socket: string): Promise<Connected>;
}

/** Exit code of a daemon that found another one holding its lock. */
export const EXIT_LOCKED = 75;

/** A cold start takes a second; a busy machine some more. */
const START_LIMIT_MS = 15_000;
/** A daemon that lost the race for the lock: after this long without an answer the lock's holder was on its way out. */
const LOCK_LOST_MS = 1000;
/** How long a command waits for the node of a controller that somebody else has just started. */
const YOUNG_MS = 5000;
const POLL_MS_MIN = 10;
const POLL_MS_MAX = 100;
const POLL_GROWTH = 1.5;
/** Lines of a daemon's log shown when it did not start. */
const LOG_LINES = 5;

/** No controller could be reached. `isNobodyThere` unless something is there that does not let us in, or no more. */
export class NoController extends UserError {
  readonly isNobodyThere: boolean;

  constructor(problem: string, hint: string, isNobodyThere: boolean) {
    super(problem, hint);
    this.isNobodyThere = isNobodyThere;
  }
}

/** Why a socket could not be used. */
interface Failure {
  readonly socket: string;
  readonly reason: keyof typeof REASONS;
}

const REASONS = {
  ENOENT: "there is no such socket",
  ENOTDIR: "there is no such socket",
  ECONNREFUSED: "nobody listens there any more",
  LOST_CONTACT: "it ended the connection at once",
  EACCES: "permission denied",
  EPERM: "permission denied",
} as const;

/**
 * Connects to the controller.
 * @param options start: whether one may be started on this machine if none runs
 * @throws NoController, UserError; RpcError VERSION or DEADLINE of a controller that is there
 */
export async function connectController(ports: ConnectPorts, options: { readonly start: boolean }): Promise<Connected> {
  const configured = configuredSocket(ports);
  if (configured !== null) {
    const found = await dialAny(ports, [configured]);
    if ("peer" in found) return found;
    const hint = "MGPU_CONTROLLER names it: start mgpuctld there, or unset the variable to use mgpu on this machine";
    throw noController(found, hint);
  }
  const found = await dialAny(ports, knownSockets(ports));
  if ("peer" in found) {
    if (options.start) await awaitYoung(ports, found);
    return found;
  }
  if (found.some(isRefusal))
    throw noController(found, "it belongs to somebody else; MGPU_HOME names a state folder of your own");
  if (!options.start) throw noController(found, "start it with: mgpu up");
  return startAndConnect(ports);
}

/**
 * Connects for a command of Slurm's. Under mgpu's names a controller is started if none runs; under Slurm's own
 * names nothing is ever started.
 * @returns `null` after Slurm's words were said for a controller that can't be reached
 */
export async function connectAsSlurm(context: CommandContext, complaint: string): Promise<Connected | null> {
  if (!isSlurmName(context.program)) return context.connect({ start: true });
  try {
    return await context.connect({ start: false });
  } catch (error) {
    if (!(error instanceof NoController)) throw error;
    context.stdio.err(`${complaint}: Unable to contact slurm controller (connect failure)\n`);
    return null;
  }
}

/** Whether a command was called by Slurm's own name, through a shim. */
export function isSlurmName(program: string): boolean {
  return !program.startsWith("mgpu");
}

/**
 * What may be behind a refusal of NOT_FEASIBLE: fake GPUs that are set here, but were not when mgpu was started.
 * @returns a hint, or `undefined` if that is not it
 */
export async function feasibilityHint(
  { environment }: Pick<CommandContext, "environment">,
  peer: Peer,
): Promise<string | undefined> {
  if (!environment.MGPU_FAKE_GPUS) return undefined;
  const { nodes } = await peer.call("nodes.list", {});
  if (nodes.some(({ inventory }) => inventory.gpus.length > 0)) return undefined;
  return "MGPU_FAKE_GPUS is set here, but mgpu was started without it: run mgpu down, then try again";
}

/** The path in MGPU_CONTROLLER, or `null` if the variable is not set. */
function configuredSocket({ environment, cwd }: ConnectPorts): string | null {
  const text = environment.MGPU_CONTROLLER;
  if (!text) return null;
  const hint = "set it to the path of the controller's socket, unix:/path, or unset it to use mgpu on this machine";
  if (/^tcp:/.test(text) || /^[^/]+:\d+$/.test(text)) {
    throw new UserError(`MGPU_CONTROLLER=${text}: TCP comes with a later version`, hint);
  }
  const path = text.replace(/^unix:(\/\/)?/, "");
  if (!path.includes("/")) throw new UserError(`MGPU_CONTROLLER: expected unix:/path, got "${text}"`, hint);
  const socket = path.startsWith("/") ? path : `${cwd}/${path}`;
  if (new TextEncoder().encode(socket).length > SOCKET_PATH_BYTES_MAX) {
    throw new UserError(
      `MGPU_CONTROLLER: ${socket} is longer than the ${SOCKET_PATH_BYTES_MAX} bytes of a socket`,
      hint,
    );
  }
  return socket;
}

/**
 * Where a controller of this machine may listen: where the last one said it does, then the usual place, whose name
 * anybody can guess.
 * @throws UserError if somebody else has that place: our scripts and environments are not for them
 */
function knownSockets({ files, places }: ConnectPorts): string[] {
  const trap = files.trustProblem(places.runtime);
  if (trap !== "")
    throw new UserError(`${trap}: mgpu's sockets can't be there`, "set XDG_RUNTIME_DIR to a folder of your own");
  let told: string | undefined;
  try {
    const endpoint = JSON.parse(new TextDecoder().decode(files.read(places.endpointFile))) as Partial<Endpoint>;
    if (typeof endpoint.socket === "string") told = endpoint.socket;
  } catch {
    // No such file, or not yet written: the usual place is left.
  }
  return told === undefined || told === places.controllerSocket
    ? [places.controllerSocket]
    : [told, places.controllerSocket];
}

/** The first of some sockets that answers, or why none did. */
async function dialAny(ports: ConnectPorts, sockets: readonly string[]): Promise<Connected | readonly Failure[]> {
  const failures: Failure[] = [];
  for (const socket of sockets) {
    try {
      return await dial(ports, socket);
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      failures.push({ socket, reason });
    }
  }
  return failures;
}

function dial(ports: ConnectPorts, socket: string): Promise<Connected> {
  if (ports.dial) return ports.dial(socket);
  const { version, user } = ports;
  return connectPeer(ports, { path: socket }, { role: "client", protocol: PROTOCOL, version, user });
}

function reasonOf(error: unknown): Failure["reason"] | undefined {
  const code = error instanceof RpcError ? error.code : (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && Object.hasOwn(REASONS, code) ? (code as Failure["reason"]) : undefined;
}

/** Somebody is there, but not for us. */
function isRefusal({ reason }: Failure): boolean {
  return reason === "EACCES" || reason === "EPERM";
}

function noController(failures: readonly Failure[], hint: string): NoController {
  const tried = failures.map(({ socket, reason }) => `${socket}: ${REASONS[reason]}`).join("; ");
  // One that hangs up is about to end, but has not ended.
  const isNobodyThere = failures.every((failure) => !isRefusal(failure) && failure.reason !== "LOST_CONTACT");
  return new NoController(`can't reach the controller: ${tried}`, hint, isNobodyThere);
}

/** A controller that somebody started a moment ago may not know its node yet: a job would be refused. */
async function awaitYoung({ clock }: ConnectPorts, { peer, answer }: Connected): Promise<void> {
  const ageMs = clock.now() - answer.startedAt;
  if (ageMs >= 0 && ageMs < YOUNG_MS) await awaitNodes(clock, peer, clock.monotonic() + YOUNG_MS - ageMs);
}

/** Starts a daemon and connects once it answers and its node is there. */
async function startAndConnect(ports: ConnectPorts): Promise<Connected> {
  const { clock, stdio, program } = ports;
  const endMs = clock.monotonic() + START_LIMIT_MS;
  let daemon = await start(ports);
  let delayMs = POLL_MS_MIN;
  let missing = "it did not answer";
  for (;;) {
    const found = await dialAny(ports, knownSockets(ports));
    if ("peer" in found) {
      const nodes = await nodesOrNone(clock, found.peer, endMs);
      if (nodes.length > 0) {
        // Only one of several first commands has started it.
        if (found.answer.pid === daemon.pid) stdio.err(`${program}: ${startedText(nodes)}\n`);
        return found;
      }
      found.peer.close();
      missing = "its node did not register";
    }
    const { exit } = daemon;
    if (exit !== null && exit.code !== EXIT_LOCKED) throw startFailure(ports, daemon, exitText(exit.code));
    if (clock.monotonic() >= endMs) throw startFailure(ports, daemon, `${missing} within ${START_LIMIT_MS / 1000} s`);
    if (exit !== null && clock.monotonic() - exit.atMs > LOCK_LOST_MS) daemon = await start(ports);
    await sleep(clock, delayMs);
    delayMs = Math.min(delayMs * POLL_GROWTH, POLL_MS_MAX);
  }
}

/** A daemon on its way up, and its end if that came first. */
interface Starting extends Pick<StartedDaemon, "pid" | "logFile" | "logFrom"> {
  exit: { readonly code: number | null; readonly atMs: number } | null;
}

async function start(ports: ConnectPorts): Promise<Starting> {
  try {
    const { exited, ...daemon } = await ports.startDaemon();
    const starting: Starting = { ...daemon, exit: null };
    exited.then(
      (code) => {
        starting.exit = { code, atMs: ports.clock.monotonic() };
      },
      () => {},
    );
    return starting;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const hint = `MGPU_HOME names another state folder than ${ports.places.home}`;
    throw new UserError(`mgpu could not be started on this machine: ${message}`, hint);
  }
}

/** Like {@link awaitNodes}; a daemon that ends meanwhile has none. */
async function nodesOrNone(clock: ConnectPorts["clock"], peer: Peer, endMs: number): Promise<readonly NodeRow[]> {
  try {
    return await awaitNodes(clock, peer, endMs);
  } catch (error) {
    if (reasonOf(error) === "LOST_CONTACT") return [];
    throw error;
  }
}

/** The nodes, as soon as the daemon of one is connected; none if that takes too long. */
async function awaitNodes(clock: ConnectPorts["clock"], peer: Peer, endMs: number): Promise<readonly NodeRow[]> {
  for (;;) {
    const { nodes } = await peer.call("nodes.list", {});
    const connected = nodes.filter((node) => node.connected);
    if (connected.length > 0 || clock.monotonic() >= endMs) return connected;
    await sleep(clock, POLL_MS_MIN);
  }
}

function startedText(nodes: readonly NodeRow[]): string {
  const gpus = nodes.reduce((sum, { inventory }) => sum + inventory.gpus.length, 0);
  const cpus = nodes.reduce((sum, { inventory }) => sum + inventory.cpus, 0);
  const what = `${gpus} ${gpus === 1 ? "GPU" : "GPUs"}, ${cpus} ${cpus === 1 ? "CPU" : "CPUs"}`;
  const problem = nodes.find(({ inventory }) => inventory.gpuProblem)?.inventory.gpuProblem;
  return `started mgpu on this machine: ${what} (mgpu down ends it)${problem ? `; GPUs: ${problem}` : ""}`;
}

function exitText(code: number | null): string {
  return code === null ? "it was killed" : `it ended with exit code ${code}`;
}

function startFailure({ files }: ConnectPorts, { logFile, logFrom }: Starting, what: string): UserError {
  let lines: string[] = [];
  try {
    const text = new TextDecoder().decode(files.read(logFile).subarray(logFrom));
    lines = text.split("\n").map(logText).filter(Boolean).slice(-LOG_LINES);
  } catch {
    // Without a log file the exit code has to do.
  }
  const problems = [`mgpu was started on this machine, but ${what}`, ...lines];
  return new UserError(problems, `its log is ${logFile}`);
}

/** A log line for people: the message and the error of a JSON line that tells of trouble, anything else as it is. */
function logText(line: string): string {
  try {
    const { level, message, error, problem } = JSON.parse(line) as Record<string, unknown>;
    if (level === "info" || level === "debug") return "";
    const parts = [message, error, problem].filter((part) => typeof part === "string" && part !== "");
    return parts.length > 0 ? parts.join(": ") : line;
  } catch {
    return line;
  }
}
