/**
 * How commands find their controller: the one that MGPU_CONTROLLER names, else the one of this machine and user,
 * which the first command starts (embedded.ts).
 */

import type { Connected, Peer } from "../rpc/types.ts";
import { advised } from "./advice.ts";
import type { CommandContext, ConnectOptions } from "./context.ts";
import { type ConnectPorts, dialAny, isRefusal, NoController, noController } from "./dial.ts";
import { connectEmbedded } from "./embedded.ts";
import { targetOf } from "./target.ts";

export { NoController } from "./dial.ts";

/**
 * Connects to the controller.
 * @throws NoController, UserError; RpcError VERSION or DEADLINE of a controller that is there
 */
export async function connectController(ports: ConnectPorts, options: ConnectOptions): Promise<Connected> {
  try {
    return await connectTarget(ports, options);
  } catch (error) {
    throw advised(error, null);
  }
}

async function connectTarget(ports: ConnectPorts, options: ConnectOptions): Promise<Connected> {
  const target = ports.target?.() ?? targetOf(ports);
  const { start = true, isAsked = false, isHere = false } = options;
  const isDefault = ports.cluster === undefined && !ports.environment.MGPU_CONTROLLER;
  if (target.kind === "here" || (isHere && isDefault)) {
    const machines = await dialMachine(ports);
    if (machines) return machines;
    return connectEmbedded(ports, { start, isAsked, isQuiet: isSlurmName(ports.program) });
  }
  if (target.kind === "slurm") return (await import("./slurm.ts")).connectSlurm(ports, target);
  if (target.kind === "remote") return (await import("./remote.ts")).connectRemote(ports, target.remote);
  const found = await dialAny(ports, [target.path]);
  if ("peer" in found) return found;
  const isRefused = found.some(isRefusal);
  const users = isRefused && (await (await import("./machine.ts")).dialAsUser(ports, target.path));
  if (users) return users;
  const hint = isRefused
    ? "MGPU_CONTROLLER names it, and it serves the user only who started it: root's daemons serve everybody (sudo mgpu up); " +
      "or unset the variable to use mgpu on this machine"
    : "MGPU_CONTROLLER names it: start mgpuctld there, or unset the variable to use mgpu on this machine";
  throw noController(found, hint);
}

/** Root's controller of this machine, where there is one and it is meant. */
async function dialMachine(ports: ConnectPorts): Promise<Connected | null> {
  if (ports.user.uid === 0 || ports.environment.MGPU_HOME) return null;
  const { dialAsUser, isMachineMeant, MACHINE_SOCKET } = await import("./machine.ts");
  if (!(await isMachineMeant(ports))) return null;
  const connected = await dialAsUser(ports, MACHINE_SOCKET);
  if (connected) return connected;
  const hint = "sudo mgpu up starts it; with MGPU_HOME=FOLDER before a command you have an mgpu of your own";
  throw new NoController("root's mgpu serves this machine, and does not run now", hint, true);
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
