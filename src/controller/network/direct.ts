/** Streams that don't pass the controller: a node is told which client comes, and cuts those whose key is void. */

import type { Credential } from "../../platform/secure.ts";
import { parseIdentity } from "../../protocol/identity.ts";
import type { ControllerContext } from "../context.ts";
import type { Keys } from "./keys.ts";
import type { Passage } from "./relays.ts";

/** A node that has not answered by then is reached by the controller's relay at best. */
const EXPECT_MS = 3000;

/** How a client gets straight to a step; `null` where its node does not listen for it. Never rejects. */
export async function directWay(
  { sessions, log }: ControllerContext,
  { node, key, isPty, user, identity: who }: Passage,
  make: () => Credential,
): Promise<(Credential & { readonly targets: string[] }) | null> {
  const session = sessions.get(node);
  const targets = session?.caller ? (session.registration.streams ?? []) : [];
  if (!session || targets.length === 0) return null;
  const guest = make();
  try {
    await session.peer.call("node.expect", { key, isPty, user, who, guest }, { deadlineMs: EXPECT_MS });
    return { targets: [...targets], ...guest };
  } catch (error) {
    log.warn("a node can't take a client straight", { node, error: String(error) });
    return null;
  }
}

/** Has all nodes cut the streams of some identities; how many there were. Never rejects. */
export async function cutStreams({ sessions, log }: ControllerContext, identities: string[]): Promise<number> {
  const open = [...sessions.all.values()].filter(({ caller, registration }) => caller && registration.streams);
  const counts = open.map(async ({ peer, registration }) => {
    try {
      return (await peer.call("node.cut", { identities }, { deadlineMs: EXPECT_MS })).cut;
    } catch (error) {
      // It asks again who of its guests is good as soon as it is back.
      log.warn("a node did not cut the streams of a void key", { node: registration.name, error: String(error) });
      peer.close();
      return 0;
    }
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Those of a node's guests whose keys are void; who has no key of the register is none of them. */
export function voidGuests(keys: Pick<Keys, "lookUp">, guests: readonly string[]): string[] {
  return guests.filter((identity) => {
    const kind = parseIdentity(identity)?.kind ?? "";
    return /^(user|operator|administrator|node)$/.test(kind) && keys.lookUp(identity) === null;
  });
}
