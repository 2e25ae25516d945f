/** The part of the table of procedures by which `mgpu doctor` looks at all machines from both ends. */

import * as v from "valibot";
import { credential } from "./identity.ts";
import * as s from "./schemas.ts";

const limit = v.object({ soft: s.integer, hard: s.integer });

const folder = v.object({
  what: s.text,
  path: s.text,
  state: v.picklist(["there", "missing", "silent"]),
  problem: s.text,
  freeMiB: s.integer,
  freeInodes: s.integer,
  kind: s.text,
  inode: s.count,
});

/** See platform/machine-facts.ts. */
export const machineFacts = v.object({
  hostname: s.text,
  now: s.count,
  uid: s.count,
  limits: v.record(v.string(), limit),
  folders: v.array(folder),
  driver: v.object({
    onBus: s.count,
    module: s.text,
    smi: v.picklist(["missing", "failed", "works"]),
    problem: s.text,
    version: s.text,
    gpus: s.count,
    withoutPersistence: s.count,
    denied: v.array(s.text),
  }),
  cgroup: v.object({
    version: s.count,
    path: s.text,
    delegated: v.array(s.text),
    memory: v.exactOptional(v.object({ folder: s.text, problem: s.text, isRequired: v.exactOptional(v.boolean()) })),
  }),
  python: v.object({ path: s.text, version: s.text, torch: s.text, cuda: s.text, problem: s.text }),
  locale: s.text,
  zone: v.object({ name: s.text, offsetMin: s.integer }),
  firewalls: v.array(s.text),
  addresses: v.array(s.text),
  hasRdma: v.boolean(),
});

export type MachineFacts = v.InferOutput<typeof machineFacts>;

/** Empty code for success, else the system's or TLS's; see platform/probe.ts. */
const probe = v.object({ code: s.text, ms: s.count });

/** Whom a probe was for: a node, or `controller`. */
const ring = v.object({ to: s.text, ...probe.entries });

/** Of who asks: whose programs and folders are looked for. */
const asking = { home: s.text, cwd: s.text, path: s.text };

const nodeExamination = v.object({
  node: s.text,
  /** Why there are no facts; empty where there are. */
  problem: s.text,
  facts: v.nullable(machineFacts),
  /** Of its node daemon. */
  version: s.text,
  fakeGpus: v.boolean(),
  /** Milliseconds by which its clock is ahead of the controller's. */
  offsetMs: v.nullable(s.integer),
  /** Which machines it reaches: the controller by a new connection, other nodes at a port opened for that. */
  rings: v.array(ring),
});

export type NodeExamination = v.InferOutput<typeof nodeExamination>;

/** Spread into PROCEDURES. */
export const DOCTOR_PROCEDURES = {
  /** Has every connected node looked at, and tried to be reached from the others. Takes up to twenty seconds. */
  "cluster.examine": {
    on: "controller",
    kind: "unary",
    params: v.object(asking),
    result: v.object({
      now: s.count,
      /** Where we were told to listen for other machines, and where they find us; `null` for nowhere. */
      listen: v.nullable(s.text),
      target: v.nullable(s.text),
      /** Of the controller's machine, loopback left out. */
      addresses: v.array(s.text),
      nodes: v.array(nodeExamination),
      /** Which nodes the controller reaches. */
      rings: v.array(ring),
    }),
  },
  /** Looks at the machine, and opens a port for whoever proves `bell` within some seconds. */
  "node.examine": {
    on: "node",
    kind: "unary",
    params: v.object({
      ...asking,
      user: v.object({ uid: s.count, gid: s.count, name: s.text }),
      /** The controller serves several users: whose programs are run matters. */
      isShared: v.boolean(),
      /** Programs of users may not run (security.allowed_script_paths). */
      isRestricted: v.optional(v.boolean()),
      /** `null`: no port. */
      bell: v.nullable(credential),
    }),
    result: v.object({
      facts: machineFacts,
      /** Of the port; `null` where none could be opened. */
      port: v.nullable(s.count),
      /** A new connection to the controller; `null` where that is on the same machine. */
      back: v.nullable(probe),
    }),
  },
  /** Tries to reach such ports of other nodes. */
  "node.ring": {
    on: "node",
    kind: "unary",
    params: v.object({ ...credential.entries, targets: v.array(v.object({ to: s.text, target: s.text })) }),
    result: v.object({ rings: v.array(ring) }),
  },
} as const;
