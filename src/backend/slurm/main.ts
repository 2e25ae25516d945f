/** Slurm as the cluster behind mgpu's commands: what the bundle dist/slurm.cjs offers them. See decisions/0032. */

import type { Connected } from "../../rpc/types.ts";
import { slurmHandlers } from "./handlers.ts";
import { slurmConnection } from "./peer.ts";
import type { SlurmPlace, SlurmPorts } from "./ports.ts";
import { Slurm } from "./slurm.ts";

export { handOver } from "./hand-over.ts";

/** One for each place and process: who asks shares what was answered. */
const known = new Map<string, Slurm>();

/** A connection to Slurm, which nothing is sent over before the first question. @throws Refusal without its commands */
export async function connectSlurm(ports: SlurmPorts, place: SlurmPlace): Promise<Connected> {
  const key = JSON.stringify(place);
  const slurm = known.get(key) ?? new Slurm(ports, place);
  known.set(key, slurm);
  slurm.command("squeue");
  return slurmConnection(slurmHandlers(slurm), ports.version, () => ports.clock.now());
}
