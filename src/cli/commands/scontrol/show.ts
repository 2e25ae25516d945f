/** `scontrol show`: records of jobs and steps, and node lists. */

import { isOpenStep } from "../../../core/job.ts";
import { jobRecord } from "../../../view/job-record.ts";
import { recordText } from "../../../view/record-text.ts";
import { stepRecord } from "../../../view/step-record.ts";
import { stepRows } from "../../../view/step-row.ts";
import { UserError } from "../../context.ts";
import { type JobTarget, parseJobTarget } from "../../filters.ts";
import { didYouMean } from "../../usage.ts";
import { loadEntries, loadTargets, readJobIds } from "./entries.ts";
import { showHostlist, showHostlistSorted, showHostnames } from "./hosts.ts";
import { findKeyword } from "./keywords.ts";
import type { Scope, Verb } from "./scope.ts";

const LOAD_JOBS = "slurm_load_jobs error";

const nothing =
  (complaint: string, text: string, isError = false): Verb =>
  async (words, scope) =>
    (await import("./show-config.ts")).showNothing(complaint, text, isError)(words, scope);

/** Under both of its names one value: a shortened one may mean either. */
const licenses: Verb = async (words, scope) => (await import("./show-licenses.ts")).showLicenses(words, scope);

const ENTITIES: Readonly<Record<string, Verb>> = {
  hostlist: showHostlist,
  hostlistsorted: showHostlistSorted,
  hostnames: showHostnames,
  job: showJobs,
  jobs: showJobs,
  jobids: showJobs,
  steps: showSteps,
  aliases: async (words, scope) => (await import("./show-config.ts")).showAliases(words, scope),
  assoc_mgr: async (words, scope) => (await import("./show-assoc.ts")).showAssociations(words, scope),
  bbstat: nothing("slurm_load_burst_buffer_stat error", ""),
  burstbuffer: nothing("slurm_load_burst_buffer_info error", ""),
  config: async (words, scope) => (await import("./show-config.ts")).showConfig(words, scope),
  daemons: async (words, scope) => (await import("./show-config.ts")).showDaemons(words, scope),
  dwstat: nothing("slurm_load_burst_buffer_stat error", ""),
  federation: nothing("slurm_load_federation error", ""),
  frontend: nothing("slurm_load_front_end error", "No nodes in the system"),
  licenses,
  lics: licenses,
  nodes: async (words, scope) => (await import("./show-node.ts")).showNodes(words, scope),
  partitions: async (words, scope) => (await import("./show-partition.ts")).showPartitions(words, scope),
  reservations: async (words, scope) => (await import("./show-reservation.ts")).showReservations(words, scope),
  slurmd: nothing("slurm_load_slurmd_status", "node daemons listen nowhere; scontrol show node tells of them", true),
  topology: nothing("slurm_load_topo error", "No topology information available", true),
};

/** `show ENTITY [ID]` or `show ENTITY=ID`. */
export const show: Verb = async (words, scope) => {
  const [first = "", ...rest] = words;
  const equals = first.indexOf("=");
  const word = equals < 0 ? first : first.slice(0, equals);
  const args = equals < 0 ? rest : [first.slice(equals + 1), ...rest];
  if (word === "") throw new UserError("too few arguments for keyword:show");
  const found = findKeyword(ENTITIES, word);
  if (typeof found === "string") {
    throw new UserError(`invalid entity:${word} for keyword:show`, didYouMean([word], Object.keys(ENTITIES)));
  }
  // Several filters at a time are of use there alone.
  if (args.length > 1 && found.value !== ENTITIES.assoc_mgr) throw new UserError("too many arguments for keyword:show");
  return found.value(args, scope);
};

async function showJobs(words: readonly string[], scope: Scope): Promise<number> {
  const { context, show } = scope;
  const targets = readJobIds(words);
  const peer = await scope.peer(LOAD_JOBS);
  const { entries, nowMs } = await loadTargets(peer, targets);
  if (show.document) {
    const { printJobs } = await import("./show-json.ts");
    await printJobs(entries, nowMs, peer, scope);
    if (entries.length === 0 && targets.length > 0) context.stdio.err(`${LOAD_JOBS}: Invalid job id specified\n`);
    return entries.length === 0 && targets.length > 0 ? 1 : 0;
  }
  const time = { nowMs, utcOffset: context.utcOffsetMinutes };
  for (const entry of entries) context.stdio.out(recordText(jobRecord(entry, show.details > 0, time), show.oneLine));
  if (entries.length > 0) return 0;
  if (targets.length === 0) {
    if (!show.quiet) context.stdio.out("No jobs in the system\n");
    return 0;
  }
  context.stdio.err(`${LOAD_JOBS}: Invalid job id specified\n`);
  return 1;
}

/** Steps that run: all, those of a job, or one. */
async function showSteps(words: readonly string[], scope: Scope): Promise<number> {
  const { context, show } = scope;
  const target = words[0] === undefined ? null : readStepId(words[0]);
  const peer = await scope.peer("slurm_get_job_steps error");
  const { entries, nowMs } = await (target ? loadTargets(peer, [target]) : loadEntries(peer, {}));
  const isMeant = (stepId: string): boolean => !target || target.step === null || String(target.step) === stepId;
  if (show.document) {
    const { printSteps } = await import("./show-json.ts");
    const rows = entries.flatMap(({ job, row }) => stepRows(job, row)).filter(({ stepId }) => isMeant(stepId));
    await printSteps(rows, nowMs, peer, scope);
    if (rows.length > 0 || target === null) return 0;
    scope.notFound(`Job step ${words[0]} not found`);
    return 1;
  }
  const time = { nowMs, utcOffset: context.utcOffsetMinutes };
  let isFound = false;
  for (const { job, row } of entries) {
    if (job.state !== "RUNNING") continue;
    for (const step of job.steps) {
      if (!isOpenStep(step) || !isMeant(String(step.id))) continue;
      isFound = true;
      context.stdio.out(recordText(stepRecord(job, step, row.partition, time), show.oneLine));
    }
  }
  if (isFound || (target === null && show.quiet)) return 0;
  if (target === null) context.stdio.out("No job steps in the system\n");
  else scope.notFound(`Job step ${words[0]} not found`);
  return target === null ? 0 : 1;
}

function readStepId(text: string): JobTarget {
  const target = parseJobTarget(text);
  if (target === undefined) throw new UserError(`Invalid job id specified: ${text}`);
  return target;
}
