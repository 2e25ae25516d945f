/** The user's sessions on the cluster, as their files tell (config/slurm-sessions.ts), put into what Slurm says of their jobs. */

import {
  awaitedIn,
  parseSession,
  SESSION_FILE,
  type SessionOrder,
  type SessionPlace,
  sessionFolder,
} from "../../config/slurm-sessions.ts";
import type { StepId } from "../../core/ids.ts";
import type { Step } from "../../core/job.ts";
import type { AttachPoint } from "../../protocol/procedures.ts";
import { LIVE_STATES } from "../../view/job-states.ts";
import type { SlurmJob } from "./jobs.ts";
import type { SlurmPorts } from "./ports.ts";
import type { Slurm } from "./slurm.ts";

/** A session whose holder has told where it is. */
interface Session {
  readonly path: string;
  readonly order: SessionOrder;
  readonly place: SessionPlace;
}

type Ports = Pick<SlurmPorts, "sessionFiles" | "places" | "user" | "clock">;

/** What is known of the jobs may be older than a session that has just begun. */
const YOUNG_MS = 300_000;

/** All sessions that have a file. */
export function sessionsIn({ sessionFiles, places }: Ports): Session[] {
  const folder = sessionFolder(places.home);
  const names = sessionFiles.list(folder).filter((name) => name.endsWith(SESSION_FILE));
  return names.flatMap((name) => {
    const path = `${folder}/${name}`;
    const found = parseSession(sessionFiles.read(path) ?? "");
    return found?.place ? [{ path, order: found.order, place: found.place }] : [];
  });
}

/** Whether there may be one, or is about to be. */
export function hasSessions({ sessionFiles, places }: Ports): boolean {
  return sessionFiles.list(sessionFolder(places.home)).length > 0;
}

/** The session that is a step of a job, or for which the job was made (`null`). */
export function sessionOf(sessions: readonly Session[], one: SlurmJob, stepId: StepId | null): Session | undefined {
  return sessions.find(
    ({ place, order }) => isOf(place, one) && (stepId === null ? order.isOwnJob : place.stepId === stepId),
  );
}

function isOf({ jobId, cluster, attempt }: SessionPlace, { job, cluster: own }: SlurmJob): boolean {
  // Slurm writes the name of a cluster in small letters, its slurm.conf may not.
  const isHere = own === "" || cluster === "" || own.toLowerCase() === cluster.toLowerCase();
  return isHere && jobId === job.id && (job.state !== "RUNNING" || attempt === job.attempt);
}

/** Where a client attaches to a session. */
export function attachPointOf({ place }: Session, { user }: Ports): AttachPoint {
  const { jobId, attempt, stepId, node, socket, token } = place;
  return { key: { jobId, attempt, stepId }, node, socket, owner: user.uid, token, tasks: [0] };
}

/** A job with its sessions as steps that have a terminal; one that was made for its session runs that, and no script. */
export function withSessions(one: SlurmJob, sessions: readonly Session[]): SlurmJob {
  const { job } = one;
  const own = sessions.filter(({ place }) => isOf(place, one));
  if (job.state !== "RUNNING" || own.length === 0) return one;
  const main = own.find(({ order }) => order.isOwnJob);
  const spec = main ? { ...job.spec, kind: "run" as const, argv: main.order.argv, pty: sizeOf(main.order) } : job.spec;
  const steps = own.map(({ order, place }): Step => {
    const share = job.allocation.find(({ node }) => node === place.node) ?? job.allocation[0];
    const { cpus = 0, memoryMiB = 0, gpus = [] } = share ?? {};
    const program = { ...job.spec, argv: order.argv, pty: sizeOf(order), timeLimitS: 0, submitHost: "" };
    return {
      ...{ id: place.stepId, name: order.argv[0] ?? "", requestId: "", startAt: place.startAt, endAt: null },
      spec: order.isOwnJob ? null : (program as unknown as Step["spec"]),
      parts: [{ node: place.node, tasks: [0], cpus, memoryMiB, gpus, phase: "running", exits: [] }],
      ...{ state: "RUNNING", ending: null },
    };
  });
  return { ...one, job: { ...job, spec, steps: [...(main ? [] : job.steps), ...steps] } };
}

function sizeOf({ columns, rows }: SessionOrder) {
  return { columns, rows };
}

/**
 * Which Slurm a client gives its jobs to; empty where that is for Slurm to choose among several. With this machine's name: a home folder may
 * be on machines of several clusters, whose settings are called the same.
 */
export function slurmMeant(slurm: Pick<Slurm, "place" | "ports" | "command">, environment: SlurmPorts["environment"]) {
  if (environment.SLURM_CLUSTERS || environment.SBATCH_CLUSTERS) return "";
  const { place, ports } = slurm;
  return JSON.stringify([ports.hostname, place.conf || (environment.SLURM_CONF ?? ""), slurm.command("squeue")]);
}

/** Removes the files of sessions that wait for a job which is over, or never came to be: their client was killed. */
export function forgetAwaited(slurm: string, jobs: readonly SlurmJob[], ports: Ports): void {
  const { sessionFiles, places, clock } = ports;
  const live = jobs.filter(({ row }) => LIVE_STATES.includes(row.state));
  const ids = new Set(live.map(({ job }) => job.id));
  const outputs = new Set(live.map(({ job }) => job.spec.io.stdout?.replaceAll("%%", "%")));
  const folder = sessionFolder(places.home);
  for (const name of sessionFiles.list(folder).filter((one) => one.endsWith(SESSION_FILE))) {
    const path = `${folder}/${name}`;
    const log = path.replace(/\.json$/, ".log");
    const awaited = awaitedIn(sessionFiles.read(path) ?? "");
    if (awaited === null || awaited.slurm !== slurm || clock.now() - awaited.since < YOUNG_MS) continue;
    if (awaited.stepOf === null ? outputs.has(log.replaceAll("%%", "%")) : ids.has(awaited.stepOf)) continue;
    for (const file of [path, log]) sessionFiles.remove(file);
  }
}

/** Removes the files of sessions whose job is over: its nodes could not do it. */
export function forgetEnded(sessions: readonly Session[], jobs: readonly SlurmJob[], ports: Ports): void {
  const { sessionFiles, clock } = ports;
  const clusters = new Set(jobs.map(({ cluster }) => cluster.toLowerCase()));
  for (const { path, place } of sessions) {
    const isYoung = clock.now() - place.startAt < YOUNG_MS;
    if (isYoung || !clusters.has(place.cluster.toLowerCase())) continue;
    const found = jobs.find((one) => isOf(place, one));
    if (found && LIVE_STATES.includes(found.row.state)) continue;
    for (const file of [path, path.replace(/\.json$/, ".log")]) sessionFiles.remove(file);
  }
}
