/** The part of the table of procedures by which machines join, keys are given out, and streams find their way. */

import * as v from "valibot";
import { DOCTOR_PROCEDURES } from "./doctor-procedures.ts";
import { credential, GRADES } from "./identity.ts";
import * as s from "./schemas.ts";

const nothing = v.object({});

/** Whose job it is: its holder may be that user's. */
const jobUser = v.object({ uid: s.count, gid: s.count, name: s.text });

const role = v.picklist(["user", "operator", "administrator", "node"]);

const keyRow = v.object({
  role: v.picklist(GRADES),
  name: s.name,
  identity: s.name,
  user: s.text,
  uid: s.count,
  /** Milliseconds since 1970. */
  issuedAt: s.count,
  revokedAt: v.nullable(s.count),
  /** Open connections that proved it. */
  connections: s.count,
});

/** Which keys are meant: of one role, or of every role with that name. */
const keyChoice = { name: s.name, role: v.optional(role) };

/** Spread into PROCEDURES. */
export const NETWORK_PROCEDURES = {
  ...DOCTOR_PROCEDURES,
  /** Listens for other machines, from now on and after each start; `null`: no more. */
  "network.listen": {
    on: "controller",
    kind: "unary",
    params: v.object({ address: v.nullable(s.name) }),
    result: v.object({ address: v.nullable(s.text) }),
  },
  /** A token that lets so many machines join within a time. */
  "key.token": {
    on: "controller",
    kind: "unary",
    params: v.object({ uses: s.positive, ttlS: s.positive }),
    /** `target`: where machines find us; `null` if nobody listens. */
    result: v.object({ target: v.nullable(s.text), ...credential.entries, clusterName: s.text }),
  },
  /** Gives somebody a key. An earlier one of that name and role is no good any more. */
  "key.issue": {
    on: "controller",
    kind: "unary",
    params: v.object({
      name: s.name,
      role,
      /** As whom its bearer acts, a name or number that the controller's machine knows. */
      user: v.optional(s.name),
    }),
    result: v.object({ target: v.nullable(s.text), ...credential.entries, user: s.text, clusterName: s.text }),
  },
  "key.list": { on: "controller", kind: "unary", params: nothing, result: v.object({ keys: v.array(keyRow) }) },
  /** Makes keys void and cuts the connections that proved them. */
  "key.revoke": {
    on: "controller",
    kind: "unary",
    params: v.object(keyChoice),
    result: v.object({ revoked: v.array(s.name), cut: s.count }),
  },
  /** A machine becomes a node: with a token, for a key of its own. */
  "node.join": {
    on: "controller",
    kind: "unary",
    params: v.object({ node: s.nodeName, hostname: s.text }),
    result: v.object({ ...credential.entries, clusterName: s.text }),
  },
  /** A node daemon introduces itself. */
  "node.register": {
    on: "controller",
    kind: "unary",
    params: v.object({
      name: s.nodeName,
      inventory: s.nodeInventory,
      pid: s.positive,
      startedAt: s.count,
      /** `perUser`: steps of others than root have holders with their users' rights, see `userSocketOf`. */
      holder: v.object({
        ...{ socket: s.text, pid: s.count, version: s.text, startedAt: s.count },
        perUser: v.optional(v.boolean()),
      }),
      /** Starts of jobs that run there, or may have left something behind. */
      starts: v.optional(v.array(v.object({ jobId: s.positive, attempt: s.positive }))),
      /** Where clients reach its steps without the controller, each `host:port`; absent where they can't. */
      streams: v.optional(v.array(s.name)),
      /** It lives in a job of another batch system: that job's number there. */
      allocation: v.optional(s.name),
      /** Identities of those who are there that way. */
      guests: v.optional(v.array(s.name)),
    }),
    /** `cut`: those of the guests whose keys are void. */
    result: v.object({ heartbeatMs: s.positive, killWaitMs: s.count, cut: v.optional(v.array(s.name)) }),
  },
  /** How the controller sees the node that asks. */
  "node.check": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({
      connected: v.boolean(),
      /** What it registered with; `null` before. */
      inventory: v.nullable(s.nodeInventory),
      /** Jobs that run there. */
      jobs: s.count,
      clusterName: s.text,
    }),
  },
  /** Ways to the holder of a step, each good for one connection within some seconds. */
  "step.door": {
    on: "controller",
    kind: "unary",
    params: v.object({ key: s.stepKey, node: s.nodeName, token: s.name }),
    result: v.object({
      /** Straight to the node, where it listens: addresses in the order in which they are worth a try. */
      direct: v.nullable(v.object({ targets: v.array(s.text), ...credential.entries })),
      /** Through the controller. */
      relay: credential,
      /** Where the controller listens, for clients on its own machine; `null` if it does not. */
      at: v.nullable(s.text),
    }),
  },
  /** The node dials back, and carries that connection to the holder of a step. */
  "node.open": {
    on: "node",
    kind: "unary",
    params: v.object({ key: s.stepKey, isPty: v.boolean(), user: v.optional(jobUser), back: credential }),
    result: nothing,
  },
  /** A client will come straight to a step's holder: once, within some seconds, with that credential. */
  "node.expect": {
    on: "node",
    kind: "unary",
    params: v.object({
      key: s.stepKey,
      isPty: v.boolean(),
      user: v.optional(jobUser),
      /** Whose stream it is: cut with that key. */
      who: s.name,
      guest: credential,
    }),
    result: nothing,
  },
  /** Cuts the streams of identities whose keys are void. */
  "node.cut": {
    on: "node",
    kind: "unary",
    params: v.object({ identities: v.array(s.name) }),
    result: v.object({ cut: s.count }),
  },
} as const;
