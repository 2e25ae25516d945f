/**
 * Runs the scheduler when something changed, at most once a turn, and keeps its reasons for those who ask.
 *
 * The plan's starts go through the loop like any other command, so capacity is checked again there.
 */

import type { Command } from "../core/commands.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { Job, PendingJob } from "../core/job.ts";
import type { JobLimits } from "../core/job-limits.ts";
import { byPriority, type Queue } from "../core/lanes.ts";
import { type Node, withClosedGpus } from "../core/node.ts";
import { type Prioritizer, prioritizer, sharesAt } from "../core/priority.ts";
import type { ClusterState } from "../core/state.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { type Gate, gateOf } from "../sched/eligible.ts";
import { holdingsOf } from "../sched/holdings.ts";
import type { Kept } from "../sched/kept.ts";
import { PassMemory } from "../sched/memory.ts";
import { placesOf } from "../sched/places.ts";
import type { Plan, Reason, Start } from "../sched/plan.ts";
import { EASY, type SchedulerPolicy } from "../sched/policy.ts";
import { byRank, slowdownRank } from "../sched/rank.ts";
import { type ScheduleView, scheduleInSteps } from "../sched/schedule.ts";
import { toldReason } from "../sched/told.ts";
import { preemptingIn } from "../sched/victims.ts";
import { inSlices } from "./slices.ts";

export interface Planner {
  /** Something that matters to the queue changed. */
  wake(): void;
  /** While stopped, nothing is started: the cluster is being shut down. */
  setStopped(isStopped: boolean): void;
  /** Why a job waits. */
  reasonOf(job: Job): Reason;
  /** Its place in the queue; of a job that runs, the one from which it started. */
  priorityOf(job: Job): number;
  /** What is left of a waiting job's dependency, as squeue shows it; empty for none. */
  dependencyOf(job: Job): string;
}

export interface PlannerPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: SchedulerPolicy;
  /** How many jobs may run at a time; any number if absent. */
  running?(): JobLimits;
  state(): ClusterState;
  execute(command: Command): Promise<Decision>;
  /** Whether a node's daemon is connected. */
  isConnected(node: string): boolean;
  /** A node without what others have of its GPUs, and without closed ones; these alone are left out if absent. */
  seenBy?(node: Node): Node;
  /** A pass took so many microseconds, starts so many jobs, and found so many records waiting. */
  onPass?(microseconds: number, started: number, queueLength: number): void;
}

/** Of a job that does not wait, is about to start, or was not looked at yet. */
const NO_REASON: Reason = { word: "None", text: "" };

/** Before the first pass. */
const NO_PLAN: Plan = {
  starts: [],
  planned: new Map(),
  reasons: new Map(),
  otherwise: NO_REASON,
  ends: [],
  preemptions: [],
  resumes: [],
  groupReasons: new Map(),
  wishReasons: new Map(),
  reservations: new Map(),
  kept: [],
  wakeAt: null,
};

/** Between passes over the same state that each ask for another one at once. */
const AGAIN_MS = 1000;

/** How old the fair shares may be by which the queue is ordered. */
const SHARES_AGE_MAX_MS = 5000;

/** What happens within this time of a first event is looked at in one pass. */
const WAKE_MS = 1;

/** How long an answer about times may be repeated: no reason that people read changes faster. */
const GATE_AGE_MAX_MS = 100;

/** Starts idle. */
export function createPlanner(ports: PlannerPorts): Planner {
  const gateNow = createGate(ports);
  const rankingNow = createRanking(ports);
  const passes = new Passes(ports, gateNow, rankingNow);
  return {
    wake: () => passes.wake(),
    setStopped: (value) => passes.setStopped(value),
    priorityOf: (job) => rankingNow().priorityOf(job),
    reasonOf(job) {
      if (job.state !== "PENDING") return NO_REASON;
      const own = gateNow().waitReason(job);
      if (own) return own.reason;
      const { plan } = passes;
      const told = passes.isNew(job) ? (plan.reasons.get(job.id) ?? NO_REASON) : toldReason(plan, job);
      return told ?? plan.otherwise;
    },
    dependencyOf: (job) => (job.state === "PENDING" && job.spec.dependency ? gateNow().dependencyText(job) : ""),
  };
}

/** Passes one after the other, each in slices. */
class Passes {
  plan = NO_PLAN;
  readonly #ports: PlannerPorts;
  readonly #gateNow: () => Gate;
  readonly #rankingNow: () => Prioritizer;
  readonly #execute: ReturnType<typeof executor>;
  readonly #memory = new PassMemory();
  #starting: ReadonlySet<number> = new Set();
  /** Jobs of this number and above came after the plan was made. */
  #nextJobId = 0;
  #isWoken = false;
  #isBusy = false;
  #isStopped = false;
  /** The state for which the last pass asked for another one at once. */
  #againSeq: number | null = null;
  #stopAlarm: Cancel = () => {};

  constructor(ports: PlannerPorts, gateNow: () => Gate, rankingNow: () => Prioritizer) {
    this.#ports = ports;
    this.#gateNow = gateNow;
    this.#rankingNow = rankingNow;
    this.#execute = executor(ports);
  }

  /** Whether the plan says nothing of a job but what is its own. */
  isNew({ id }: Job): boolean {
    // Of an array's record some tasks may start while others wait.
    return id >= this.#nextJobId || this.#starting.has(id);
  }

  setStopped(value: boolean): void {
    this.#isStopped = value;
    this.wake();
  }

  wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    // A pass under way is done with first.
    if (!this.#isBusy) this.#ports.clock.after(WAKE_MS, () => this.#begin());
  }

  #begin(): void {
    this.#isWoken = false;
    this.#stopAlarm();
    if (this.#isStopped) return;
    this.#isBusy = true;
    inSlices(this.#ports.clock, this.#pass(), () => {
      this.#isBusy = false;
      if (this.#isWoken) this.#ports.clock.after(WAKE_MS, () => this.#begin());
    });
  }

  /** A pass, and what it plans. What happens between its slices may make it stale: then it is looked at again. */
  *#pass(): Generator<void, void> {
    const ports = this.#ports;
    const { policy, clock } = ports;
    yield* this.#memory.holdings.catchUp(ports.state(), clock.now(), policy.assumedTimeS);
    const state = ports.state();
    const now = clock.now();
    const { seq, nextJobId } = state;
    const known = { ranking: this.#rankingNow(), running: ports.running?.(), kept: this.plan.kept };
    const view = viewOf(state, ports.isConnected, now, { ...ports, ...known, memory: this.#memory });
    const plan = yield* timed(ports, state, scheduleInSteps(view, now, policy));
    if (this.#isStopped || ports.state() !== state) return this.wake();
    this.plan = plan;
    this.#starting = new Set(
      plan.starts.flatMap(({ jobId, followers = [] }) => [jobId, ...followers.map((one) => one.jobId)]),
    );
    this.#nextJobId = nextJobId;
    const isDone = yield* this.#carryOut(plan, seq);
    // Those that made room for what starts now may have what is left.
    if (!isDone || (plan.starts.length > 0 && view.preemption)) this.wake();
    for (const name of endedReservations(state, now)) this.#execute({ type: "reservation.expire", name }, 0);
    const wakeAt = Math.min(plan.wakeAt ?? Number.POSITIVE_INFINITY, nextReservationAt(state, now));
    // A pass that asks for another one at once, as the one before it did of the same state, must not keep us busy for ever.
    const leastMs = wakeAt <= now && this.#againSeq === seq ? AGAIN_MS : 1;
    this.#againSeq = wakeAt <= now ? seq : null;
    if (Number.isFinite(wakeAt)) this.#stopAlarm = clock.after(Math.max(leastMs, wakeAt - now), () => this.wake());
  }

  /**
   * False if a job was not started that should have been. If something happened since the pass, each job is looked at again
   * before it starts.
   * @param seq of the state for which the plan is
   */
  *#carryOut({ starts, preemptions, resumes, ends, planned }: Plan, seq: number): Generator<void, boolean> {
    const execute = this.#execute;
    let known = seq;
    let isStale = false;
    let isDone = true;
    for (const start of starts) {
      if (this.#isStopped) return false;
      isStale ||= this.#ports.state().seq !== known;
      if (!isStale || this.#mayStart(start, planned)) execute({ type: "job.allocate", ...start }, start.jobId);
      else isDone = false;
      known = this.#ports.state().seq;
      yield;
    }
    for (const one of preemptions) execute({ type: "job.preempt", ...one }, one.jobId);
    for (const jobId of resumes) {
      execute({ type: "job.suspend", jobId, tasks: null, byUid: 0, suspend: false }, jobId);
    }
    for (const end of ends) execute({ type: "job.expire", ...end }, end.jobId);
    return isDone;
  }

  /** Whether a job is what the plan is for, and nothing has come in its way. Room is looked at when it starts. */
  #mayStart({ jobId, followers = [] }: Start, planned: Plan["planned"]): boolean {
    return [jobId, ...followers.map((one) => one.jobId)].every((id) => {
      const job = pendingJob(this.#ports.state(), id);
      return job !== undefined && job.spec === planned.get(id) && this.#gateNow().hindrance(job) === null;
    });
  }
}

/** Hands over what a plan says; what comes of it is logged only if it went wrong. */
function executor(ports: Pick<PlannerPorts, "execute" | "log">): (command: Command, jobId: number) => void {
  return (command, jobId) => {
    ports.execute(command).then(
      (decision) => {
        if (decision.kind === "deny") ports.log.warn("the plan was refused", { jobId, ...decision.denial });
      },
      (error: unknown) => ports.log.warn("the plan failed", { jobId, error: String(error) }),
    );
  };
}

/** The gate of now, for some moments the same one. */
function createGate(ports: Pick<PlannerPorts, "state" | "clock">): () => Gate {
  let asked: { readonly state: ClusterState; readonly seq: number; readonly at: number; readonly gate: Gate } | null =
    null;
  /** Lists ask for the reasons of many jobs at once: what these need is looked up once. */
  return () => {
    const [state, now] = [ports.state(), ports.clock.now()];
    const isFresh = asked?.state === state && asked.seq === state.seq && Math.abs(now - asked.at) <= GATE_AGE_MAX_MS;
    if (asked && isFresh) return asked.gate;
    asked = { state, seq: state.seq, at: now, gate: gateOf(state, now) };
    return asked.gate;
  };
}

/** Tells how long a pass took, without what happened in between. */
function* timed(
  { clock, onPass }: PlannerPorts,
  state: ClusterState,
  steps: ReturnType<typeof scheduleInSteps>,
): ReturnType<typeof scheduleInSteps> {
  let spentMs = 0;
  for (;;) {
    const beganMs = clock.monotonic();
    const step = steps.next();
    spentMs += clock.monotonic() - beganMs;
    if (!step.done) {
      yield;
      continue;
    }
    onPass?.(Math.round(spentMs * 1000), step.value.starts.length, state.pending.size);
    return step.value;
  }
}

/** Priorities of now: a new look is taken where it could matter. */
function createRanking(ports: Pick<PlannerPorts, "state" | "clock">): () => Prioritizer {
  let ranking: Prioritizer | null = null;
  let known: { state: ClusterState; version: number; at: number; shares: ReturnType<typeof sharesAt> } | null = null;
  /** Fair shares move slowly, and to reckon them takes a look at every running job. */
  return () => {
    const [state, now] = [ports.state(), ports.clock.now()];
    const { version } = state.policy;
    const isFresh =
      known?.state === state && known.version === version && Math.abs(now - known.at) <= SHARES_AGE_MAX_MS;
    if (!isFresh) {
      known = { state, version, at: now, shares: sharesAt(state, now) };
      ranking = null;
    }
    // Whoever lists jobs asks for many at once.
    if (ranking === null || Math.abs(now - ranking.now) > GATE_AGE_MAX_MS)
      ranking = prioritizer(state, now, known?.shares);
    return ranking;
  };
}

/**
 * What a pass looks at, of a state and of who is connected.
 * @param known priorities that are known already; the policy of the pass; how many jobs may run; promises to keep;
 *   what nodes are without others; what other passes found out
 */
export function viewOf(
  state: ClusterState,
  isConnected: (node: string) => boolean,
  now: number,
  known: {
    readonly ranking?: Prioritizer;
    readonly policy?: SchedulerPolicy;
    readonly running?: JobLimits | undefined;
    readonly memory?: PassMemory;
    readonly kept?: readonly Kept[];
    readonly seenBy?: PlannerPorts["seenBy"];
    readonly order?: QueueOrder;
  } = {},
): ScheduleView {
  const { ranking, policy = EASY, running, memory, kept = [], seenBy = withClosedGpus, order = policy } = known;
  const gate = gateOf(state, now, running);
  const mayStart = ({ jobId }: Kept): boolean => {
    const job = pendingJob(state, jobId);
    return job !== undefined && gate.hindrance(job) === null;
  };
  return {
    pending: queueOf(state, gate, { ranking: ranking ?? prioritizer(state, now), now: memory ? now : null }, order),
    expiring: waiting(state, state.expiring),
    nodes: [...state.nodes.values()].map((node) => seenBy(node)),
    isConnected,
    gate,
    // The promise of a single job gets no later anyway: nobody else's stands in its way.
    ...(kept.length > 1 ? { kept: kept.filter(mayStart) } : {}),
    places: placesOf(state, now),
    memory,
    holdings: memory?.holdings.bookOf(state, now, policy.assumedTimeS) ?? {
      [Symbol.iterator]: () => holdingsOf(state, now, policy.assumedTimeS),
    },
    licenses: state.licenses,
    ...(policy.preemption ? { preemption: preemptingIn(state, policy.preemption, now) } : {}),
    ...(state.reservations.size > 0 || state.elastic.nodes.size > 0 ? { later: laterOf(state) } : {}),
  };
}

/** What decides on the order of equals. */
export type QueueOrder = Pick<SchedulerPolicy, "queueOrder" | "predictS" | "assumedTimeS">;

/** Those that must not start before a later time than now are left out, unless now is `null`. */
function queueOf(
  state: ClusterState,
  gate: Gate,
  { ranking, now }: { readonly ranking: Prioritizer; readonly now: number | null },
  order: QueueOrder,
): Queue {
  const queue = byPriority(state.lanes, (id) => pendingJob(state, id), ranking, now);
  if (order.queueOrder !== "slowdown") return queue;
  const likelyOf = (job: PendingJob): number => {
    const limitS = gate.limitS(job);
    return order.predictS?.(job, limitS) ?? (limitS || order.assumedTimeS);
  };
  return byRank(queue, {
    tierOf: (job) => ranking.tierOf(job),
    priorityOf: (job) => ranking.priorityOf(job),
    rankOf: (job) => slowdownRank((ranking.now - job.submitAt) / 1000, likelyOf(job)),
  });
}

function laterOf(state: ClusterState): NonNullable<ScheduleView["later"]> {
  const times = [...state.reservations.values()].flatMap(({ startAt, endAt }) => [startAt, endAt]);
  return { placesAt: (at) => placesOf(state, at), times };
}

function pendingJob(state: ClusterState, id: number): PendingJob | undefined {
  const job = state.jobs.get(id);
  return job?.state === "PENDING" ? job : undefined;
}

function* waiting(state: ClusterState, ids: Iterable<number>): Generator<PendingJob> {
  for (const id of ids) {
    const job = state.jobs.get(id);
    if (job?.state === "PENDING") yield job;
  }
}

function endedReservations({ reservations }: ClusterState, now: number): string[] {
  return [...reservations.values()].filter(({ endAt }) => endAt <= now).map(({ name }) => name);
}

/** When the next reservation begins or ends, in milliseconds since 1970; Infinity for never. */
function nextReservationAt({ reservations }: ClusterState, now: number): number {
  const times = [...reservations.values()].flatMap(({ startAt, endAt }) => [startAt, endAt]);
  return Math.min(...times.filter((at) => at > now));
}
