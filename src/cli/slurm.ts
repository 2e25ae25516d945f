/**
 * The seam between commands and a cluster of Slurm's. A command asks a {@link Peer}, whoever answers it: mgpu's controller
 * over a socket, or dist/slurm.cjs from Slurm's commands (src/backend/slurm). That bundle has classes of its own, so its
 * errors are made ours here.
 */

import type { Order, Replacement } from "../backend/slurm/hand-over.ts";
import type * as slurm from "../backend/slurm/main.ts";
import type { SlurmPorts } from "../backend/slurm/ports.ts";
import type { SessionEvents, SessionWish, StartedSession } from "../backend/slurm/start-session.ts";
import type { StepId } from "../core/ids.ts";
import type { ConnectionEvents } from "../platform/net.ts";
import type { connectThroughProgram } from "../platform/program-pipe.ts";
import { RpcError } from "../protocol/errors.ts";
import type { AttachPoint, Hello } from "../protocol/procedures.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected, Peer } from "../rpc/types.ts";
import { UserError } from "./context.ts";
import type { ConnectPorts } from "./dial.ts";
import type { SlurmTarget } from "./target.ts";

/** What dist/slurm.cjs offers, with what of the machine it needs beyond a command's own. */
export interface SlurmEngine {
  readonly engine: typeof slurm;
  readonly programs: SlurmPorts["programs"];
  readonly sessionFiles: SlurmPorts["sessionFiles"];
  readonly random: SlurmPorts["random"];
  readonly nodePath: string;
  readonly connectThrough: typeof connectThroughProgram;
  readonly launcherFolder: string;
  /** Short host name. */
  readonly hostname: string;
}

/** Slurm's own commands in the place of ours. */
export interface SlurmHandOver {
  /** What is to be run instead of a command. @throws UserError for what can't be said in Slurm */
  replace(order: Order): Promise<Replacement>;
  /** Starts a session that can be left. @throws UserError */
  startSession(wish: SessionWish, events: SessionEvents): Promise<StartedSession>;
  /** Whether a session of mgpu's is meant: of a job, or a step of it. */
  hasSession(jobId: number, stepId: StepId | null): boolean;
}

/** Connects to Slurm. @throws UserError if its commands are not there */
export async function connectSlurm(ports: ConnectPorts, { place }: SlurmTarget): Promise<Connected> {
  const { engine, ...rest } = ports.loadSlurm();
  const connected = await own(engine.connectSlurm({ ...ports, ...rest }, place));
  return { ...connected, peer: ownPeer(connected.peer) };
}

/** Slurm's own commands, for the cluster that is meant. */
export function slurmHandOver(ports: ConnectPorts, { place }: SlurmTarget): SlurmHandOver {
  const load = (): { engine: SlurmEngine["engine"]; machine: ConnectPorts & Omit<SlurmEngine, "engine"> } => {
    const { engine, ...rest } = ports.loadSlurm();
    return { engine, machine: { ...ports, ...rest } };
  };
  return {
    replace(order) {
      const { engine, machine } = load();
      return own(engine.handOver(machine, place, order));
    },
    startSession(wish, events) {
      const { engine, machine } = load();
      return own(engine.startSession(machine, place, wish, events));
    },
    hasSession(jobId, stepId) {
      const { engine, machine } = load();
      return engine.hasSession(machine, jobId, stepId);
    },
  };
}

/** Connects to the holder of a session: by its socket on its own machine, elsewhere through a step beside it. */
export async function dialSlurmSession(
  ports: ConnectPorts,
  { place }: SlurmTarget,
  point: AttachPoint,
  hello: Hello,
): Promise<Connected> {
  const { clock, log, net, user } = ports;
  const { engine, connectThrough, ...rest } = ports.loadSlurm();
  const { socket: path, node, owner } = point;
  if (node === rest.hostname) {
    const address = user.uid === 0 && owner !== undefined ? { path, owner } : { path };
    // A job may have a /tmp of its own, which is seen from within alone.
    const found = await connectPeer({ net, clock, log }, address, hello).catch(() => null);
    if (found) return found;
  }
  const order = engine.sessionWay({ ...ports, ...rest }, place, point);
  const through = { ...net, connect: (_address: unknown, events: ConnectionEvents) => connectThrough(order, events) };
  const options = { deadlineMs: THROUGH_MS };
  const connected = await connectPeer({ net: through, clock, log }, { path }, hello, {}, options);
  return { ...connected, isFar: true, way: `through srun --overlap on ${node}` };
}

/** A busy controller takes a while to make a step. */
const THROUGH_MS = 60_000;

function ownPeer(peer: Peer): Peer {
  return {
    call: (method, params, options) => own(peer.call(method, params, options)),
    stream: (method, params, onItem, options) => own(peer.stream(method, params, onItem, options)),
    closed: peer.closed,
    close: () => peer.close(),
  };
}

/** With errors of this bundle's classes. */
async function own<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw ownError(error);
  }
}

function ownError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, code, hint, problems, message } = error as Error & Partial<RpcError & UserError>;
  if (name === "Refusal") return new UserError(problems ?? message, hint);
  return name === "RpcError" && code !== undefined ? new RpcError(code, message, hint) : error;
}
