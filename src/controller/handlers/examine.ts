/** cluster.examine: every node looks at itself, and tries to reach the others. */

import type { Probe } from "../../platform/probe.ts";
import type { Random } from "../../platform/random.ts";
import type { Credential } from "../../platform/secure.ts";
import type { NodeExamination } from "../../protocol/doctor-procedures.ts";
import { RpcError } from "../../protocol/errors.ts";
import { formatIdentity } from "../../protocol/identity.ts";
import type { Params, Result } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import type { Session } from "../sessions.ts";

/** What the machine gives for it. */
export interface Ringer {
  readonly random: Random;
  /** Tries to reach a port of a node; never rejects. */
  ring(target: string, credential: Credential): Promise<Probe>;
  /** Where we were told to listen, and where machines find us; `null` for nowhere. */
  listen(): { readonly listen: string | null; readonly target: string | null };
  /** Numbers of this machine. */
  addresses(): readonly string[];
}

const EXAMINE_MS = 12_000;
const RING_MS = 8000;

/** Each node tries so many others: more would be a load of its own, and show nothing new. */
const NEIGHBOURS_MAX = 32;

/** At once: each starts some programs on every node. */
const RUNNING_MAX = 4;

const NAME_BYTES = 8;
const KEY_BYTES = 32;

/** A node and where its port was opened. */
interface Reached {
  readonly node: string;
  readonly target: string;
}

type Answer = Result<"node.examine">;

/** For every user: folders and programs are looked at with the rights of who asks. */
export function examineHandler(context: ControllerContext, ringer: Ringer | null): UnaryHandler<"cluster.examine"> {
  let running = 0;
  const examineAll: UnaryHandler<"cluster.examine"> = async (asking, { hello: { user } }) => {
    const sessions = [...context.sessions.all.values()].sort(byName);
    // The one node of this machine needs no network.
    const isAlone = sessions.every(({ caller }) => !caller) && sessions.length < 2;
    const bell = ringer && !isAlone ? newCredential(ringer.random) : null;
    const { uid, gid, name } = user;
    const isRestricted = context.settings.allowedScriptPaths.length > 0;
    const order = {
      ...asking,
      user: { uid, gid, name },
      isShared: context.identity.user.uid === 0,
      isRestricted,
      bell,
    };
    const examined = await Promise.all(sessions.map((session) => examine(context, session, order)));
    const reached = examined.flatMap(({ row, answer }) => targetOf(context, row.node, answer));
    const [rings, ringsOf] = await Promise.all([
      bell && ringer ? ringAll(reached, (target) => ringer.ring(target, bell)) : [],
      Promise.all(examined.map(({ row }) => ringFrom(context, row.node, reached, bell))),
    ]);
    return {
      now: context.clock.now(),
      ...(ringer?.listen() ?? { listen: null, target: null }),
      addresses: [...(ringer?.addresses() ?? [])],
      nodes: examined.map(({ row }, index) => ({ ...row, rings: [...row.rings, ...(ringsOf[index] ?? [])] })),
      rings,
    };
  };
  return async (asking, call) => {
    if (running >= RUNNING_MAX) {
      throw new RpcError(
        "TOO_MANY_CALLS",
        `${RUNNING_MAX} others have the nodes looked at`,
        "try again in some seconds",
      );
    }
    running += 1;
    try {
      return await examineAll(asking, call);
    } finally {
      running -= 1;
    }
  };
}

function byName({ registration: one }: Session, { registration: other }: Session): number {
  return one.name.localeCompare(other.name, "en", { numeric: true });
}

function newCredential(random: Random): Credential {
  return {
    identity: formatIdentity({ kind: "bell", name: random.hex(NAME_BYTES), generation: 1 }),
    key: random.hex(KEY_BYTES),
  };
}

async function examine(
  { clock }: ControllerContext,
  { peer, registration }: Session,
  order: Params<"node.examine">,
): Promise<{ readonly row: NodeExamination; readonly answer: Answer | null }> {
  const { name: node, inventory } = registration;
  const known = { node, version: inventory.version, fakeGpus: inventory.gpuProvider === "fake" };
  const none = { ...known, facts: null, offsetMs: null, rings: [] };
  const sentAt = clock.now();
  try {
    // Its clock is read on a call of its own: to look at a machine takes time.
    const offset = peer.call("ping", {}, { deadlineMs: EXAMINE_MS }).then(({ now }) => {
      const took = clock.now() - sentAt;
      return Math.round(now - sentAt - took / 2);
    });
    const [answer, offsetMs] = await Promise.all([
      peer.call("node.examine", order, { deadlineMs: EXAMINE_MS }),
      offset,
    ]);
    const rings = answer.back === null ? [] : [{ to: "controller", ...answer.back }];
    return { row: { ...known, problem: "", facts: answer.facts, offsetMs, rings }, answer };
  } catch (error) {
    return { row: { ...none, problem: problemOf(error) }, answer: null };
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof RpcError)) return String(error);
  if (error.code === "UNKNOWN_METHOD") return "its mgpud is older, and can't look at its machine";
  if (error.code === "DEADLINE") return `its mgpud did not answer within ${EXAMINE_MS / 1000} s`;
  return error.message;
}

function targetOf({ sessions }: ControllerContext, node: string, answer: Answer | null): Reached[] {
  const session = sessions.get(node);
  const host = session?.registration.inventory.address ?? session?.caller?.from;
  if (answer === null || answer.port === null || !host) return [];
  return [{ node, target: `${host.includes(":") ? `[${host}]` : host}:${answer.port}` }];
}

async function ringAll(reached: readonly Reached[], ring: (target: string) => Promise<Probe>) {
  return Promise.all(reached.map(async ({ node, target }) => ({ to: node, ...(await ring(target)) })));
}

/** The next of the list, from the node itself on. */
async function ringFrom(
  { sessions }: ControllerContext,
  node: string,
  reached: readonly Reached[],
  bell: Credential | null,
): Promise<NodeExamination["rings"]> {
  const session = sessions.get(node);
  const at = reached.findIndex((one) => one.node === node);
  const others = [...reached.slice(at + 1), ...reached.slice(0, Math.max(0, at))].slice(0, NEIGHBOURS_MAX);
  if (!session || bell === null || others.length === 0) return [];
  const targets = others.map(({ node: to, target }) => ({ to, target }));
  try {
    return (await session.peer.call("node.ring", { ...bell, targets }, { deadlineMs: RING_MS })).rings;
  } catch {
    // Its connection to us is gone: that is told by itself.
    return [];
  }
}
