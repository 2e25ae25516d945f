/** What a node daemon does for a controller on another machine, and for the clients that come from there. */

import type { StepKey } from "../core/ids.ts";
import type { Address } from "../platform/net.ts";
import type { Credential } from "../platform/secure.ts";
import { RpcError } from "../protocol/errors.ts";
import { guestSocketOf } from "../protocol/holder-socket.ts";
import { formatInvitation } from "../protocol/identity.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import type { Handlers } from "../rpc/types.ts";
import type { AgentContext } from "./agent-context.ts";
import { messageOf } from "./deferred.ts";
import type { Guests } from "./guests.ts";
import type { Runner } from "./holder-factory.ts";

export interface NodeOutside {
  /** Where the controller is, `host:port`. */
  readonly target: string;
  /** Connects to the controller and carries all bytes to and from a Unix socket. */
  bridge(credential: Credential, address: Address): Promise<void>;
  readonly guests: Pick<Guests, "expect" | "cut" | "identities">;
  /**
   * Listens for clients on other machines; where they reach us, each `host:port`, empty where they can't.
   * @param address that of this machine, as others are told it
   */
  listen(address: string): Promise<readonly string[]>;
}

/** The calls that only come from another machine. */
export function outsideHandlers(
  context: AgentContext,
  outside: NodeOutside | undefined,
): Pick<Handlers<"node">, "node.open" | "node.expect" | "node.cut"> {
  const must = (): NodeOutside => {
    if (outside) return outside;
    throw new RpcError("DISABLED", "this node's controller is on the same machine");
  };
  /** The step may not have come yet, or be over: whose it is counts. */
  const addressOf = async (key: StepKey, isPty: boolean, user: Runner | undefined): Promise<Address> => {
    const { others } = context.holders;
    const runner = others && user && user.uid !== 0 ? await others.resolve(user) : undefined;
    const path = guestSocketOf(context.holders.socketFor(runner ? { user: runner } : {}, key, isPty));
    return { path, ...(runner ? { owner: runner.uid } : {}) };
  };
  return {
    async "node.expect"({ key, isPty, user, who, guest }) {
      const address = await addressOf(key, isPty, user);
      must().guests.expect({ key, address: () => address, who, guest });
      return {};
    },
    "node.cut": ({ identities }) => ({
      cut: identities.reduce((sum, identity) => sum + (outside?.guests.cut(identity) ?? 0), 0),
    }),
    async "node.open"({ key, isPty, user, back }) {
      try {
        await must().bridge(back, await addressOf(key, isPty, user));
      } catch (error) {
        throw new RpcError("LOST_CONTACT", `node ${context.name} can't dial back: ${messageOf(error)}`);
      }
      return {};
    },
  };
}

/** A launch whose commands find the controller from here. */
export function withAccess(launch: NodeLaunch, outside: NodeOutside | undefined): NodeLaunch {
  if (!outside || !launch.access) return launch;
  const MGPU_CONTROLLER = formatInvitation({ target: outside.target, ...launch.access });
  return { ...launch, environment: { ...launch.environment, MGPU_CONTROLLER } };
}
