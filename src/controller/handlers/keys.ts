/** key.*, node.join, node.check, network.listen: how people and machines are let in, and shut out again. */

import type { User } from "../../core/jobspec.ts";
import { RpcError } from "../../protocol/errors.ts";
import { formatIdentity } from "../../protocol/identity.ts";
import type { Handlers } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { cutStreams } from "../network/direct.ts";
import type { Keys } from "../network/keys.ts";
import type { Network } from "../network/network.ts";
import { answered } from "../people.ts";

type NetworkMethod =
  | "key.token"
  | "key.issue"
  | "key.list"
  | "key.revoke"
  | "node.join"
  | "node.check"
  | "network.listen";

/** What these handlers need beside the context. */
export interface KeyOffice {
  readonly keys: Keys;
  readonly network: Network;
  /** Whose daemons these are. */
  readonly owner: User;
  /** A user of this machine by name or number; `null` if it knows none. */
  findUser(name: string): Promise<User | null>;
}

/** Longest life of a token: whoever needs more makes another. */
const TTL_S_MAX = 30 * 86_400;
const USES_MAX = 10_000;

/** The handlers of a controller that has an office; without one they are refused. */
export function keyHandlers(
  context: () => ControllerContext,
  office: KeyOffice | null,
): Pick<Handlers<"controller">, NetworkMethod> {
  const open = (): KeyOffice => {
    if (office) return office;
    throw new RpcError("DISABLED", "this controller has no network");
  };
  return {
    "key.token": async ({ uses, ttlS }) => {
      const { keys, network } = open();
      if (uses > USES_MAX || ttlS > TTL_S_MAX) {
        throw new RpcError("BAD_PARAMS", `a token is good for ${USES_MAX} machines and 30 days at most`);
      }
      const token = await keys.makeToken(uses, ttlS * 1000);
      return { target: network.target, ...token, clusterName: context().settings.clusterName };
    },
    "key.issue": (params) => issue(open(), context(), params),
    "key.list": () => {
      const { keys, network } = open();
      return { keys: keys.all.map((key) => ({ ...rowOf(key), connections: network.countOf(identityOf(key)) })) };
    },
    "key.revoke": async ({ name, role }) => {
      const { keys, network } = open();
      const revoked = await keys.revoke((key) => key.name === name && (role === undefined || key.role === role));
      if (revoked.length === 0) throw new RpcError("BAD_PARAMS", `no good key is called "${name}"`, "mgpu key list");
      const identities = revoked.map(identityOf);
      return { revoked: identities, cut: await cutAll(network, context(), identities) };
    },
    "node.join": async ({ node, hostname }, { hello: { caller } }) =>
      joinNode(open(), context(), node, hostname, caller),
    "node.check": (_params, { hello: { caller } }) => {
      const name = caller?.name ?? "";
      const { loop, isConnected, settings } = context();
      const inventory = loop.state.nodes.get(name)?.inventory ?? null;
      const active = [...loop.state.active].map((id) => loop.state.jobs.get(id));
      const jobs = active.filter((job) => job?.allocation.some((share) => share.node === name)).length;
      return { connected: isConnected(name), inventory, jobs, clusterName: settings.clusterName };
    },
    "network.listen": async ({ address }) => {
      const { keys, network } = open();
      const before = keys.listen;
      try {
        await network.listen(address);
      } catch (error) {
        await network.listen(before).catch(() => {});
        throw error;
      }
      await keys.setListen(address);
      return { address: network.target };
    },
  };
}

/** Ends all that runs on void keys, here and at the nodes; how many connections that were. */
async function cutAll(network: Network, context: ControllerContext, identities: string[]): Promise<number> {
  const here = identities.reduce((sum, identity) => sum + network.cut(identity), 0);
  return here + (await cutStreams(context, identities));
}

async function issue(
  { keys, network, owner, findUser }: KeyOffice,
  context: ControllerContext,
  { name, role, user }: { readonly name: string; readonly role: Role; readonly user?: string | undefined },
) {
  const bearer = role === "node" ? owner : await bearerOf(name, user, owner, findUser);
  if (bearer.uid === 0 && owner.uid === 0 && role === "user") {
    throw new RpcError(
      "BAD_PARAMS",
      "root is no plain user",
      `"mgpu key issue ${name} --role administrator --user root" gives root a key; --user NAME is for somebody else`,
    );
  }
  const before = keys.find(role, name);
  const issued = await keys.issue(role, name, bearer);
  if (before) await cutAll(network, context, [identityOf(before)]);
  const credential = keys.credential(identityOf(issued));
  return { target: network.target, ...credential, user: bearer.name, clusterName: context.settings.clusterName };
}

type Role = "user" | "operator" | "administrator" | "node";

/** As whom the bearer of a key acts: daemons that are not root's can run jobs of one user only. */
async function bearerOf(
  name: string,
  user: string | undefined,
  owner: User,
  findUser: KeyOffice["findUser"],
): Promise<User> {
  if (owner.uid !== 0 && user === undefined) return owner;
  const found = await answered(findUser(user ?? name));
  if (owner.uid !== 0) {
    if (found?.uid === owner.uid) return owner;
    const hint = `jobs run as ${owner.name} here, who started mgpuctld; root's daemons serve several users`;
    throw new RpcError("BAD_PARAMS", `a key for ${user} would be of no use`, hint);
  }
  if (found) return found;
  const hint = "say --user NAME, a user of that machine: as whom its bearer's jobs run";
  throw new RpcError("BAD_PARAMS", `the controller's machine knows no user "${user ?? name}"`, hint);
}

async function joinNode(
  { keys, network, owner }: KeyOffice,
  context: ControllerContext,
  node: string,
  hostname: string,
  caller: { readonly name: string; readonly from: string } | undefined,
) {
  if (context.isConnected(node)) {
    const hint = `--node-id NAME gives this machine another name, mgpu nodes remove ${node} makes room for it`;
    throw new RpcError("NODE_BUSY", `a node called ${node} is connected already`, hint);
  }
  if (!(await keys.useToken(caller?.name ?? ""))) throw new RpcError("PERMISSION", "the token is used up");
  const before = keys.find("node", node);
  const issued = await keys.issue("node", node, owner);
  if (before) network.cut(identityOf(before));
  context.log.info("a machine joins", { node, hostname, from: caller?.from ?? "" });
  return { ...keys.credential(identityOf(issued)), clusterName: context.settings.clusterName };
}

function identityOf({ role, name, generation }: Parameters<typeof rowOf>[0]): string {
  return formatIdentity({ kind: role, name, generation });
}

function rowOf(key: Keys["all"][number]) {
  const { role, name, user, issuedAt, revokedAt, generation } = key;
  const identity = formatIdentity({ kind: role, name, generation });
  return { role, name, identity, user: user.name, uid: user.uid, issuedAt, revokedAt };
}
