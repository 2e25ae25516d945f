/** sacctmgr's tables, byte for byte. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/sacctmgr.ts";
import { NO_POLICY } from "../../src/core/policy/records.ts";
import { LAB, policyOf } from "../unit/support/policy.ts";
import { clusterPeer, NOW } from "./cluster.ts";
import { expectGolden } from "./expect-golden.ts";
import { runOn } from "./run.ts";

const peer = (policy = policyOf(LAB)) =>
  clusterPeer({
    script: { "policy.list": () => ({ policy, clusterName: "lab", gpuTypes: ["a100"], now: NOW }) },
  });

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["accounts", ["list", "account"]],
  ["accounts-withassoc", ["show", "account", "withassoc"]],
  ["users", ["list", "user"]],
  ["users-associations", ["-s", "list", "user"]],
  ["user-accounts", ["-n", "-s", "list", "user", "ada", "format=account%20"]],
  ["associations", ["list", "associations"]],
  ["associations-tree", ["list", "assoc", "tree", "format=cluster,account,user,fairshare"]],
  ["associations-parsable", ["-p", "list", "assoc", "account=vision"]],
  ["qos", ["show", "qos"]],
  ["qos-parsable2", ["-nP", "show", "qos", "high"]],
  ["widths", ["list", "user", "format=user%-20,acc%5,default%3"]],
  ["cluster", ["list", "cluster"]],
  ["tres", ["list", "tres"]],
  ["config", ["list", "config"]],
  ["runaway", ["list", "runaway"]],
  ["wckey", ["list", "wckey"]],
  ["accounts-coordinators", ["list", "account", "withcoord"]],
  ["event", ["list", "event"]],
  ["federation", ["list", "federation"]],
  ["problem", ["list", "problem"]],
  ["resource", ["list", "resource"]],
  ["reservation", ["list", "reservation"]],
  ["dump", ["dump", "lab", "file=-"]],
];

test.each(CASES)("sacctmgr %s", async (name, argv) => {
  const { code, out, err } = await runOn(command, argv, { controller: peer() });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`sacctmgr-${name}.txt`, out);
});

test.each(["account", "user", "assoc", "qos"])("sacctmgr list %s of nothing is a header", async (entity) => {
  const { code, out } = await runOn(command, ["list", entity], { controller: peer(NO_POLICY) });
  expect({ code, lines: out.trimEnd().split("\n").length }).toEqual({ code: 0, lines: 2 });
});
