/** scontrol's verbs for operators, and those that a cluster of mgpu has no use for: each says what to do instead. */

import { formatTimestamp } from "../../../core/time.ts";
import { RpcError } from "../../../protocol/errors.ts";
import { clockTime } from "../../../view/record-text.ts";
import { UserError } from "../../context.ts";
import { loadEntries } from "./entries.ts";
import { type Verb, wordCountProblem } from "./scope.ts";

/** Jobs that are over but not cleared away, with the nodes that still have something of them. */
export const completing: Verb = async (words, scope) => {
  wordCountProblem("completing", words, 0, 0);
  const peer = await scope.peer("slurm_load_jobs error");
  const { entries, nowMs } = await loadEntries(peer, { states: ["COMPLETING"] });
  for (const { job, row } of entries) {
    if (job.state === "PENDING" || job.state === "RUNNING" || job.cleanup.length === 0) continue;
    const since = clockTime((nowMs - job.endAt) / 1000);
    const ended = formatTimestamp(job.endAt, scope.context.utcOffsetMinutes);
    const nodes = `Nodes(COMPLETING)=${job.cleanup.join(",")}`;
    scope.context.stdio.out(
      `JobId=${job.id} EndTime=${ended} CompletingTime=${since} ${nodes} NodeList=${row.nodeList}\n`,
    );
  }
  return 0;
};

/** Ends the daemons as `mgpu down` does: refused while jobs run. */
export const shutdown: Verb = async (words, scope) => {
  wordCountProblem("shutdown", words, 0, 1);
  const [what = "ALL"] = words;
  if (!/^(all|slurmctld|controller)$/i.test(what)) throw new UserError(`invalid shutdown argument:${what}`);
  const peer = await scope.peer("slurm_shutdown error");
  try {
    await peer.call("controller.shutdown", { force: false });
    return 0;
  } catch (error) {
    if (!(error instanceof RpcError) || error.code === "LOST_CONTACT") throw error;
    throw new UserError(`slurm_shutdown error: ${error.message}`, "mgpu down --force cancels the jobs that run");
  }
};

/** The controller reads its configuration file again. What it could not take over is told. */
export const reconfigure: Verb = async (words, scope) => {
  wordCountProblem("reconfigure", words, 0, 0);
  const peer = await scope.peer("slurm_reconfigure error");
  const { changed, refused, problems } = await peer.call("controller.reconfigure", {});
  if (problems.length > 0) {
    throw new UserError(
      problems.map((problem) => `slurm_reconfigure error: ${problem}`),
      "nothing was changed; mgpu config check looks through the file",
    );
  }
  if (scope.show.quiet) return 0;
  for (const line of changed) scope.context.stdio.err(`scontrol: ${line}\n`);
  for (const line of refused) {
    scope.context.stdio.err(`scontrol: ${line} needs a restart of mgpuctld; jobs run on meanwhile\n`);
  }
  return 0;
};

/** Slurm's texts of error numbers that scripts look up. */
const ERRORS: Readonly<Record<number, string>> = {
  0: "No error",
  2000: "Invalid partition name specified",
  2001: "No partition specified or system default partition",
  2002: "Access/permission denied",
  2004: "Requested nodes not in this partition",
  2006: "Invalid account or account/partition combination specified",
  2009: "Requested node configuration is not available",
  2010: "Requested nodes are busy",
  2014: "Invalid user id",
  2015: "Node count specification invalid",
  2016: "Requested partition configuration not available now",
  2017: "Invalid job id specified",
  2018: "Invalid node name specified",
  2021: "Job/step already completing or completed",
  2051: "Requested time limit is invalid (missing or exceeds some limit)",
};

/** `errnumstr 2017`: what a number of Slurm's errors means. */
export const errnumstr: Verb = async (words, scope) => {
  if (words.length !== 1) throw new UserError("one arguments required for keyword:errnumstr");
  const [word = ""] = words;
  if (!/^\d+$/.test(word)) throw new UserError("numeric arguments required for keyword:errnumstr");
  scope.context.stdio.out(`${ERRORS[Number(word)] ?? `Unknown error ${word}`}\n`);
  return 0;
};

/** A verb that is refused, with what to do instead. */
function refusedVerb(keyword: string, why: string, hint?: string): Verb {
  return async () => {
    throw new UserError(`${keyword}: not supported by mgpu: ${why}`, hint);
  };
}

const NO_POWER = "nodes are not switched on and off";
const NO_BACKUP = "there is one controller, and it starts again by itself when it is needed";

/** What Slurm has and mgpu has not, with the reason and the way to do without. */
export const REFUSED: Readonly<Record<string, Verb>> = {
  abort: refusedVerb("abort", "the controller makes no core file", "mgpu down ends it"),
  cancel_reboot: refusedVerb("cancel_reboot", NO_POWER),
  cluster: refusedVerb("cluster", "there is one cluster"),
  fsdampeningfactor: refusedVerb("fsdampeningfactor", "fair share needs no such factor"),
  getaddrs: refusedVerb("getaddrs", "node daemons dial the controller", "scontrol show node shows NodeAddr"),
  reboot: refusedVerb("reboot", NO_POWER, "drain the node, then reboot it yourself"),
  schedloglevel: refusedVerb("schedloglevel", "the scheduler has no log of its own", "mgpu why JOB tells what it sees"),
  setdebug: refusedVerb("setdebug", "the log level is set at the start", "MGPU_LOG_LEVEL=debug mgpu up"),
  setdebugflags: refusedVerb("setdebugflags", "there are none", "MGPU_LOG_LEVEL=debug mgpu up"),
  takeover: refusedVerb("takeover", NO_BACKUP),
  token: refusedVerb("token", "commands need no token: the controller's socket is its user's own"),
};

/** All keywords, one a line. */
export function helpText(keywords: readonly string[]): string {
  return `scontrol [OPTIONS...] [COMMAND...]; commands may be shortened:\n${[...keywords]
    .sort()
    .map((keyword) => `     ${keyword}\n`)
    .join("")}mgpu-scontrol --help shows the options; the manual of Slurm's scontrol fits\n`;
}
