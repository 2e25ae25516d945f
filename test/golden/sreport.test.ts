/** sreport, byte for byte, from jobs of two users in a tree of accounts. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/sreport.ts";
import type { EndedJob, Job } from "../../src/core/job.ts";
import type { StoredPolicy } from "../../src/core/policy/records.ts";
import { NO_POLICY } from "../../src/core/policy/records.ts";
import { LAB } from "../unit/support/policy.ts";
import { NOW, pending, share, specOf } from "./cluster.ts";
import { expectGolden } from "./expect-golden.ts";
import { historyPeer } from "./history.ts";
import { type Outcome, runOn } from "./run.ts";

const HOUR = 3_600_000;
const ada = { uid: 1000, gid: 1000, name: "ada" };
const bob = { uid: 1001, gid: 1001, name: "bob" };

const POLICY: StoredPolicy = {
  ...NO_POLICY,
  version: 1,
  associations: LAB.flatMap((change) => ("put" in change && change.put === "association" ? [change.record] : [])),
};

function ended(id: number, cpus: number, gpus: number, hours: number, changes: Partial<EndedJob["spec"]>): EndedJob {
  const startAt = NOW - 20 * HOUR;
  const indices = Array.from({ length: gpus }, (_, index) => index);
  return {
    ...{ id, spec: specOf(changes), submitAt: startAt, requestId: "", attempt: 1, array: null, state: "COMPLETED" },
    ...{ startAt, eligibleAt: startAt, endAt: startAt + hours * HOUR, limitS: 0, steps: [], cleanup: [], cause: "" },
    ...{ allocation: [share("n1", cpus, indices)], exit: { code: 0, signal: 0 }, cancelledBy: null, suspendedMs: 0 },
  };
}

const running: Job = {
  ...{ id: 9, spec: specOf({ user: bob, account: "vision", reservation: "upkeep" }), submitAt: NOW - HOUR, attempt: 1 },
  ...{ requestId: "", array: null, state: "RUNNING", startAt: NOW - HOUR, eligibleAt: NOW - HOUR, limitS: 0 },
  ...{ allocation: [share("n1", 4)], steps: [], nextStepId: 0, suspendedAt: null, suspendedMs: 0, signalled: false },
  retried: 0,
};

const JOBS: readonly Job[] = [
  ended(1, 2, 2, 3, { user: ada, account: "vision", wckey: "paper" }),
  ended(2, 8, 0, 1, { user: bob, account: "vision", wckey: "paper" }),
  ended(3, 64, 0, 2, { user: bob, account: "root", wckey: "other" }),
  ended(4, 1, 1, 1, { user: ada }),
  running,
  pending(10, specOf({ user: ada, account: "vision" }), NOW - HOUR),
];

function sreport(argv: readonly string[]): Promise<Outcome> {
  const controller = historyPeer(3, JOBS, {
    "policy.list": () => ({ policy: POLICY, clusterName: "lab", gpuTypes: ["a100"], now: NOW }),
  });
  return runOn(command, argv, { controller });
}

const TODAY = ["start=now-1day", "end=now+1day"];

test.each([
  ["utilization", ["cluster", "utilization", ...TODAY]],
  ["utilization-percent", ["-t", "percent", "-T", "cpu,gres/gpu", "cluster", "util", ...TODAY]],
  ["account", ["cluster", "AccountUtilizationByUser", ...TODAY]],
  ["account-tree", ["cluster", "AccountUtilizationByUser", "tree", ...TODAY]],
  ["user", ["cluster", "UserUtilizationByAccount", ...TODAY]],
  ["user-wckey", ["cluster", "UserUtilizationByWCKey", ...TODAY]],
  ["wckey-user", ["cluster", "WCKeyUtilizationByUser", ...TODAY]],
  ["top", ["user", "top", "topcount=2", ...TODAY]],
  ["gpu-hours", ["-t", "hourper", "-T", "gres/gpu,gres/gpu:a100", "user", "top", ...TODAY]],
  ["sizes", ["job", "SizesByAccount", ...TODAY]],
  ["sizes-grouped", ["-t", "hours", "job", "sizesbyaccount", "grouping=2,8", "FlatView", ...TODAY]],
  ["sizes-counted", ["-P", "job", "sizesbyaccount", "PrintJobCount", ...TODAY]],
  ["sizes-account-wckey", ["job", "SizesByAccountAndWcKey", ...TODAY]],
  ["sizes-wckey", ["job", "SizesByWckey", ...TODAY]],
  ["reservation", ["-t", "minper", "-T", "cpu,gres/gpu", "reservation", "utilization", ...TODAY]],
  ["yesterday", ["-p", "user", "top"]],
  ["fields", ["-n", "-P", "cluster", "UserUtil", "format=login,used%5", "users=ada", ...TODAY]],
])("sreport %s", async (name, argv) => {
  const { code, out, err } = await sreport(argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`sreport-${name}.txt`, out);
});

test.each([
  [["bogus"], "invalid keyword: bogus"],
  [[], "which report?"],
  [["job", "bogus"], "Not valid report bogus"],
  [["cluster", "util", "bogus=3"], " Unknown condition: bogus=3"],
  [["cluster", "util", "bogus"], " Unknown condition: bogus"],
  [["cluster", "util", "start=bogus"], "Invalid time specification (pos=0): bogus"],
  [["cluster", "util", "format=bogus"], " Unknown field 'bogus'"],
  [["cluster", "util", "start=now+1hour"], "start time is still to come"],
  [["-t", "bogus", "user", "top"], "unknown time format bogus"],
  [["-T", "bogus", "user", "top"], "No valid TRES given"],
  [["job", "sizesbya", "grouping=8,2"], "Invalid value for Grouping (8,2)"],
])("sreport %j is refused", async (argv, words) => {
  const { code, out, err } = await sreport(argv);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err.split("\n")[0]).toContain(`mgpu-sreport: error: ${words}`);
});
