/**
 * The smallest changes that would start a waiting job now: each is tried in a pass of the scheduler, so what is said
 * here is what would happen. First what is not about room (holds, times, dependencies), then one wish less. Pure.
 */

import { priorityProblem } from "../../core/decide/submit.ts";
import type { Change } from "../../core/explanation.ts";
import type { PendingJob } from "../../core/job.ts";
import { priorityOf } from "../../core/priority.ts";
import type { ClusterState } from "../../core/state.ts";
import type { Gate } from "../eligible.ts";
import { type ScheduleView, schedule } from "../schedule.ts";
import { droppable, type Scale, scales, targetOf, updateCommand, type Variant, withSpec } from "./wishes.ts";

/** Changes that are told. */
const CHANGES_MAX = 3;

/** Things apart from room that are lifted one after the other. */
const LIFTS_MAX = 4;

/** Costs of a place further ahead: others pay for it, so it is proposed after small losses of the job's own. */
const PRIORITY_COST = 0.5;

/** What the search needs. */
export interface SearchFacts {
  readonly state: ClusterState;
  readonly view: ScheduleView;
  /** A gate that has not looked at anything yet. */
  readonly newGate: () => Gate;
  readonly job: PendingJob;
  readonly ahead: readonly PendingJob[];
  readonly now: number;
  /** Seconds, 0 for none. */
  readonly limitS: number;
  /** Who asks: what they may do is proposed. */
  readonly byUid: number;
}

/** The smallest first; empty if no single change would start it. Yields after each try. */
export function* searchChanges(facts: SearchFacts): Generator<void, Change[]> {
  const base = lifted(facts);
  if (base === null) return [];
  yield;
  // One that needs no change is about to start.
  if (starts(facts, base.job)) return base.commands.length > 0 ? [toChange(base)] : [];
  const found: Variant[] = [];
  const keep = (variant: Variant): void => {
    found.push({
      ...variant,
      words: [base.words, variant.words].filter(Boolean).join(", and "),
      commands: [...base.commands, ...variant.commands],
    });
  };
  for (const variant of droppable(base.job, facts.state)) {
    if (starts(facts, variant.job)) keep(variant);
    yield;
  }
  for (const scale of scales(base.job, facts.limitS)) {
    const most = yield* largest(facts, scale);
    if (most) keep(most);
  }
  const first = atTheTop(facts, base.job);
  if (first && starts({ ...facts, ahead: [] }, first.job)) keep(first);
  found.sort((a, b) => a.cost - b.cost);
  if (found.length === 0 && base.commands.length > 0) {
    return [{ words: `${base.words}; after that it still waits for room and its turn`, commands: base.commands }];
  }
  return found.slice(0, CHANGES_MAX).map(toChange);
}

/** The job without what keeps it waiting whatever room there is; `null` if the asker can't lift that. */
function lifted({ job, newGate, now, byUid }: SearchFacts): Variant | null {
  let current: Variant = { job, words: "", commands: [], cost: 0 };
  for (let lifts = 0; lifts < LIFTS_MAX; lifts++) {
    const found = newGate().hindrance(current.job);
    if (found === null) return current;
    const next = lift(current.job, found.word, now, byUid);
    if (next === null) return null;
    const words = [current.words, next.words].filter(Boolean).join(", and ");
    current = { ...next, words, commands: [...current.commands, ...next.commands] };
  }
  return null;
}

function lift(job: PendingJob, word: string, now: number, byUid: number): Variant | null {
  const by = (changed: PendingJob, words: string, command: readonly string[]): Variant => {
    return { job: changed, words, commands: [command], cost: 0 };
  };
  switch (word) {
    case "JobHeldAdmin":
      if (byUid !== 0) return null;
      return by({ ...job, hold: null }, "release it", ["mgpu-scontrol", "release", targetOf(job)]);
    case "JobHeldUser":
      return by({ ...job, hold: null }, "release it", ["mgpu-scontrol", "release", targetOf(job)]);
    case "BeginTime":
      return by(
        { ...withSpec(job, { beginAt: 0 }), eligibleAt: now },
        "let it begin now",
        updateCommand(job, "starttime=now"),
      );
    case "Dependency":
    case "DependencyNeverSatisfied":
      return by(withSpec(job, { dependency: null }), "let it depend on nothing", updateCommand(job, "dependency="));
    case "JobArrayTaskLimit":
      if (!job.spec.array || job.spec.array.limit === 0) return null;
      return by(
        withSpec(job, { array: { ...job.spec.array, limit: 0 } }),
        "let as many tasks of the array run as there is room for",
        updateCommand(job, "arraytaskthrottle=0"),
      );
    default:
      return null;
  }
}

/** The largest number with which it starts; larger ones never do where a smaller one doesn't. */
function* largest(facts: SearchFacts, { least, present, at }: Scale): Generator<void, Variant | null> {
  if (least >= present || !starts(facts, at(least).job)) return null;
  yield;
  let low = least;
  let high = present;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (starts(facts, at(middle).job)) low = middle;
    else high = middle;
    yield;
  }
  return at(low);
}

/** The job before all others, if the asker may put it there. */
function atTheTop({ ahead, byUid, state }: SearchFacts, job: PendingJob): Variant | null {
  if (ahead.length === 0) return null;
  const highest = Math.max(...ahead.map(priorityOf));
  const priority = highest + 1 + Math.max(0, job.spec.nice);
  if (priorityProblem(state, { priority }, byUid)) return null;
  const words = `put it before ${ahead.length === 1 ? "the job" : `the ${ahead.length} jobs`} ahead of it`;
  const changed = withSpec(job, { priority });
  return { job: changed, words, commands: [updateCommand(job, `priority=${priority}`)], cost: PRIORITY_COST };
}

/** Whether a pass would start it, or some task of it. */
function starts({ view, ahead, newGate, now }: SearchFacts, job: PendingJob): boolean {
  const plan = schedule({ ...view, pending: [...ahead, job], expiring: [], gate: newGate() }, now);
  return plan.starts.some(({ jobId }) => jobId === job.id);
}

function toChange({ words, commands }: Variant): Change {
  return { words, commands };
}
