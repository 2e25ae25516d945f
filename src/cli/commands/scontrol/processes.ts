/** scontrol's verbs about a job's processes: notify, listpids, pidinfo. */

import { isOpenStep } from "../../../core/job.ts";
import { RpcError } from "../../../protocol/errors.ts";
import type { Peer } from "../../../rpc/types.ts";
import { formatDateLine } from "../../../view/date-line.ts";
import type { JobEntry } from "../../../view/job-record.ts";
import { UserError } from "../../context.ts";
import { type JobTarget, parseJobTarget } from "../../filters.ts";
import { type Entries, loadEntries, loadTargets, readJobIds } from "./entries.ts";
import { type Scope, type Verb, wordCountProblem } from "./scope.ts";

/** `notify JOB MESSAGE...`: into the stderr of a batch script, or of the first task of steps that run. */
export const notify: Verb = async (words, scope) => {
  wordCountProblem("notify", words, 2, Number.POSITIVE_INFINITY);
  const [id = "", ...message] = words;
  const targets = readJobIds([id]);
  const peer = await scope.peer("job notify failure");
  const { entries } = await loadTargets(peer, targets);
  const meant = entries.filter(({ job }) => !job.array || job.state === "RUNNING" || entries.length === 1);
  try {
    if (meant.length === 0) throw new RpcError("INVALID_JOB", "Invalid job id specified");
    let said = 0;
    for (const { job } of meant) {
      said += (await peer.call("job.notify", { jobId: job.id, message: message.join(" ") })).said;
    }
    if (said > 0) return 0;
  } catch (error) {
    if (!(error instanceof RpcError) || error.code === "LOST_CONTACT") throw error;
    scope.error(`job notify failure: ${error.message}`);
    return 1;
  }
  scope.error(`job notify failure: nothing of job ${id} has an output that could take it (terminals are left alone)`);
  return 1;
};

interface Process {
  readonly pid: number;
  readonly entry: JobEntry;
  readonly stepId: number | "batch";
}

/** What steps run on these nodes; `stepId` null for all of a job. */
async function processesOn(peer: Peer, nodes: ReadonlySet<string>, { entries }: Entries): Promise<Process[]> {
  const found: Process[] = [];
  for (const entry of entries) {
    const { job } = entry;
    if (job.state !== "RUNNING" || !job.allocation.some(({ node }) => nodes.has(node))) continue;
    if (!job.steps.some(isOpenStep)) continue;
    const { steps } = await peer.call("step.usage", { jobId: job.id });
    for (const { stepId, parts } of steps) {
      const pids = parts.flatMap((part) => (nodes.has(part.node) ? part.pids : []));
      for (const pid of pids) found.push({ pid, entry, stepId });
    }
  }
  return found;
}

/** The nodes of this machine. */
async function nodesHere(peer: Peer, { context }: Scope): Promise<ReadonlySet<string>> {
  const { nodes } = await peer.call("nodes.list", {});
  return new Set(nodes.filter(({ inventory }) => inventory.hostname === context.hostname).map(({ name }) => name));
}

/** `listpids [JOB[.STEP]|*] [NODE]`: of this machine's nodes, or of the one named. */
export const listPids: Verb = async (words, scope) => {
  wordCountProblem("listpids", words, 0, 2);
  const [what = "*", node] = words;
  const target = what === "*" ? null : readTarget(what);
  const peer = await scope.peer("slurm_load_jobs error");
  const nodes = node === undefined ? await nodesHere(peer, scope) : new Set([node]);
  const entries = await (target ? loadTargets(peer, [target]) : loadEntries(peer, { states: ["RUNNING"] }));
  const isMeant = ({ stepId }: Process): boolean => !target || target.step === null || target.step === stepId;
  const found = (await processesOn(peer, nodes, entries)).filter(isMeant);
  if (target && found.length === 0) {
    scope.error(target.step === null ? `Job ${what} does not exist on this node.` : `Job step ${what} does not exist.`);
    return 1;
  }
  const line = (...cells: readonly (string | number)[]): string =>
    `${cells.map((cell, at) => String(cell).padEnd([8, 8, 8, 7, 8][at] ?? 0)).join(" ")}\n`;
  scope.context.stdio.out(line("PID", "JOBID", "STEPID", "LOCALID", "GLOBALID"));
  // Which of a step's processes its tasks began with is known to its holder alone.
  for (const { pid, entry, stepId } of found) scope.context.stdio.out(line(pid, entry.job.id, stepId, "-", "-"));
  return 0;
};

function readTarget(text: string): JobTarget {
  const target = parseJobTarget(text);
  if (!target) throw new UserError(`"${text}" does not look like a stepid`);
  return target;
}

const YEAR_MS = 365 * 86_400_000;

/** `pidinfo PID`: which job a process of this machine belongs to, and how long that may go on. */
export const pidInfo: Verb = async (words, scope) => {
  wordCountProblem("pidinfo", words, 1, 1);
  const [word = ""] = words;
  if (!/^[1-9]\d{0,9}$/.test(word)) throw new UserError(`invalid process id: ${word}`);
  const peer = await scope.peer("slurm_load_jobs error");
  const entries = await loadEntries(peer, { states: ["RUNNING"] });
  const all = await processesOn(peer, await nodesHere(peer, scope), entries);
  const found = all.find(({ pid }) => pid === Number(word));
  if (!found) {
    scope.context.stdio.err("Failed to locate job for requested pid\n");
    return 1;
  }
  const { row } = found.entry;
  const startAt = row.startAt ?? entries.nowMs;
  // Slurm tells a year where there is no limit.
  const endAt = startAt + (row.limitS === 0 ? YEAR_MS : row.limitS * 1000);
  const { stdio, utcOffsetMinutes } = scope.context;
  stdio.out(`Slurm JobId=${row.id} ends at ${formatDateLine(endAt, utcOffsetMinutes)}\n`);
  stdio.out(`slurm_get_rem_time is ${Math.max(0, Math.floor((endAt - entries.nowMs) / 1000))}\n`);
  return 0;
};
