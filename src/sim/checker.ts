/**
 * What no fault may break:
 * - an acknowledged job is never lost, and one request never makes two jobs
 * - a start of a step never runs twice, and two attempts of a job never run at once
 * - no GPU is used by two programs at once
 * - final states never change; the state's own invariants hold
 * - once the faults stop, every job comes to its end and every node is free again
 */

import { isFollower } from "../core/het.ts";
import { formatStepKey } from "../core/ids.ts";
import { checkInvariants } from "../core/invariants.ts";
import { isEnded, type Job } from "../core/job.ts";
import type { ClusterState } from "../core/state.ts";
import type { Execution } from "./machine.ts";
import type { World } from "./world.ts";

export interface Checker {
  readonly problems: string[];
  afterEvent(acknowledged: ReadonlyMap<string, number>): void;
  /** Every job is over and cleared away, and the disk knows it. */
  allEnded(): boolean;
  atEnd(): void;
  /** Jobs by final state; a heterogeneous one by its first component's. */
  ends(): Record<string, number>;
}

/** Watches a world. */
export function createChecker(world: World): Checker {
  return new Watch(world);
}

class Watch implements Checker {
  readonly problems: string[] = [];
  readonly #world: World;
  /** Final states that are on disk. */
  readonly #final = new Map<number, string>();
  /** Final states seen in memory, with the record that made them. */
  readonly #seen = new Map<number, { readonly state: string; readonly seq: number }>();
  #watched: ClusterState | undefined;
  #lastSeq = -1;
  #lastExecutions = 0;

  constructor(world: World) {
    this.#world = world;
  }

  afterEvent(acknowledged: ReadonlyMap<string, number>): void {
    this.#promote();
    this.#checkState(acknowledged);
    this.#checkExecutions();
  }

  allEnded(): boolean {
    const loop = this.#world.live()?.loop;
    if (loop?.problem !== "") return false;
    const { active, pending, seq } = loop.state;
    return active.size === 0 && pending.size === 0 && loop.durableSeq === seq;
  }

  atEnd(): void {
    if (this.problems.length > 0) return;
    if (!this.allEnded()) this.problems.push(...unfinished(this.#world, this.#jobs()));
    if (this.problems.length > 0) return;
    const running = this.#executions().filter((one) => one.endedAt === null);
    this.problems.push(...running.map((one) => `${describe(one)} still runs, its job is over`));
  }

  ends(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const job of this.#jobs()) if (!isFollower(job)) counts[job.state] = (counts[job.state] ?? 0) + 1;
    return counts;
  }

  #jobs(): Iterable<Job> {
    return this.#world.live()?.loop.state.jobs.values() ?? [];
  }

  #executions(): Execution[] {
    return this.#world.machines.flatMap((machine) => machine.executions);
  }

  #checkState(acknowledged: ReadonlyMap<string, number>): void {
    const loop = this.#world.live()?.loop;
    if (!loop || loop.problem || loop.state.seq === this.#lastSeq) return;
    const { state } = loop;
    this.#lastSeq = state.seq;
    this.problems.push(...checkInvariants(state));
    for (const [requestId, jobId] of acknowledged) {
      const job = state.jobs.get(jobId);
      if (!job) this.problems.push(`job ${jobId} was acknowledged and is lost`);
      else if (job.requestId !== requestId) this.problems.push(`job ${jobId} is another than was acknowledged`);
    }
    for (const job of state.jobs.values()) this.#checkFinal(job, state.seq);
  }

  /** An end counts once it is on disk: before that, a crash may undo it, and nobody was told. */
  #promote(): void {
    const loop = this.#world.live()?.loop;
    // Another object: the state was read again from disk.
    if (loop?.state !== this.#watched) this.#seen.clear();
    this.#watched = loop?.state;
    for (const [jobId, { state, seq }] of this.#seen) {
      if (!loop || seq > loop.durableSeq) continue;
      this.#final.set(jobId, state);
      this.#seen.delete(jobId);
    }
  }

  #checkFinal(job: Job, seq: number): void {
    const known = this.#final.get(job.id);
    if (known !== undefined && known !== job.state) {
      this.problems.push(`job ${job.id} ended as ${known}, now it is ${job.state}`);
    }
    if (known !== undefined || !isEnded(job) || this.#seen.has(job.id)) return;
    this.#seen.set(job.id, { state: job.state, seq });
  }

  #checkExecutions(): void {
    const executions = this.#executions();
    if (executions.length === this.#lastExecutions) return;
    this.#lastExecutions = executions.length;
    const running = executions.filter((one) => one.endedAt === null);
    this.problems.push(...doubleStarts(executions), ...conflicts(running));
  }
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
    if (other && other.key.attempt !== one.key.attempt)
      problems.push(`${describe(one)} runs beside ${describe(other)}`);
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
