/** `scontrol update`: changes what jobs asked for. */

import type { JobEntry } from "../../../view/job-record.ts";
import { isSlurmName } from "../../connect.ts";
import { UserError } from "../../context.ts";
import { jobFilter } from "../../filters.ts";
import { didYouMean } from "../../usage.ts";
import { type Assignment, lookUpKey, readAssignments } from "./assignments.ts";
import { loadEntries, loadTargets, readJobIds } from "./entries.ts";
import { reportResults, type Scope, type Verb } from "./scope.ts";
import { type Changes, FIELDS, type Field, type FieldContext } from "./update-fields.ts";

const COMPLAINT = "slurm_update error";

const NO_ENTITY = [
  "No valid entity in update command",
  'Input line must include "NodeName", "PartitionName", "Reservation", "JobId", or "SlurmctldDebug"',
];

const REFUSED_ENTITY = "not supported by mgpu: there are no front ends, and the log level is set when mgpu starts";

interface Change {
  readonly field: Field;
  readonly assignment: Assignment;
}

/** Keys that name something else than a job. */
const NODE = /^node(n(a(me?)?)?)?$/i;
const PARTITION = /^partitionn(a(me?)?)?$/i;
const RESERVATION = /^reservation(name)?$/i;
const STEP = /^step(id)?$/i;
const OTHER_ENTITIES = /^(slurmctlddebug|frontendname)$/i;

/** `update JobId=12,13 TimeLimit=1:00:00 ...`, or `JobName=x` instead of ids. */
export const update: Verb = async (words, scope) => {
  if (words.length === 0) throw new UserError("too few arguments for update keyword");
  const all = readAssignments(words);
  const isId = ({ key }: Assignment): boolean => /^job(id)?s?$/i.test(key);
  const ids = all.filter(isId).map(({ text }) => text);
  const node = ids.length === 0 ? all.find(({ key }) => NODE.test(key)) : undefined;
  if (node) {
    const { updateNodes } = await import("./update-node.ts");
    const rest = all.filter((one) => one !== node);
    return updateNodes(node.text, rest, scope);
  }
  const partition = ids.length === 0 ? all.find(({ key }) => PARTITION.test(key)) : undefined;
  if (partition) {
    const { updatePartition } = await import("./update-partition.ts");
    const rest = all.filter((one) => one !== partition);
    return updatePartition(partition.text, rest, scope);
  }
  const reservation = ids.length === 0 ? all.find(({ key }) => RESERVATION.test(key)) : undefined;
  if (reservation) {
    const { updateReservation } = await import("./update-reservation.ts");
    const rest = all.filter((one) => one !== reservation);
    return updateReservation(reservation.text, rest, scope);
  }
  const step = ids.length === 0 ? all.find(({ key }) => STEP.test(key)) : undefined;
  if (step) {
    const { updateStep } = await import("./update-step.ts");
    const rest = all.filter((one) => one !== step);
    return updateStep(step, rest, scope);
  }
  const other = all.find(({ key }) => OTHER_ENTITIES.test(key));
  if (ids.length === 0 && other) throw new UserError(`update ${other.key}: ${REFUSED_ENTITY}`);
  const named = all.find(({ key }) => /^(job)?name$/i.test(key));
  if (ids.length === 0 && named === undefined) {
    throw new UserError(NO_ENTITY, "scontrol update JobId=12 TimeLimit=1:00:00");
  }
  const user = all.find(({ key }) => /^user(id)?$/i.test(key));
  const assignments = all.filter((one) => !isId(one) && one !== user && (ids.length > 0 || one !== named));
  const changes = assignments.map(findField);
  if (changes.length === 0) throw new UserError("No changes specified");
  const entries = await find(scope, ids, named?.text ?? "", user?.text);
  let exitCode = 0;
  for (const entry of entries) exitCode = Math.max(exitCode, await change(entry, changes, scope));
  return exitCode;
};

function findField(assignment: Assignment): Change {
  const { key, operator, text } = assignment;
  const found = lookUpKey(FIELDS, key);
  if (found === "ambiguous") throw new UserError(`${key} may mean several things: write more of it`);
  if (found === "unknown") {
    const problems = [`Update of this parameter is not supported: ${key}${operator}${text}`, "Request aborted"];
    throw new UserError(problems, didYouMean([key], Object.keys(FIELDS)));
  }
  if (operator !== "=" && !found.takesSteps) {
    throw new UserError(`Option ${assignment.word} does not accept [+|-]= syntax`, "of a job, only TimeLimit takes it");
  }
  return { field: found, assignment };
}

async function find(scope: Scope, ids: readonly string[], name: string, user?: string): Promise<readonly JobEntry[]> {
  const peer = await scope.peer(COMPLAINT);
  if (ids.length === 0) {
    const criteria = { names: [name], users: user === undefined ? [] : [user] };
    const { entries } = await loadEntries(peer, criteria);
    const live = entries.filter(({ row }) => row.endAt === null);
    if (live.length === 0) throw new UserError(`JobName ${name} not found`, "no job in the queue is called so");
    return live;
  }
  const targets = readJobIds(ids);
  const { entries } = await loadTargets(peer, targets);
  const missing = targets.filter(
    ({ jobId }) => !entries.some(({ job }) => job.id === jobId || job.array?.jobId === jobId),
  );
  if (missing.length > 0) {
    throw new UserError(missing.map(({ text }) => `Invalid job id specified for job ${text}`));
  }
  // Tasks of an array that are over keep what they had.
  const live = entries.filter(({ row }) => row.endAt === null);
  return live.length > 0 ? live : entries;
}

async function change(entry: JobEntry, changes: readonly Change[], scope: Scope): Promise<number> {
  const { job } = entry;
  if (job.state !== "PENDING" && job.array && changes.every(({ field }) => field.ofWaiting)) return 0;
  const peer = await scope.peer(COMPLAINT);
  const filter = job.array
    ? jobFilter({ tasks: [{ jobId: job.array.jobId, tasks: job.array.tasks }] })
    : jobFilter({ ids: [job.id] });
  const action = { type: "update", changes: merged(entry, changes, scope) } as const;
  return reportResults((await peer.call("jobs.steer", { filter, action })).jobs, scope);
}

/** What Slurm calls keys in its complaints, where that is not as people type them. */
const SLURM_KEYS: Readonly<Record<string, string>> = {
  arraytaskthrottle: "ArrayTaskThrottle",
  contiguous: "Contiguous",
  cpuspertask: "CpusPerTask",
  mincpusnode: "MinCPUsNode",
  minmemorycpu: "MinMemoryCPU",
  minmemorynode: "MinMemoryNode",
  nice: "Nice",
  numtasks: "NumTasks",
  oversubscribe: "OverSubscribe",
  priority: "Priority",
  reqprocs: "NumTasks",
  requeue: "Requeue",
  shared: "OverSubscribe",
  taskspernode: "TasksPerNode",
};

/** A value that can't be read, in the words of Slurm's scontrol where it has some of its own. */
function slurmWords({ key, text, operator }: Assignment, { problem }: { readonly problem: string }): string {
  const own = `${key}: ${problem}`;
  if (problem.includes("mgpu")) return own;
  const full = Object.keys(FIELDS).find((one) => one.startsWith(key.toLowerCase())) ?? "";
  if (full === "timelimit") return operator === "=" ? "Invalid TimeLimit value" : own;
  if (full === "timemin") return "Invalid TimeMin value";
  if (full === "numnodes" || full === "reqnodes") return `Invalid numeric value "${text}" for requested node count.`;
  if (/^(starttime|eligibletime|deadline)$/.test(full)) return `Invalid time specification (pos=0): ${text}`;
  if (full === "mailtype") return `Invalid MailType: ${text}`;
  const name = SLURM_KEYS[full];
  return name === undefined ? own : `Invalid ${name} value: ${text}`;
}

/** All changes in one; each sees what those before it changed. */
function merged({ job, row }: JobEntry, changes: readonly Change[], { context }: Scope): Changes {
  let sum: Changes = {};
  const problems: string[] = [];
  for (const { field, assignment } of changes) {
    const facts: FieldContext = {
      spec: { ...job.spec, ...sum } as FieldContext["spec"],
      limitS: row.limitS,
      nowMs: context.clock.now(),
      utcOffset: context.utcOffsetMinutes,
      wholeMinutes: isSlurmName(context.program),
      userName: context.user.name,
    };
    const parsed = field.read(assignment.text, facts, assignment.operator);
    if ("problem" in parsed)
      problems.push(
        isSlurmName(context.program) ? slurmWords(assignment, parsed) : `${assignment.key}: ${parsed.problem}`,
      );
    else sum = { ...sum, ...parsed.value };
  }
  if (problems.length > 0) throw new UserError(problems);
  return sum;
}
