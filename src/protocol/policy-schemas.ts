/** Schemas of accounts, users, associations, QoS and weights as sacctmgr sends them. */

import * as v from "valibot";
import {
  type Association,
  type Limits,
  type PolicyChange,
  type PriorityConfig,
  QOS_FLAGS,
  type Qos,
} from "../core/policy/records.ts";
import { count, integer, name, positive, text } from "./schemas.ts";

const amount = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const tres = v.record(name, amount);
const names = v.array(name);

const limits: v.GenericSchema<Limits> = v.object({
  grpJobs: v.exactOptional(count),
  grpSubmit: v.exactOptional(count),
  grpWallS: v.exactOptional(amount),
  grpTres: v.exactOptional(tres),
  grpTresMins: v.exactOptional(tres),
  grpTresRunMins: v.exactOptional(tres),
  maxJobs: v.exactOptional(count),
  maxSubmit: v.exactOptional(count),
  maxWallS: v.exactOptional(amount),
  maxTres: v.exactOptional(tres),
  maxTresPN: v.exactOptional(tres),
  maxTresMins: v.exactOptional(tres),
  maxTresPU: v.exactOptional(tres),
  maxTresPA: v.exactOptional(tres),
  maxJobsPU: v.exactOptional(count),
  maxJobsPA: v.exactOptional(count),
  maxSubmitPU: v.exactOptional(count),
  maxSubmitPA: v.exactOptional(count),
  minTres: v.exactOptional(tres),
});

const association: v.GenericSchema<Association> = v.object({
  id: positive,
  account: name,
  user: text,
  partition: text,
  parent: text,
  shares: v.union([count, v.literal("parent")]),
  limits,
  qos: v.nullable(names),
  defaultQos: text,
});

const qos: v.GenericSchema<Qos> = v.object({
  id: positive,
  name,
  description: text,
  priority: count,
  flags: v.array(v.picklist(QOS_FLAGS)),
  graceTimeS: count,
  preempt: names,
  preemptMode: v.picklist(["cluster", "cancel", "requeue", "suspend", "off"]),
  usageFactor: amount,
  limits,
});

const config: v.GenericSchema<Partial<PriorityConfig>> = v.object({
  weightAge: v.exactOptional(count),
  weightFairShare: v.exactOptional(count),
  weightJobSize: v.exactOptional(count),
  weightPartition: v.exactOptional(count),
  weightQos: v.exactOptional(count),
  weightTres: v.exactOptional(tres),
  maxAgeS: v.exactOptional(count),
  decayHalfLifeS: v.exactOptional(count),
  favorSmall: v.exactOptional(v.boolean()),
  billingWeights: v.exactOptional(tres),
});

const level = v.picklist(["None", "Operator", "Administrator"]);

const account = v.object({ name, description: text, organization: text, coordinators: v.optional(v.array(name)) });

/** One change; what it names is checked against what there is by `decide`. */
export const policyChange: v.GenericSchema<PolicyChange> = v.union([
  v.object({ put: v.literal("account"), record: account }),
  v.object({ put: v.literal("user"), record: v.object({ name, defaultAccount: text, adminLevel: level }) }),
  v.object({ put: v.literal("association"), record: association }),
  v.object({ put: v.literal("qos"), record: qos }),
  v.object({ put: v.literal("config"), record: config }),
  v.object({ drop: v.picklist(["account", "user", "qos"]), name }),
  v.object({ drop: v.literal("association"), id: positive }),
  v.object({ drop: v.literal("usage"), key: name }),
]);

const weighed = {
  age: v.number(),
  fairShare: v.number(),
  jobSize: v.number(),
  partition: v.number(),
  qos: v.number(),
  tres: v.record(v.string(), v.number()),
};

/** A waiting job's priority: its factors from 0 to 1, and what each adds. */
export const priorityRow = v.object({
  id: positive,
  user: text,
  partition: text,
  nice: integer,
  priority: count,
  factors: v.object(weighed),
  parts: v.object(weighed),
});

/** An association's share and usage. */
export const shareRow = v.object({
  id: positive,
  normShares: v.number(),
  /** Billing seconds, faded. */
  rawUsage: v.number(),
  normUsage: v.number(),
  effectiveUsage: v.number(),
  /** `null` where nothing was used. */
  levelFs: v.nullable(v.number()),
  /** Of a user's: 0 to 1. */
  factor: v.nullable(v.number()),
  /** Faded TRES seconds. */
  seconds: v.record(v.string(), v.number()),
  /** TRES seconds that running jobs may still use. */
  pledged: v.record(v.string(), v.number()),
});

const calls = { name: text, count, microseconds: count };

/** The counters of sdiag. */
export const statistics = v.object({
  now: count,
  since: count,
  jobs: v.object({
    ...{ submitted: count, started: count, completed: count, canceled: count, failed: count },
    ...{ pending: count, running: count },
  }),
  /** The scheduler's passes; `starts` and `queues` are sums over all of them. */
  passes: v.object({
    ...{ last: count, max: count, total: count, cycles: count, starts: count, lastQueue: count, queues: count },
  }),
  methods: v.array(v.object(calls)),
  users: v.array(v.object({ uid: count, ...calls })),
});

export type PriorityRow = v.InferOutput<typeof priorityRow>;
export type ShareRow = v.InferOutput<typeof shareRow>;
