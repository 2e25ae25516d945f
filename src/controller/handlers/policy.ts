/** policy.list, policy.change: accounts, users, associations, QoS and weights. */

import { NO_POLICY } from "../../core/policy/records.ts";
import { storedPolicy } from "../../core/policy/state.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";

/** Answers from memory. */
export function listPolicyHandler({ loop, settings, clock }: ControllerContext): UnaryHandler<"policy.list"> {
  return () => {
    const types = [...loop.state.nodes.values()].flatMap(({ inventory }) => inventory.gpus.map(({ type }) => type));
    return {
      clusterName: settings.clusterName,
      policy: storedPolicy(loop.state.policy) ?? NO_POLICY,
      gpuTypes: [...new Set(types)].sort(),
      now: clock.now(),
    };
  };
}

/** Carries changes out for whoever may make them: root, the controller's own user, users with an AdminLevel. */
export function changePolicyHandler(context: ControllerContext): UnaryHandler<"policy.change"> {
  return async ({ version, changes }, { hello }) => {
    const { uid, name } = hello.user;
    const isOwner = uid === 0 || uid === context.identity.user.uid;
    await executeOrThrow(context, { type: "policy.change", version, changes, byName: name, isOwner });
    return {};
  };
}
