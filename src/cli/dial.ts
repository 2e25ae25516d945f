/** Where a controller may listen, and what is said of one that can't be reached. */

import type { Endpoint } from "../config/places.ts";
import type { Log } from "../platform/log.ts";
import type { Net } from "../platform/net.ts";
import type { Credential } from "../platform/secure.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected } from "../rpc/types.ts";
import { utf8Text } from "../util/bytes.ts";
import { isSocketCode, socketProblem, withDoctor } from "./advice.ts";
import { type CommandContext, UserError } from "./context.ts";
import type { SlurmEngine } from "./slurm.ts";
import type { ConfiguredBackend, Target } from "./target.ts";

/** A daemon that was just spawned and lives on without us. */
export interface StartedDaemon {
  readonly pid: number;
  readonly logFile: string;
  /** Bytes that the log had before: an earlier daemon's. */
  readonly logFrom: number;
  /** Resolves with its exit code (`null` after a signal) should it end while we wait. */
  readonly exited: Promise<number | null>;
  /** Settings that it took over from one that crashed: `MGPU_CPUS=8`. */
  readonly resumed: readonly string[];
  /** Whether it runs a node daemon in its process; only one that is started as it ran before does not. */
  readonly hasNode: boolean;
  /** Where our settings are others than those of one that crashed, in words. */
  readonly differences: readonly string[];
}

export interface ConnectPorts
  extends Pick<
    CommandContext,
    "program" | "version" | "environment" | "cwd" | "user" | "places" | "stdio" | "files" | "clock" | "net"
  > {
  readonly log: Log;
  /** Spawns controller and node daemon of this machine, detached. */
  startDaemon(): Promise<StartedDaemon>;
  /** Which process works with the state folder, whether it listens or not; `null` if none does. */
  findDaemon(): Promise<{ readonly pid: number | null } | null>;
  /** Where root's controller listens for a user: see platform/door-question.ts. */
  askAtDoor(socket: string, uid: number): Promise<string>;
  /** A net that proves a credential; loads TLS. */
  secureNet(credential: Credential): Promise<Net>;
  /** The cluster that -M names. */
  readonly cluster?: string | undefined;
  /** {@link targetOf} of these ports, which need not look at each file anew for each question of a command. */
  readonly target?: () => Target;
  /** Slurm as the cluster, which is loaded then. */
  loadSlurm(): SlurmEngine;
  /** See {@link targetOf}. */
  readonly configuredBackend?: (() => ConfiguredBackend) | undefined;
  /** Instead of {@link connectPeer}, for tests. */
  dial?(socket: string): Promise<Connected>;
}

/** No controller could be reached. `isNobodyThere` unless something is there that does not let us in, or no more. */
export class NoController extends UserError {
  readonly isNobodyThere: boolean;

  constructor(problem: string, hint: string, isNobodyThere: boolean) {
    super(problem, hint);
    this.isNobodyThere = isNobodyThere;
  }
}

/** Why a socket could not be used. */
export interface Failure {
  readonly socket: string;
  /** Of the system, or LOST_CONTACT. */
  readonly code: string;
}

/**
 * Where a controller of this machine may listen: where the last one said it does, then the usual place, whose name
 * anybody can guess.
 * @throws UserError if somebody else has that place: our scripts and environments are not for them
 */
export function knownSockets(ports: ConnectPorts): string[] {
  const { files, places } = ports;
  const trap = files.trustProblem(places.runtime);
  if (trap !== "")
    throw new UserError(`${trap}: mgpu's sockets can't be there`, "set XDG_RUNTIME_DIR to a folder of your own");
  const { socket: told } = readEndpoint(ports);
  return typeof told !== "string" || told === places.controllerSocket
    ? [places.controllerSocket]
    : [told, places.controllerSocket];
}

/** What the last controller said of itself; nothing if there was none, or it is being written. */
export function readEndpoint({ files, places }: ConnectPorts): Partial<Endpoint> {
  try {
    const endpoint: unknown = JSON.parse(utf8Text(files.read(places.endpointFile)));
    return typeof endpoint === "object" && endpoint !== null ? endpoint : {};
  } catch {
    return {};
  }
}

/** The first of some sockets that answers, or why none did. @throws RpcError VERSION or DEADLINE of one that is there */
export async function dialAny(
  ports: ConnectPorts,
  sockets: readonly string[],
): Promise<Connected | readonly Failure[]> {
  const failures: Failure[] = [];
  for (const socket of sockets) {
    try {
      return await dial(ports, socket);
    } catch (error) {
      const code = connectCodeOf(error);
      if (code === undefined) throw error;
      failures.push({ socket, code });
    }
  }
  return failures;
}

/** Whether a call or connection failed because the other side is gone. */
export function isLostContact(error: unknown): boolean {
  return connectCodeOf(error) === "LOST_CONTACT";
}

/** Somebody is there, but not for us. */
export function isRefusal({ code }: Failure): boolean {
  return code === "EACCES" || code === "EPERM";
}

/** `/run/x.sock: there is no such socket; ...` */
export function failureText(failures: readonly Failure[]): string {
  return failures.map((failure) => `${failure.socket}: ${socketProblem(failure.code)}`).join("; ");
}

/** The error for a controller that can't be reached. */
export function noController(failures: readonly Failure[], hint: string): NoController {
  // One that hangs up is about to end, but has not ended.
  const isNobodyThere = failures.every((failure) => !isRefusal(failure) && failure.code !== "LOST_CONTACT");
  return new NoController(
    `can't reach the controller: ${failureText(failures)}`,
    withDoctor(hint, null),
    isNobodyThere,
  );
}

function dial(ports: ConnectPorts, socket: string): Promise<Connected> {
  if (ports.dial) return ports.dial(socket);
  const { version, user } = ports;
  return connectPeer(ports, { path: socket }, { role: "client", protocol: PROTOCOL, version, user });
}

/** The code of an error that says that no connection could be made; `undefined` for any other error. */
function connectCodeOf(error: unknown): string | undefined {
  if (error instanceof RpcError) return error.code === "LOST_CONTACT" ? error.code : undefined;
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown };
  if (typeof code !== "string") return undefined;
  return isSocketCode(code) || syscall === "connect" ? code : undefined;
}
