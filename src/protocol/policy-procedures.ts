/** Part of the table of procedures: accounts, QoS, priorities, shares, and what the controller counts. */

import * as v from "valibot";
import type { PriorityConfig, StoredPolicy } from "../core/policy/records.ts";
import * as p from "./policy-schemas.ts";
import * as r from "./records.ts";
import * as s from "./schemas.ts";

const nothing = v.object({});

/** Spread into PROCEDURES. */
export const POLICY_PROCEDURES = {
  /** Accounts, users, associations, QoS and weights as they are set, and what the nodes have to be limited. */
  "policy.list": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({
      clusterName: s.text,
      policy: v.custom<StoredPolicy>(r.isRecord, "expected accounts and QoS"),
      /** Types of GPUs. */
      gpuTypes: v.array(s.text),
      now: s.count,
    }),
  },
  /** Changes them, as long as nobody else has since `version`. All or nothing. */
  "policy.change": {
    on: "controller",
    kind: "unary",
    params: v.object({
      version: s.count,
      changes: v.pipe(v.array(p.policyChange), v.maxLength(10_000)),
    }),
    result: nothing,
  },
  /** What the priorities of waiting jobs are made of, in chunks. */
  "priorities.list": {
    on: "controller",
    kind: "stream",
    params: v.object({ filter: r.jobFilter }),
    item: v.object({ rows: v.array(p.priorityRow) }),
    result: v.object({
      clusterName: s.text,
      config: v.custom<PriorityConfig>(r.isRecord, "expected weights"),
    }),
  },
  /** Shares and usage of all associations. */
  "shares.list": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({
      clusterName: s.text,
      policy: v.custom<StoredPolicy>(r.isRecord, "expected accounts and QoS"),
      shares: v.array(p.shareRow),
    }),
  },
  /** What the controller has counted since midnight, its start or the last reset; times in microseconds. */
  statistics: {
    on: "controller",
    kind: "unary",
    params: v.object({ reset: v.boolean() }),
    result: p.statistics,
  },
} as const;
