/** Nodes shared with no other user (--exclusive=user): by a job that wants it so, and from jobs of others that do. */

import type { NodeName } from "./ids.ts";
import type { JobSpec } from "./jobspec.ts";
import type { ClusterState } from "./state.ts";

/** Whether other users' jobs may be in a job's way by being there at all, whatever room they leave. */
export function mindsOthers(state: ClusterState, { request }: Pick<JobSpec, "request">): boolean {
  return request.onlyUser === true || state.onlyUser.size > 0;
}

/** Nodes that a job may not use now because of another user's job there. */
export function nodesOfOthers(state: ClusterState, spec: Pick<JobSpec, "request" | "user">): ReadonlySet<NodeName> {
  const nodes = new Set<NodeName>();
  if (!mindsOthers(state, spec)) return nodes;
  for (const id of spec.request.onlyUser ? state.active : state.onlyUser) {
    const job = state.jobs.get(id);
    if (!job || job.spec.user.uid === spec.user.uid) continue;
    for (const { node } of job.allocation) nodes.add(node);
  }
  return nodes;
}
