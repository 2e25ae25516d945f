/**
 * What no fault may break:
 * - an acknowledged job is never lost, and one request never makes two jobs
 * - a start of a step never runs twice, and two attempts of a job never run at once
 * - no GPU is used by two programs at once
 * - final states never change; the state's own invariants hold
 * - once the faults stop, every job comes to its end and every node is free again
 */

import { checkInvariants } from "../core/invariants.ts";
import { formatStepKey } from "../core/ids.ts";
import { isEnded, type Job } from "../core/job.ts";
import type { ClusterState } from "../core/state.ts";
import type { Execution } from "./machine.ts";
import type { World } from "./world.ts";

export interface Checker {
  readonly problems: string[];
  afterEvent(acknowledged: ReadonlyMap<string, number>): void;
  allEnded(): boolean;
  atEnd(acknowledged: ReadonlyMap<string, number>): void;
  /** Jobs by final state. */
  ends(): Record<string, number>;
}

/** Watches a world. */
export function createChecker(world: World): Checker {
  const problems: string[] = [];
  const final = new Map<number, string>();
  const seen = new Map<number, { readonly state: string; readonly seq: number }>();
  let watched: ClusterState | undefined;
  let lastSeq = -1;
  let lastExecutions = 0;

  const jobs = (): Iterable<Job> => world.live()?.loop.state.jobs.values() ?? [];

  const checkState = (acknowledged: ReadonlyMap<string, number>): void => {
    const loop = world.live()?.loop;
    if (!loop || loop.problem || loop.state.seq === lastSeq) return;
    lastSeq = loop.state.seq;
    problems.push(...checkInvariants(loop.state));
    for (const [requestId, jobId] of acknowledged) {
      const job = loop.state.jobs.get(jobId);
      if (!job) problems.push(`job ${jobId} was acknowledged and is lost`);
      else if (job.requestId !== requestId) problems.push(`job ${jobId} is another than was acknowledged`);
    }
    for (const job of loop.state.jobs.values()) checkFinal(job, loop.state.seq);
  };

  /** An end counts once it is on disk: before that, a crash may undo it, and nobody was told. */
  const promote = (): void => {
    const loop = world.live()?.loop;
    // Another object: the state was read again from disk.
    if (loop?.state !== watched) seen.clear();
    watched = loop?.state;
    for (const [jobId, { state, seq }] of seen) {
      if (!loop || seq > loop.durableSeq) continue;
      final.set(jobId, state);
      seen.delete(jobId);
    }
  };

  const checkFinal = (job: Job, seq: number): void => {
    if (!isEnded(job)) {
      if (final.has(job.id)) problems.push(`job ${job.id} ended as ${final.get(job.id)}, now it is ${job.state}`);
      return;
    }
    const known = final.get(job.id);
    if (known === undefined && !seen.has(job.id)) seen.set(job.id, { state: job.state, seq });
    if (known !== undefined && known !== job.state) {
      problems.push(`job ${job.id} ended as ${known}, then as ${job.state}`);
    }
  };

  const checkExecutions = (): void => {
    const executions = world.machines.flatMap((machine) => machine.executions);
    if (executions.length === lastExecutions) return;
    lastExecutions = executions.length;
    problems.push(...doubleStarts(executions), ...conflicts(executions.filter((one) => one.endedAt === null)));
  };

  const allEnded = (): boolean => {
    const loop = world.live()?.loop;
    return loop !== undefined && loop.problem === "" && loop.state.active.size === 0 && loop.state.pending.size === 0;
  };

  return {
    problems,
    afterEvent(acknowledged) {
      promote();
      checkState(acknowledged);
      checkExecutions();
    },
    allEnded,
    atEnd() {
      if (problems.length === 0 && !allEnded()) problems.push(...unfinished(world, jobs()));
      const running = world.machines.flatMap((machine) => machine.executions).filter((one) => one.endedAt === null);
      if (problems.length === 0) problems.push(...running.map((one) => `${describe(one)} still runs, its job is over`));
    },
    ends() {
      const counts: Record<string, number> = {};
      for (const job of jobs()) counts[job.state] = (counts[job.state] ?? 0) + 1;
      return counts;
    },
  };
}

function doubleStarts(executions: readonly Execution[]): string[] {
  const seen = new Set<string>();
  return executions.flatMap((one) => {
    const name = `${one.machine} ${formatStepKey(one.key)}`;
    if (seen.has(name)) return [`${describe(one)} was started twice`];
    seen.add(name);
    return [];
  });
}

function conflicts(running: readonly Execution[]): string[] {
  const problems: string[] = [];
  const gpus = new Map<string, Execution>();
  const jobs = new Map<number, Execution>();
  for (const one of running) {
    const other = jobs.get(one.key.jobId);
    if (other && other.key.attempt !== one.key.attempt) problems.push(`${describe(one)} runs beside ${describe(other)}`);
    jobs.set(one.key.jobId, one);
    for (const index of one.gpus) {
      const name = `${one.machine}:${index}`;
      const holder = gpus.get(name);
      if (holder) problems.push(`GPU ${name} is used by ${describe(one)} and ${describe(holder)}`);
      gpus.set(name, one);
    }
  }
  return problems;
}

function unfinished(world: World, jobs: Iterable<Job>): string[] {
  const loop = world.live()?.loop;
  if (!loop) return ["the controller never came back"];
  const left = [...jobs].filter((job) => !isEnded(job) || job.cleanup.length > 0);
  return left.map((job) => `job ${job.id} is ${job.state} in attempt ${job.attempt} and never ended`);
}

function describe({ machine, key }: Execution): string {
  return `${formatStepKey(key)} on ${machine}`;
}
