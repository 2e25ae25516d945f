/**
 * Time sharing without known run times: the jobs that are most likely to be over soon, for the GPUs they take, first
 * (Gittins' index on attained service). How likely that is was learned from the jobs before: how many that had run so
 * long were over before they had run twice as long. Jobs that ask for as many GPUs resemble each other, and those
 * among them that were submitted one soon after the other (a sweep) far more so: each of the three, all jobs, those
 * of a size and those of a sweep, corrects the one before as far as it has seen enough.
 */

import { WHOLE_GPU } from "../../core/resources.ts";
import type { Sharer, Turn } from "../share.ts";

/** Seconds that a job has run at the end of the first level; each level is as long as all before it together. */
const FIRST_LEVEL_S = 300;
const LEVELS = 24;

/** Jobs of one size are of one sweep if no more than so many seconds lie between two submissions. */
const SWEEP_GAP_S = 600;

/** So many jobs of a sweep count for as much as all others of their size; so many of a size for as much as all jobs. */
const SWEEP_WEIGHT = 8;
const SIZE_WEIGHT = 5;

/** What nobody has seen yet is taken to be as likely as not. */
const UNSEEN = 0.5;

/** Who runs is stopped only for somebody so much better: a change of hands costs both of them. */
const KEEP = 1.3;

/** Below this share of jobs that last so long, what comes after does not matter. */
const TAIL = 1e-3;

/** How many jobs reached the end of each level or their own, and how many of them ended in it. */
class Counts {
  readonly seen = new Float64Array(LEVELS + 1);
  readonly over = new Float64Array(LEVELS + 1);
}

interface Sweep {
  readonly counts: Counts;
  lastS: number;
  /** By level, as of {@link version}. */
  index: (number | undefined)[];
  version: number;
}

interface Member {
  readonly sweep: Sweep;
  readonly size: Counts;
  readonly gpus: number;
  level: number;
}

/** The policy, which knows nothing yet. */
export function likelySoonOver(): Sharer {
  const all = new Counts();
  const sizes = new Map<number, Counts>();
  const sweeps = new Map<number, Sweep>();
  const members = new Map<Turn, Member>();
  let version = 0;

  const note = ({ sweep, size, level }: Member, isOver: boolean): void => {
    for (const counts of [all, size, sweep.counts]) {
      counts.seen[level] = (counts.seen[level] ?? 0) + 1;
      if (isOver) counts.over[level] = (counts.over[level] ?? 0) + 1;
    }
    version += 1;
  };
  const indexOf = ({ sweep, size, level, gpus }: Member): number => {
    if (sweep.version !== version) {
      sweep.version = version;
      sweep.index = [];
    }
    const known = sweep.index[level] ?? bestRate(level, [all, size, sweep.counts]) / gpus;
    sweep.index[level] = known;
    return known;
  };

  return {
    arrive(turn) {
      const { size, job } = turn.task;
      let sweep = sweeps.get(size);
      if (!sweep || job.submitS - sweep.lastS > SWEEP_GAP_S) {
        sweep = { counts: new Counts(), lastS: job.submitS, index: [], version: -1 };
        sweeps.set(size, sweep);
      }
      sweep.lastS = job.submitS;
      const counts = sizes.get(size) ?? new Counts();
      sizes.set(size, counts);
      members.set(turn, { sweep, size: counts, gpus: size / WHOLE_GPU, level: 0 });
    },
    end(turn) {
      const member = members.get(turn);
      if (member) note(member, true);
      members.delete(turn);
    },
    order(turns) {
      for (const turn of turns) {
        const member = members.get(turn);
        if (!member) continue;
        for (const level = levelOf(turn.ranS, member.level); member.level < level; member.level++) note(member, false);
      }
      for (const turn of turns) {
        const member = members.get(turn);
        turn.key = member ? indexOf(member) * (turn.isRunning ? KEEP : 1) : 0;
      }
      const gpuSeconds = ({ ranS, task }: Turn): number => ranS * task.size;
      return turns.sort(
        (a, b) => b.key - a.key || gpuSeconds(b) - gpuSeconds(a) || a.task.record.id - b.task.record.id,
      );
    },
    nextAt(turns, at) {
      let next = Number.POSITIVE_INFINITY;
      for (const turn of turns) {
        const level = members.get(turn)?.level ?? LEVELS;
        if (turn.isRunning && level < LEVELS - 1)
          next = Math.min(next, at + Math.max(1, endOfLevel(level) - turn.ranS));
      }
      return next;
    },
  };
}

const LEVEL_ENDS = Array.from({ length: LEVELS }, (_, level) => FIRST_LEVEL_S * 2 ** level);

function endOfLevel(level: number): number {
  return LEVEL_ENDS[level] ?? Number.POSITIVE_INFINITY;
}

/** @param known a level that it has reached */
function levelOf(ranS: number, known: number): number {
  let level = known;
  // Sums of many short stretches may fall short by a hair.
  while (level < LEVELS - 1 && ranS >= endOfLevel(level) - 1e-6) level += 1;
  return level;
}

/** Gittins' index: of all times that one could give a job, the one with the best chance of its end for a second of work. */
function bestRate(from: number, [all, size, sweep]: readonly [Counts, Counts, Counts]): number {
  let [alive, work, chance, best] = [1, 0, 0, 0];
  for (let level = from; level < LEVELS && alive >= TAIL; level++) {
    const ofAll = ((all.over[level] ?? 0) + UNSEEN / 2) / ((all.seen[level] ?? 0) + UNSEEN);
    const ofSize = ((size.over[level] ?? 0) + SIZE_WEIGHT * ofAll) / ((size.seen[level] ?? 0) + SIZE_WEIGHT);
    const hazard = ((sweep.over[level] ?? 0) + SWEEP_WEIGHT * ofSize) / ((sweep.seen[level] ?? 0) + SWEEP_WEIGHT);
    const length = level === 0 ? FIRST_LEVEL_S : endOfLevel(level) - endOfLevel(level - 1);
    work += alive * length * (1 - hazard / 2);
    chance += alive * hazard;
    alive *= 1 - hazard;
    best = Math.max(best, chance / work);
  }
  return best;
}
