/**
 * The controller of this machine and user: started by the first command that needs it, waited for by the others.
 *
 * Two first commands at once start one: the second daemon finds the lock taken and ends with EXIT_LOCKED, and its
 * command goes on with the first. A daemon that works with the state folder and can't be reached is on its way up or
 * down, or has lost its socket, which it makes again: it is waited for, never taken for none.
 */

import type { Joined } from "../config/joined.ts";
import { sleep } from "../platform/clock.ts";
import type { NodeRow } from "../protocol/procedures.ts";
import type { Connected, Peer } from "../rpc/types.ts";
import { systemText } from "../util/errno.ts";
import { withDoctor } from "./advice.ts";
import { UserError } from "./context.ts";
import {
  type ConnectPorts,
  dialAny,
  type Failure,
  failureText,
  isLostContact,
  isRefusal,
  knownSockets,
  NoController,
  noController,
  readEndpoint,
  type StartedDaemon,
} from "./dial.ts";

/** Exit code of a daemon that found another one holding its lock. */
export const EXIT_LOCKED = 75;

/** A cold start takes a second; a busy machine some more. */
const START_LIMIT_MS = 15_000;
/** A daemon makes a socket that was removed again within 2 s (platform/listener.ts). */
const BACK_LIMIT_MS = 8000;
/** Shorter waits for a daemon that can't be reached are not worth a word. */
const NOTICE_MS = 2000;
/** How long a command waits for the node of a controller that somebody else has just started. */
const YOUNG_MS = 5000;
const POLL_MS_MIN = 10;
const POLL_MS_MAX = 100;
const POLL_GROWTH = 1.5;
/** Lines of a daemon's log shown when it did not start. */
const LOG_LINES = 5;

export interface EmbeddedOptions {
  /** Whether one may be started. */
  readonly start: boolean;
  /** Whether the user asks for a start, and not for something that needs one. */
  readonly isAsked: boolean;
  /** Whether a wait goes untold. */
  readonly isQuiet: boolean;
}

/**
 * Connects to the controller of this machine.
 * @throws NoController, UserError; RpcError VERSION or DEADLINE of a controller that is there
 */
export async function connectEmbedded(ports: ConnectPorts, options: EmbeddedOptions): Promise<Connected> {
  for (;;) {
    const found = await findOrAwait(ports, options);
    if (!("peer" in found)) {
      await refuseWhereJoined(ports, options);
      if (!options.start) throw noController(found, "start it with: mgpu up");
      if (!options.isAsked && (await ranApart(ports))) throw noController(found, APART_HINT);
      return startAndConnect(ports);
    }
    if (!options.start || (await isSettled(ports, found))) return found;
  }
}

const APART_HINT =
  "mgpuctld ran here apart from its node daemons, started by hand or by a service: start it the same way, or with " +
  "mgpu up; mgpu down forgets it, and the next command starts mgpu on this machine";

/** A node of another machine's cluster: an mgpu of its own would grant the same GPUs once more. @throws NoController */
async function refuseWhereJoined({ files, places }: ConnectPorts, { isAsked }: EmbeddedOptions): Promise<void> {
  const { joinFile, parseJoined } = await import("../config/joined.ts");
  let joined: Joined | null = null;
  try {
    joined = parseJoined(new TextDecoder().decode(files.read(joinFile(places))));
  } catch {
    // It never joined one.
  }
  if (joined === null) return;
  const problem = `this machine is node ${joined.node} of the cluster ${joined.cluster} at ${joined.target}`;
  const hint = isAsked
    ? "mgpu leave ends that, then mgpu up starts an mgpu of its own"
    : "to use that cluster from here: mgpu key issue NAME there prints a line for mgpu login; mgpu leave ends its part in it";
  throw new NoController(problem, hint, true);
}

async function ranApart({ files, places }: ConnectPorts): Promise<boolean> {
  const { parseRemembered, ranAlone } = await import("../config/remembered.ts");
  try {
    return ranAlone(parseRemembered(new TextDecoder().decode(files.read(places.settingsFile))));
  } catch {
    return false;
  }
}

/** The controller, or why it can't be reached if no daemon works with the state folder. */
async function findOrAwait(ports: ConnectPorts, options: EmbeddedOptions): Promise<Connected | readonly Failure[]> {
  const { clock, stdio, program } = ports;
  const beganMs = clock.monotonic();
  const limitMs = options.start ? START_LIMIT_MS : BACK_LIMIT_MS;
  let delayMs = POLL_MS_MIN;
  let isTold = options.isQuiet;
  for (;;) {
    const found = await dialAny(ports, knownSockets(ports));
    if ("peer" in found) return found;
    if (found.some(isRefusal)) {
      throw noController(found, "it belongs to somebody else; MGPU_HOME names a state folder of your own");
    }
    const daemon = await ports.findDaemon();
    if (daemon === null) return found;
    const waitedMs = clock.monotonic() - beganMs;
    if (waitedMs >= limitMs) throw unreachable(ports, daemon, found);
    if (!isTold && waitedMs >= NOTICE_MS) {
      isTold = true;
      stdio.err(`${program}: waiting for ${daemonName(ports, daemon)}, which runs but can't be reached yet\n`);
    }
    await sleep(clock, delayMs);
    delayMs = Math.min(delayMs * POLL_GROWTH, POLL_MS_MAX);
  }
}

/**
 * A controller that somebody started a moment ago may not know its node yet: a job would be refused.
 * @returns false if it ended meanwhile
 */
async function isSettled({ clock }: ConnectPorts, { peer, answer }: Connected): Promise<boolean> {
  const ageMs = clock.now() - answer.startedAt;
  if (ageMs < 0 || ageMs >= YOUNG_MS) return true;
  try {
    await awaitNodes(clock, peer, clock.monotonic() + YOUNG_MS - ageMs);
    return true;
  } catch (error) {
    peer.close();
    if (isLostContact(error)) return false;
    throw error;
  }
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
      const nodes = daemon.hasNode ? await nodesOrNone(clock, found.peer, endMs) : [];
      if (nodes.length > 0 || !daemon.hasNode) {
        // Only one of several first commands has started it.
        if (found.answer.pid === daemon.pid) stdio.err(`${program}: ${startedText(nodes, daemon)}\n`);
        return found;
      }
      found.peer.close();
      missing = "its node did not register";
    }
    const { exit } = daemon;
    if (exit !== null && exit.code !== EXIT_LOCKED) throw startFailure(ports, daemon, exitText(exit.code));
    const other = exit === null ? null : await ports.findDaemon();
    if (clock.monotonic() >= endMs) {
      if (other && !("peer" in found)) throw unreachable(ports, other, found);
      throw startFailure(ports, daemon, `${missing} within ${START_LIMIT_MS / 1000} s`);
    }
    // The one that had the lock was on its way out.
    if (exit !== null && other === null) daemon = await start(ports);
    await sleep(clock, delayMs);
    delayMs = Math.min(delayMs * POLL_GROWTH, POLL_MS_MAX);
  }
}

/** A daemon on its way up, and its end if that came first. */
interface Starting extends Omit<StartedDaemon, "exited"> {
  exit: { readonly code: number | null } | null;
}

async function start(ports: ConnectPorts): Promise<Starting> {
  try {
    const { exited, ...daemon } = await ports.startDaemon();
    const starting: Starting = { ...daemon, exit: null };
    exited.then(
      (code) => {
        starting.exit = { code };
      },
      () => {},
    );
    return starting;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`mgpu could not be started on this machine: ${systemText(error)}`, homeHint(ports));
  }
}

function homeHint({ environment, places }: ConnectPorts): string {
  return environment.MGPU_HOME
    ? `MGPU_HOME is ${places.home}: set it to a folder of your own, or unset it`
    : `the state folder is ${places.home}: set MGPU_HOME to another one that you can write to`;
}

/** Like {@link awaitNodes}; a daemon that ends meanwhile has none. */
async function nodesOrNone(clock: ConnectPorts["clock"], peer: Peer, endMs: number): Promise<readonly NodeRow[]> {
  try {
    return await awaitNodes(clock, peer, endMs);
  } catch (error) {
    if (isLostContact(error)) return [];
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

function startedText(nodes: readonly NodeRow[], { differences, hasNode }: Starting): string {
  if (!hasNode) return ["started mgpuctld without a node, as it ran before", ...differences].join("; ");
  const gpus = nodes.reduce((sum, { inventory }) => sum + inventory.gpus.length, 0);
  const cpus = nodes.reduce((sum, { inventory }) => sum + inventory.cpus, 0);
  const what = `${gpus} ${gpus === 1 ? "GPU" : "GPUs"}, ${cpus} ${cpus === 1 ? "CPU" : "CPUs"}`;
  const problem = nodes.find(({ inventory }) => inventory.gpuProblem)?.inventory.gpuProblem;
  const line = `started mgpu on this machine: ${what} (mgpu down ends it)`;
  return [line, ...(problem ? [`GPUs: ${problem}`] : []), ...differences].join("; ");
}

function exitText(code: number | null): string {
  return code === null ? "it was killed" : `it ended with exit code ${code}`;
}

function startFailure({ files }: ConnectPorts, daemon: Starting, what: string): UserError {
  const { logFile, logFrom, resumed } = daemon;
  let lines: string[] = [];
  try {
    const text = new TextDecoder().decode(files.read(logFile).subarray(logFrom));
    lines = text.split("\n").map(logText).filter(Boolean).slice(-LOG_LINES);
  } catch {
    // Without a log file the exit code has to do.
  }
  const problems = [`mgpu was started on this machine, but ${what}`, ...lines];
  if (resumed.length === 0) return new UserError(problems, withDoctor(`its log is ${logFile}`, null));
  const taken = `it got the settings of the mgpu that ran before (${resumed.join(" ")})`;
  return new UserError(problems, withDoctor(`${taken}, which mgpu down forgets; its log is ${logFile}`, null));
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

/** A daemon that works with the state folder and does not let anybody in, however long one waits. */
function unreachable(ports: ConnectPorts, daemon: Daemon, failures: readonly Failure[]): NoController {
  const log = `${ports.places.logFolder}/mgpuctld.log`;
  const pid = pidOf(ports, daemon);
  const end = pid === undefined ? "" : `; kill ${pid} ends it, jobs run on, and mgpu up takes them over`;
  return new NoController(
    `${daemonName(ports, daemon)} runs on this machine, but can't be reached: ${failureText(failures)}`,
    withDoctor(`its log ${log} may say why${end}`, null),
    false,
  );
}

interface Daemon {
  readonly pid: number | null;
}

function daemonName(ports: ConnectPorts, daemon: Daemon): string {
  const pid = pidOf(ports, daemon);
  return pid === undefined ? "mgpuctld" : `mgpuctld (pid ${pid})`;
}

/** A daemon that does not tell may have told before. */
function pidOf(ports: ConnectPorts, { pid }: Daemon): number | undefined {
  return pid ?? readEndpoint(ports).pid;
}
