/** Nodes coming and going. */

import type { MarkNodeDown, RegisterNode } from "../commands.ts";
import type { JobStart, NodeName } from "../ids.ts";
import type { NodeInventory } from "../node.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, ignore } from "./decision.ts";
import { ATTEMPTS_MAX, giveUp } from "./give-up.ts";

/** Slurm's highest job number. A node that speaks of a higher one is not believed. */
const JOB_ID_MAX = 0x03ff_ffff;

/** Takes a node in, or back; an unchanged one needs no event. */
export function decideRegister(state: ClusterState, { node, inventory, starts = [] }: RegisterNode): Decision {
  const known = state.nodes.get(node);
  const jobIdSeen = starts.reduce((most, { jobId }) => (jobId > most && jobId <= JOB_ID_MAX ? jobId : most), 0);
  const isSeen = jobIdSeen >= state.nextJobId;
  const isUp = known && (!known.down || known.down.by);
  if (isUp && !isSeen && sameInventory(known.inventory, inventory)) {
    return ignore("registered already with the same equipment");
  }
  return accept({ type: "node.registered", node, inventory, ...(isSeen ? { jobIdSeen } : {}) });
}

/**
 * Those starts on a node that no job here accounts for: of a job whose records were lost with a damaged journal or a
 * state folder, or of an older attempt that was taken for ended.
 */
export function strangersOn(state: ClusterState, node: NodeName, starts: readonly JobStart[]): JobStart[] {
  return starts.filter(({ jobId, attempt }) => {
    const job = state.jobs.get(jobId);
    if (job?.attempt !== attempt) return true;
    if (job.state === "RUNNING") return !job.allocation.some((share) => share.node === node);
    return !job.cleanup.includes(node);
  });
}

/**
 * Gives up a node that does not answer: nothing new goes there, and its jobs start elsewhere or end, as they asked. What
 * still runs there when it comes back belongs to an older start, and is ended (see {@link strangersOn}).
 */
export function decideMarkDown(state: ClusterState, command: MarkNodeDown, now: number): Decision {
  const { node: name, reason } = command;
  const node = state.nodes.get(name);
  if (!node || node.down) return ignore("unknown or down already");
  const lost = new Set([name]);
  const cause = (): string => `node ${name} is down: ${reason}`;
  const losses = giveUp(state, { lost, away: lost, cause, attemptsMax: ATTEMPTS_MAX }, now);
  return accept({ type: "node.down", node: name, reason }, ...losses);
}

/** Inventories are plain data with a fixed order of keys, made by one function. */
function sameInventory(a: NodeInventory, b: NodeInventory): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
