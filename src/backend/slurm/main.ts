/** Slurm as the cluster behind mgpu's commands: what the bundle dist/slurm.cjs offers them. See decisions/0032. */

import type { StepId } from "../../core/ids.ts";
import type { PipeOrder } from "../../platform/program-pipe.ts";
import type { AttachPoint } from "../../protocol/procedures.ts";
import type { Connected } from "../../rpc/types.ts";
import { type Order, type Replacement, handOver as replacementFor } from "./hand-over.ts";
import { slurmHandlers } from "./handlers.ts";
import { slurmConnection } from "./peer.ts";
import type { SlurmPlace, SlurmPorts } from "./ports.ts";
import { sessionsIn } from "./sessions.ts";
import { Slurm } from "./slurm.ts";
import { type SessionEvents, type SessionWish, type StartedSession, startSession as started } from "./start-session.ts";

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

/** Starts a session that can be left. @throws Refusal */
export async function startSession(
  ports: SlurmPorts,
  place: SlurmPlace,
  wish: SessionWish,
  events: SessionEvents,
): Promise<StartedSession> {
  return started(slurmOf(ports, place), wish, events);
}

/** Whether mgpu's own sessions are meant, rather than Slurm's steps: of a job, or that step of it. */
export function hasSession(
  { sessionFiles, places, user, clock }: SlurmPorts,
  jobId: number,
  stepId: StepId | null,
): boolean {
  const sessions = sessionsIn({ sessionFiles, places, user, clock });
  return sessions.some(({ place }) => place.jobId === jobId && (stepId === null || place.stepId === stepId));
}

/** The program that leads to the holder of a session on its node: a step beside it that needs nothing of its own. */
export function sessionWay(ports: SlurmPorts, place: SlurmPlace, { key, node, socket }: AttachPoint): PipeOrder {
  const slurm = slurmOf(ports, place);
  // Whoever attaches wants to see changes of the job soon.
  slurm.changed();
  const relay = `${ports.launcherFolder.replace(/\/bin$/, "")}/dist/slurm-relay.cjs`;
  const step = [
    `--jobid=${key.jobId}`,
    "--overlap",
    "--mem=0",
    "--gres=none",
    "--nodes=1",
    "--ntasks=1",
    `--nodelist=${node}`,
  ];
  return {
    file: slurm.command("srun"),
    args: [...step, "--quiet", "--mpi=none", "--job-name=mgpu-relay", "--", ports.nodePath, relay, socket],
    environment: withoutStepVariables(slurm.environmentOf(ports.environment)),
  };
}

/** Of a job around us, and of options of the user's: neither is meant here. */
function withoutStepVariables(environment: SlurmPorts["environment"]): SlurmPorts["environment"] {
  const isKept = (name: string): boolean => !/^(SLURM_|SRUN_)/.test(name) || name === "SLURM_CONF";
  return Object.fromEntries(Object.entries(environment).filter(([name]) => isKept(name)));
}

/** What is to be run instead of a command. @throws Refusal for what can't be said in Slurm */
export async function handOver(ports: SlurmPorts, place: SlurmPlace, order: Order): Promise<Replacement> {
  return replacementFor(slurmOf(ports, place), order);
}
