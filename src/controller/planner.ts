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
import type { Plan, Reason } from "../sched/plan.ts";
import { EASY, type SchedulerPolicy } from "../sched/policy.ts";
import { byRank, slowdownRank } from "../sched/rank.ts";
import { type ScheduleView, schedule } from "../sched/schedule.ts";
import { toldReason } from "../sched/told.ts";
import { preemptingIn } from "../sched/victims.ts";

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

/** How old the fair shares may be by which the queue is ordered. */
const SHARES_AGE_MAX_MS = 5000;

/** How long an answer about times may be repeated: no reason that people read changes faster. */
const GATE_AGE_MAX_MS = 100;

/** Starts idle. */
export function createPlanner(ports: PlannerPorts): Planner {
  let isWoken = false;
  let isStopped = false;
  let stopAlarm: Cancel = () => {};
  let plan = NO_PLAN;
  let starting: ReadonlySet<number> = new Set();
  /** Jobs of this number and above came after the plan was made. */
  let nextJobId = 0;
  const execute = executor(ports);
  const memory = new PassMemory();

  const gateNow = createGate(ports);
  const rankingNow = createRanking(ports);

  const pass = (): void => {
    isWoken = false;
    stopAlarm();
    if (isStopped) return;
    const state = ports.state();
    const now = ports.clock.now();
    const { policy } = ports;
    const known = { ...ports, ranking: rankingNow(), running: ports.running?.(), kept: plan.kept, memory };
    const view = viewOf(state, ports.isConnected, now, known);
    plan = timed(ports, state, () => schedule(view, now, policy));
    starting = new Set(
      plan.starts.flatMap(({ jobId, followers = [] }) => [jobId, ...followers.map((one) => one.jobId)]),
    );
    nextJobId = state.nextJobId;
    carryOut(plan, execute);
    // Those that made room for what starts now may have what is left.
    if (plan.starts.length > 0 && view.preemption) wake();
    for (const name of endedReservations(state, now)) execute({ type: "reservation.expire", name }, 0);
    const wakeAt = Math.min(plan.wakeAt ?? Number.POSITIVE_INFINITY, nextReservationAt(state, now));
    if (Number.isFinite(wakeAt)) stopAlarm = ports.clock.after(Math.max(1, wakeAt - now), wake);
  };

  const wake = (): void => {
    if (isWoken) return;
    isWoken = true;
    ports.clock.after(0, pass);
  };

  return {
    wake,
    setStopped(value) {
      isStopped = value;
      wake();
    },
    priorityOf: (job) => rankingNow().priorityOf(job),
    reasonOf(job) {
      if (job.state !== "PENDING") return NO_REASON;
      const own = gateNow().waitReason(job);
      if (own) return own.reason;
      // Of an array's record some tasks may start while others wait.
      const isNew = job.id >= nextJobId || starting.has(job.id);
      const told = isNew ? (plan.reasons.get(job.id) ?? NO_REASON) : toldReason(plan, job);
      return told ?? plan.otherwise;
    },
    dependencyOf: (job) => (job.state === "PENDING" && job.spec.dependency ? gateNow().dependencyText(job) : ""),
  };
}

function carryOut(plan: Plan, execute: ReturnType<typeof executor>): void {
  for (const start of plan.starts) execute({ type: "job.allocate", ...start }, start.jobId);
  for (const one of plan.preemptions) execute({ type: "job.preempt", ...one }, one.jobId);
  for (const jobId of plan.resumes) {
    execute({ type: "job.suspend", jobId, tasks: null, byUid: 0, suspend: false }, jobId);
  }
  for (const end of plan.ends) execute({ type: "job.expire", ...end }, end.jobId);
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

/** Tells how long a pass took. */
function timed({ clock, onPass }: PlannerPorts, state: ClusterState, pass: () => Plan): Plan {
  const beganMs = clock.monotonic();
  const plan = pass();
  onPass?.(Math.round((clock.monotonic() - beganMs) * 1000), plan.starts.length, state.pending.size);
  return plan;
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
    pending: queueOf(state, gate, ranking ?? prioritizer(state, now), order),
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
    ...(state.reservations.size > 0 ? { later: laterOf(state) } : {}),
  };
}

/** What decides on the order of equals. */
export type QueueOrder = Pick<SchedulerPolicy, "queueOrder" | "predictS" | "assumedTimeS">;

function queueOf(state: ClusterState, gate: Gate, ranking: Prioritizer, order: QueueOrder): Queue {
  const queue = byPriority(state.lanes, (id) => pendingJob(state, id), ranking);
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
