/** node.examine and node.ring: this machine as `mgpu doctor` sees it, and which others it reaches. */

import type { MachineFacts } from "../platform/machine-facts.ts";
import type { Bell, Probe } from "../platform/probe.ts";
import type { Credential } from "../platform/secure.ts";
import type { Asker } from "../platform/user-facts.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Handlers } from "../rpc/types.ts";
import type { Runner, RunnerAccount } from "./holder-factory.ts";

/** What the machine gives for it. None of these rejects. */
export interface Examiner {
  examine(asker: Asker): Promise<MachineFacts>;
  openBell(credential: Credential): Promise<Bell | null>;
  ring(target: string, credential: Credential): Promise<Probe>;
  /** A new connection to the controller; `null` where that is on this machine. */
  callBack(): Promise<Probe> | null;
}

/** As whom the asker is known here; `null` for our own user. @throws RpcError if nothing of theirs may be run here */
export type ResolveAsker = (user: Runner, isShared: boolean) => Promise<RunnerAccount | null>;

/** Handlers of a node that has an examiner; others refuse. */
export function examineHandlers(
  examiner: Examiner | undefined,
  resolve: ResolveAsker,
): Pick<Handlers<"node">, "node.examine" | "node.ring"> {
  const must = (): Examiner => {
    if (examiner) return examiner;
    throw new RpcError("DISABLED", "this node can't be looked at");
  };
  return {
    async "node.examine"({ user, isShared, bell, ...rest }) {
      const { examine, openBell, callBack } = must();
      // Their home is where it is here.
      const account = await resolve(user, isShared);
      const [facts, opened, back] = await Promise.all([
        examine({ ...rest, ...user, ...account }),
        bell === null ? null : openBell(bell),
        callBack(),
      ]);
      return { facts, port: opened?.port ?? null, back };
    },
    async "node.ring"({ targets, ...credential }) {
      const { ring } = must();
      const rings = targets.map(async ({ to, target }) => ({ to, ...(await ring(target, credential)) }));
      return { rings: await Promise.all(rings) };
    },
  };
}
