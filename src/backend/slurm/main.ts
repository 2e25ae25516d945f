/** Slurm as the cluster behind mgpu's commands: what the bundle dist/slurm.cjs offers them. See decisions/0032. */

import type { Connected } from "../../rpc/types.ts";
import { type Order, type Replacement, handOver as replacementFor } from "./hand-over.ts";
import { slurmHandlers } from "./handlers.ts";
import { slurmConnection } from "./peer.ts";
import type { SlurmPlace, SlurmPorts } from "./ports.ts";
import { Slurm } from "./slurm.ts";

/** One for each place and process: who asks shares what was answered. */
const known = new Map<string, Slurm>();

function slurmOf(ports: SlurmPorts, place: SlurmPlace): Slurm {
  const key = JSON.stringify(place);
  const slurm = known.get(key) ?? new Slurm(ports, place);
  known.set(key, slurm);
  return slurm;
}

/** A connection to Slurm, which nothing is sent over before the first question. @throws Refusal without its commands */
export async function connectSlurm(ports: SlurmPorts, place: SlurmPlace): Promise<Connected> {
  const slurm = slurmOf(ports, place);
  slurm.command("squeue");
  return slurmConnection(slurmHandlers(slurm), ports.version, () => ports.clock.now());
}

/** What is to be run instead of a command. @throws Refusal for what can't be said in Slurm */
export async function handOver(ports: SlurmPorts, place: SlurmPlace, order: Order): Promise<Replacement> {
  return replacementFor(slurmOf(ports, place), order);
}
