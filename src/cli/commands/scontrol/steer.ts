/** scontrol's verbs that hold, release, requeue, suspend and resume jobs, and move them to the top of the queue. */

import { jobLabel } from "../../../core/job-label.ts";
import type { Params } from "../../../protocol/procedures.ts";
import { UserError } from "../../context.ts";
import { criteriaOf, jobFilter } from "../../filters.ts";
import { loadEntries, loadTargets, readJobIds } from "./entries.ts";
import { type Scope, steer, type Verb, wordCountProblem } from "./scope.ts";

type Action = Params<"jobs.steer">["action"];

const NO_LONGER_PENDING = "Job is no longer pending execution";
const HELD = "Job is in held state, pending scheduler release";

const NAMED = /^(?:job)?name=(.*)$/i;

/** Keeps waiting jobs waiting. As root it is the operator's hold, which its user can't release. */
export const hold: Verb = (words, scope) => {
  const by = scope.context.user.uid === 0 ? "admin" : "user";
  return steerWaiting("hold", { type: "hold", by }, words, scope);
};

/** A hold that the job's user may release. */
export const userHold: Verb = (words, scope) => steerWaiting("uhold", { type: "hold", by: "user" }, words, scope);

/** Lets held jobs go. */
export const release: Verb = (words, scope) => steerWaiting("release", { type: "release" }, words, scope);

/** Puts batch jobs back into the queue. */
export const requeue: Verb = (words, scope) => steerStarted("requeue", { type: "requeue", hold: false }, words, scope);

/** The same, and they stay there until released. */
export const requeueHold: Verb = (words, scope) =>
  steerStarted("requeuehold", { type: "requeue", hold: true }, words, scope);

/** Stops the processes of running jobs. */
export const suspend: Verb = (words, scope) => {
  wordCountProblem("suspend", words, 1, Number.POSITIVE_INFINITY);
  return steerIds({ type: "suspend" }, words, scope);
};

/** Lets them go on. */
export const resume: Verb = (words, scope) => {
  wordCountProblem("resume", words, 1, Number.POSITIVE_INFINITY);
  return steerIds({ type: "resume" }, words, scope);
};

async function steerWaiting(keyword: string, action: Action, words: readonly string[], scope: Scope): Promise<number> {
  wordCountProblem(keyword, words, 1, Number.POSITIVE_INFINITY);
  const names = words.flatMap((word) => NAMED.exec(word)?.[1]?.split(",") ?? []);
  const ids = words.filter((word) => !NAMED.test(word));
  let exitCode = ids.length > 0 ? await steerIds(action, ids, scope) : 0;
  if (names.length > 0) {
    const filter = jobFilter({ names, states: ["PENDING"] });
    exitCode = Math.max(exitCode, await steer({ filter, action }, scope, "slurm_update error"));
  }
  return exitCode;
}

async function steerStarted(keyword: string, action: Action, words: readonly string[], scope: Scope): Promise<number> {
  const options = words.filter((word) => /^(incomplete|state=.*)$/i.test(word));
  const ids = words.filter((word) => !options.includes(word));
  wordCountProblem(keyword, ids, 1, Number.POSITIVE_INFINITY);
  const special = options.find((word) => !/^incomplete$/i.test(word));
  const isSpecial = special !== undefined && /^state=special(exit|_exit)$/i.test(special);
  if (special !== undefined && !(isSpecial && keyword === "requeuehold")) {
    throw new UserError(`${keyword} ${special}: the only state there is, of requeuehold, is State=SpecialExit`);
  }
  const whole: Action = isSpecial && action.type === "requeue" ? { ...action, special: true } : action;
  if (!options.some((word) => /^incomplete$/i.test(word))) return steerIds(whole, ids, scope);
  // Those that are over stay as they are, and that is what was asked for.
  const peer = await scope.peer("slurm_requeue error");
  const { entries } = await loadTargets(peer, readJobIds(ids));
  const running = entries.filter(({ job }) => job.state === "RUNNING").map(({ job }) => String(job.id));
  return running.length === 0 ? 0 : steerIds(whole, running, scope);
}

function steerIds(action: Action, words: readonly string[], scope: Scope): Promise<number> {
  const filter = jobFilter(criteriaOf(readJobIds(words)));
  return steer({ filter, action }, scope, `slurm_${action.type} error`);
}

/**
 * Moves waiting jobs before all others of the same user, partition, account and QOS: their nice values fall by what
 * their priorities lack, in the order given.
 */
export const top: Verb = async (words, scope) => {
  wordCountProblem("top", words, 1, Number.POSITIVE_INFINITY);
  const peer = await scope.peer("slurm_top_job error");
  const targets = readJobIds(words);
  const { entries } = await loadTargets(peer, targets);
  const chosen = targets.flatMap(({ jobId }) => entries.filter(({ job }) => (job.array?.jobId ?? job.id) === jobId));
  const [first] = chosen;
  if (first === undefined) throw new UserError(`Invalid job id specified for job ${words.join(",")}`);
  const { row } = first;
  const started = chosen.filter(({ job }) => job.state !== "PENDING");
  if (started.length > 0)
    throw new UserError(started.map((one) => `${NO_LONGER_PENDING} for job ${jobLabel(one.job)}`));
  const held = chosen.filter(({ job }) => job.state === "PENDING" && job.hold !== null);
  if (held.length > 0) throw new UserError(held.map((one) => `${HELD} for job ${jobLabel(one.job)}`));
  const queue = await loadEntries(peer, { users: [String(row.uid)], states: ["PENDING"], partitions: [row.partition] });
  const others = queue.entries.filter(
    (entry) =>
      entry.row.account === row.account &&
      entry.row.qos === row.qos &&
      !chosen.some(({ job }) => job.id === entry.job.id),
  );
  const highest = Math.max(0, ...others.map((entry) => entry.row.priority));
  let exitCode = 0;
  for (const [index, { job, row: own }] of chosen.entries()) {
    const lack = highest + chosen.length - index - own.priority;
    if (lack <= 0) continue;
    const action: Action = { type: "update", changes: { nice: job.spec.nice - lack } };
    const params = { filter: jobFilter({ ids: [job.id], states: ["PENDING"] }), action };
    exitCode = Math.max(exitCode, await steer(params, scope, "slurm_top_job error"));
  }
  return exitCode;
};
