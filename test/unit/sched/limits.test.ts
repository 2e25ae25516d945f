/** Limits of accounts and QoS: refused at submission, or waiting with Slurm's reason. */

import { expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { step } from "../../../src/core/kernel.ts";
import { recountAll } from "../../../src/core/policy/ledger.ts";
import type { Limits, PolicyChange } from "../../../src/core/policy/records.ts";
import { type ClusterState, emptyState } from "../../../src/core/state.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { association, LAB, qos } from "../support/policy.ts";
import { gpuRequest, inventory, request, spec, T0 } from "../support/samples.ts";

const ada = { uid: 1000, gid: 1000, name: "ada" };
const bob = { uid: 1001, gid: 1001, name: "bob" };
const kim = { uid: 1002, gid: 1002, name: "kim" };

function cluster(more: readonly PolicyChange[] = [], cpus = 64): ClusterState {
  const state = emptyState();
  step(state, { type: "node.register", node: "n1", inventory: inventory(8, cpus) }, T0);
  const changes = [...LAB, ...more];
  step(state, { type: "policy.change", version: 0, changes, byName: "root", isOwner: true }, T0);
  return state;
}

let requests = 0;

function submit(state: ClusterState, over: Partial<JobSpec> = {}) {
  requests += 1;
  const wish = spec({ user: ada, ...over });
  return step(state, { type: "job.submit", requestId: `q${requests}`, spec: wish }, T0).decision;
}

/** A pass of the scheduler, carried out; the reasons of those that wait. */
function pass(state: ClusterState, now = T0 + 1000): Record<number, string> {
  const plan = schedule(
    viewOf(state, () => true, now),
    now,
  );
  for (const start of plan.starts) {
    const { decision } = step(state, { type: "job.allocate", ...start }, now);
    expect(decision.kind).toBe("accept");
  }
  return Object.fromEntries([...plan.reasons].map(([id, { word }]) => [id, word]));
}

function end(state: ClusterState, jobId: number, now: number): void {
  step(state, { type: "job.cancel", jobId, tasks: null, byUid: 0, cause: "" }, now);
  step(state, { type: "report.jobCleaned", node: "n1", jobId, attempt: 1 }, now);
}

test("a job is charged to its user's default account, and to the QoS normal", () => {
  const state = cluster();
  expect(submit(state).kind).toBe("accept");
  expect(state.jobs.get(1)?.spec).toMatchObject({ account: "vision", qos: "normal", timeLimitS: null });
  expect(submit(state, { account: "VISION", qos: "high" }).kind).toBe("accept");
  expect(state.jobs.get(2)?.spec).toMatchObject({ account: "vision", qos: "high", timeLimitS: 3600 });
  expect(submit(state, { user: kim }).kind).toBe("accept");
  expect(state.jobs.get(3)?.spec).toMatchObject({ account: null, qos: "normal" });
});

const REFUSED: readonly (readonly [string, Partial<JobSpec>, string, string])[] = [
  ["an account that is not there", { account: "nope" }, "INVALID_ACCOUNT", "Invalid account or account/partition"],
  ["somebody else's account", { account: "speech" }, "INVALID_ACCOUNT", "Invalid account or account/partition"],
  ["an account of others only", { user: kim, account: "vision" }, "INVALID_ACCOUNT", "Invalid account"],
  ["a QoS that is not there", { qos: "nope" }, "INVALID_QOS", "Invalid qos specification"],
  ["a QoS that is not theirs", { user: bob, qos: "high" }, "INVALID_QOS", "Invalid qos specification"],
  [
    "a limit of a QoS that denies",
    { qos: "high", timeLimitS: 7200 },
    "ACCOUNTING_POLICY",
    "Job violates accounting/QOS",
  ],
  ["more jobs than may be queued", { user: bob, array: tasks(4) }, "ACCOUNTING_POLICY", "Job violates accounting/QOS"],
];

test.each(REFUSED)("refused: %s", (_name, over, code, message) => {
  const decision = submit(cluster(), over);
  expect(decision).toMatchObject({ kind: "deny", denial: { code, message: expect.stringContaining(message) } });
});

function tasks(count: number): JobSpec["array"] {
  return { tasks: [{ first: 0, last: count - 1, step: 1 }], limit: 0 };
}

test("without accounts any name will do", () => {
  const state = emptyState();
  expect(submit(state, { account: "nope", qos: "nope" }).kind).toBe("accept");
});

const WAITING: readonly (readonly [string, Limits, Partial<JobSpec>, string])[] = [
  ["GrpJobs", { grpJobs: 1 }, {}, "AssocGrpJobsLimit"],
  ["GrpTRES=cpu", { grpTres: { cpu: 3 } }, { request: request({ cpusPerTask: 2 }) }, "AssocGrpCpuLimit"],
  ["GrpTRES=gres/gpu", { grpTres: { "gres/gpu": 3 } }, { request: gpuRequest(2) }, "AssocGrpGRES"],
  ["GrpTRES=node", { grpTres: { node: 1 } }, {}, "AssocGrpNodeLimit"],
  ["MaxJobs", { maxJobs: 1 }, {}, "AssocMaxJobsLimit"],
];

test.each(WAITING)("%s lets the first job run and the second wait", (_name, limits, over, reason) => {
  const state = cluster([association(6, { account: "vision", user: "ada", limits })]);
  submit(state, over);
  submit(state, over);
  submit(state, { user: bob });
  expect(pass(state)).toEqual({ 2: reason });
  expect([1, 2, 3].map((id) => state.jobs.get(id)?.state)).toEqual(["RUNNING", "PENDING", "RUNNING"]);
  end(state, 1, T0 + 5000);
  expect(pass(state, T0 + 6000)).toEqual({});
  expect(state.jobs.get(2)?.state).toBe("RUNNING");
});

const PER_JOB: readonly (readonly [Limits, Partial<JobSpec>, string])[] = [
  [{ maxTres: { cpu: 1 } }, { request: request({ cpusPerTask: 2 }) }, "AssocMaxCpuPerJobLimit"],
  [{ maxTres: { "gres/gpu": 1 } }, { request: gpuRequest(2) }, "AssocMaxGRESPerJob"],
  [{ maxTresPN: { cpu: 1 } }, { request: request({ cpusPerTask: 2 }) }, "AssocMaxCpuPerNode"],
  [{ maxWallS: 60 }, { timeLimitS: 120 }, "AssocMaxWallDurationPerJobLimit"],
  [{ maxTresMins: { cpu: 1 } }, { timeLimitS: 120 }, "AssocMaxCpuMinutesPerJobLimit"],
  [{ grpTresRunMins: { cpu: 1 } }, { timeLimitS: 120 }, "AssocGrpCPURunMinutesLimit"],
];

test.each(PER_JOB)("%j keeps one job waiting", (limits, over, reason) => {
  const state = cluster([association(6, { account: "vision", user: "ada", limits })]);
  submit(state, over);
  expect(pass(state)).toEqual({ 1: reason });
});

const BY_QOS: readonly (readonly [Limits, Partial<JobSpec>, string])[] = [
  [{ maxJobsPU: 1 }, {}, "QOSMaxJobsPerUserLimit"],
  [{ maxTresPU: { "gres/gpu": 1 } }, { request: gpuRequest(1) }, "QOSMaxGRESPerUser"],
  [{ grpTres: { cpu: 1 } }, {}, "QOSGrpCpuLimit"],
  [{ maxJobsPA: 1 }, {}, "MaxJobsPerAccount"],
  [{ maxTresPA: { cpu: 1 } }, {}, "MaxCpuPerAccount"],
];

test.each(BY_QOS)("a QoS with %j lets one job run", (limits, over, reason) => {
  const state = cluster([qos(1, "normal", { limits })]);
  submit(state, over);
  submit(state, over);
  expect(pass(state)).toEqual({ 2: reason });
});

test("used minutes count until they fade", () => {
  const limits = { grpTresMins: { cpu: 10 } };
  const state = cluster([association(6, { account: "vision", user: "ada", limits })]);
  submit(state);
  submit(state);
  pass(state);
  end(state, 1, T0 + 3_600_000);
  end(state, 2, T0 + 3_600_000);
  submit(state);
  expect(pass(state, T0 + 3_601_000)).toEqual({ 3: "AssocGrpCPUMinutesLimit" });
  // 120 minutes used: after four half-lives 7.5 are left.
  expect(pass(state, T0 + 4 * 7 * 86_400_000 + 3_601_000)).toEqual({});
});

const LIFTED_BY_TIME: readonly (readonly [Limits, string])[] = [
  [{ grpTresMins: { cpu: 10 } }, "AssocGrpCPUMinutesLimit"],
  [{ grpWallS: 60 }, "AssocGrpWallLimit"],
  [{ grpTresRunMins: { cpu: 15 } }, "AssocGrpCPURunMinutesLimit"],
];

test.each(LIFTED_BY_TIME)("%j is looked at again a minute later, for time alone lifts it", (limits, reason) => {
  const state = cluster([association(6, { account: "vision", user: "ada", limits })]);
  const now = T0 + 700_000;
  const plan = () =>
    schedule(
      viewOf(state, () => true, now),
      now,
    );
  submit(state, { timeLimitS: 900 });
  pass(state);
  expect(plan().wakeAt).toBeNull();
  submit(state, { timeLimitS: 900 });
  expect(plan().reasons.get(2)?.word ?? [...plan().groupReasons.values()][0]?.word).toBe(reason);
  expect(plan().wakeAt).toBe(now + 60_000);
});

test("a limit that only an end lifts wakes nobody", () => {
  const state = cluster([association(6, { account: "vision", user: "ada", limits: { grpJobs: 1 } })]);
  submit(state);
  submit(state);
  pass(state);
  expect(
    schedule(
      viewOf(state, () => true, T0),
      T0,
    ).wakeAt,
  ).toBeNull();
});

test("what is held is what the jobs hold, whatever happened", () => {
  const state = cluster();
  submit(state, { array: tasks(3) });
  submit(state, { user: bob, request: gpuRequest(1) });
  pass(state);
  end(state, 2, T0 + 9000);
  const kept = new Map(state.policy.held);
  recountAll(state.policy, state.jobs.values());
  expect(state.policy.held).toEqual(kept);
});

test("an account or QoS that jobs use is not removed", () => {
  const state = cluster();
  submit(state);
  const drop = (change: PolicyChange) =>
    decide(state, { type: "policy.change", version: 1, changes: [change], byName: "", isOwner: true }, T0);
  expect(drop({ drop: "association", id: 6 })).toMatchObject({ kind: "deny", denial: { code: "INVALID_POLICY" } });
  expect(drop({ drop: "qos", name: "normal" })).toMatchObject({ kind: "deny" });
});

test("components of a heterogeneous job that would break a limit together wait together", () => {
  const limits = { grpTres: { "gres/gpu": 3 } };
  const state = cluster([association(6, { account: "vision", user: "ada", limits })]);
  const [first, second] = [1, 2].map((count) => spec({ user: ada, request: gpuRequest(count) }));
  if (!first || !second) throw new Error("two components");
  const both = (followers: JobSpec[]) =>
    step(state, { type: "job.submit", requestId: "h", spec: second, followers }, T0);
  expect(both([second]).decision.kind).toBe("accept");
  expect(pass(state)).toEqual({ 1: "AssocGrpGRES", 2: "AssocGrpGRES" });
  expect(submit(state, { request: gpuRequest(1) }).kind).toBe("accept");
  expect(pass(state)).toMatchObject({ 1: "AssocGrpGRES" });
  expect([1, 2, 3].map((id) => state.jobs.get(id)?.state)).toEqual(["PENDING", "PENDING", "RUNNING"]);
  end(state, 3, T0 + 2000);
  step(state, { type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" }, T0 + 2000);
  const fits = { type: "job.submit", requestId: "i", spec: second, followers: [first] } as const;
  expect(step(state, fits, T0 + 2000).decision.kind).toBe("accept");
  expect(pass(state, T0 + 3000)).toEqual({});
  expect([4, 5].map((id) => state.jobs.get(id)?.state)).toEqual(["RUNNING", "RUNNING"]);
});

test("a long queue of one user's jobs that a limit keeps waiting is looked at once", () => {
  const state = cluster([association(6, { account: "vision", user: "ada", limits: { maxJobs: 1 } })]);
  for (let count = 0; count < 50; count++) submit(state);
  submit(state, { user: bob });
  const view = viewOf(state, () => true, T0);
  let looks = 0;
  const hindrance = (...given: Parameters<typeof view.gate.hindrance>) => {
    looks += 1;
    return view.gate.hindrance(...given);
  };
  const plan = schedule({ ...view, gate: { ...view.gate, hindrance } }, T0);
  expect(plan.starts.map(({ jobId }) => jobId)).toEqual([1, 51]);
  expect(looks).toBeLessThanOrEqual(3);
  expect([...plan.groupReasons.values()].map(({ word }) => word)).toEqual(["AssocMaxJobsLimit"]);
});
