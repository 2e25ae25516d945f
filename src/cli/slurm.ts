/**
 * The seam between commands and a cluster of Slurm's. A command asks a {@link Peer}, whoever answers it: mgpu's controller
 * over a socket, or dist/slurm.cjs from Slurm's commands (src/backend/slurm). That bundle has classes of its own, so its
 * errors are made ours here.
 */

import type { Order, Replacement } from "../backend/slurm/hand-over.ts";
import type * as slurm from "../backend/slurm/main.ts";
import type { SlurmPorts } from "../backend/slurm/ports.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Connected, Peer } from "../rpc/types.ts";
import { UserError } from "./context.ts";
import type { ConnectPorts } from "./dial.ts";
import type { SlurmTarget } from "./target.ts";

/** What dist/slurm.cjs offers, with what of the machine it needs beyond a command's own. */
export interface SlurmEngine {
  readonly engine: typeof slurm;
  readonly programs: SlurmPorts["programs"];
  readonly launcherFolder: string;
  /** Short host name. */
  readonly hostname: string;
}

/** Slurm's own commands in the place of ours. */
export interface SlurmHandOver {
  /** What is to be run instead of a command. @throws UserError for what can't be said in Slurm */
  replace(order: Order): Promise<Replacement>;
}

/** Connects to Slurm. @throws UserError if its commands are not there */
export async function connectSlurm(ports: ConnectPorts, { place }: SlurmTarget): Promise<Connected> {
  const { engine, ...rest } = ports.loadSlurm();
  const connected = await own(engine.connectSlurm({ ...ports, ...rest }, place));
  return { ...connected, peer: ownPeer(connected.peer) };
}

/** Slurm's own commands, for the cluster that is meant. */
export function slurmHandOver(ports: ConnectPorts, { place }: SlurmTarget): SlurmHandOver {
  return {
    replace(order) {
      const { engine, ...rest } = ports.loadSlurm();
      return own(engine.handOver({ ...ports, ...rest }, place, order));
    },
  };
}

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
