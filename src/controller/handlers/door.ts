/** step.door: ways to the holder of a step for clients that can't open its socket. */

import { mayTouch } from "../../core/decide/steer.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { directWay } from "../network/direct.ts";
import type { Outside } from "../network/outside.ts";

/** For whoever may watch the job, and knows the step's token from there. */
export function doorHandler(context: () => ControllerContext, outside: Outside | null): UnaryHandler<"step.door"> {
  return async ({ key, node, token }, { hello }) => {
    const { loop, attachPoints } = context();
    const job = loop.state.jobs.get(key.jobId);
    if (!job || job.state === "PENDING") throw new RpcError("UNKNOWN_STEP", "Invalid job id specified");
    // Not an operator: who types into somebody's session acts as that user.
    if (!mayTouch(job, hello.user.uid)) throw new RpcError("PERMISSION", "Access/permission denied");
    const step = job.steps.find(({ id }) => id === key.stepId);
    const points = step ? attachPoints(job, [step]) : [];
    const point = points.find((one) => one.node === node && one.token === token && one.key.attempt === key.attempt);
    if (!step || !point) throw new RpcError("NODE_AWAY", `node ${node} can't be reached now`);
    if (!outside) throw new RpcError("DISABLED", "this controller has no network");
    const isPty = (step.spec ?? job.spec).pty !== null;
    const identity = hello.caller?.identity ?? `uid ${hello.user.uid}`;
    const passage = { node, key: point.key, isPty, identity, user: job.spec.user };
    const direct = await directWay(context(), passage, () => outside.relays.stream());
    return { direct, at: outside.office.network.nearTarget, relay: outside.relays.open(passage) };
  };
}
