/** The second look at the scheduler's plan: nothing is granted twice, whatever the plan says. */

import type { AllocateJob } from "../commands.ts";
import type { Node } from "../node.ts";
import { gpuThousandths, type NodeShare, totalCpus, WHOLE_GPU } from "../resources.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, ignore } from "./decision.ts";
import { effectiveLimit, findPartition } from "./submit.ts";

/** Starts a waiting job with the given allocation if it still waits and every share still fits. */
export function decideAllocate(state: ClusterState, command: AllocateJob): Decision {
  const job = state.jobs.get(command.jobId);
  if (job?.state !== "PENDING") return ignore("the job waits no longer");
  const partition = findPartition(state, job.spec);
  if (!partition) return deny("INVALID_PARTITION", "the job's partition is gone");
  for (const share of command.allocation) {
    const problem = shareProblem(state.nodes.get(share.node), share);
    if (problem) return deny("NO_CAPACITY", `${share.node}: ${problem}`);
  }
  const { request } = job.spec;
  const tasks = command.allocation.reduce((sum, share) => sum + share.tasks, 0);
  const cpus = command.allocation.reduce((sum, share) => sum + share.cpus, 0);
  const gpus = gpuThousandths(command.allocation);
  if (tasks !== request.tasks || cpus < totalCpus(request) || gpus !== (request.gpus?.thousandths ?? 0)) {
    return deny("NO_CAPACITY", "the plan does not give what the job asked for");
  }
  const limitS = effectiveLimit(job.spec, partition);
  const { allocation } = command;
  return accept({ type: "job.allocated", jobId: job.id, attempt: job.attempt + 1, allocation, limitS });
}

/** What keeps a share from being granted on its node, or an empty string. */
function shareProblem(node: Node | undefined, share: NodeShare): string {
  if (!node) return "no such node";
  if (node.down) return "the node is down";
  if (node.drain) return "the node is drained";
  const { inventory, usage } = node;
  if (usage.cpus + share.cpus > inventory.cpus) return "not enough free CPUs";
  if (usage.memoryMiB + share.memoryMiB > inventory.memoryMiB) return "not enough free memory";
  for (const grant of share.gpus) {
    const gpu = inventory.gpus.find((candidate) => candidate.index === grant.index);
    if (gpu?.uuid !== grant.uuid) return `no GPU ${grant.index} with UUID ${grant.uuid}`;
    if ((usage.gpus[grant.index] ?? 0) + grant.thousandths > WHOLE_GPU) return `GPU ${grant.index} is taken`;
  }
  return "";
}
