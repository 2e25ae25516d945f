/**
 * With accounts, QOS, limits of all kinds, licenses, arrays, dependencies, backfill and preemption at once: no limit is ever
 * exceeded, and whatever a waiting job is told is true.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Command } from "../../src/core/commands.ts";
import type { PendingJob } from "../../src/core/job.ts";
import type { JobSpec } from "../../src/core/jobspec.ts";
import type { Limits, PolicyChange } from "../../src/core/policy/records.ts";
import { prioritizer } from "../../src/core/priority.ts";
import type { ResourceRequest } from "../../src/core/resources.ts";
import type { Plan } from "../../src/sched/plan.ts";
import { EASY, type PreemptionPolicy, type SchedulerPolicy } from "../../src/sched/policy.ts";
import { dependsOn, gpus, tasks } from "../unit/sched/samples.ts";
import { association, qos } from "../unit/support/policy.ts";
import { inventory, request, spec } from "../unit/support/samples.ts";
import {
  brokenLimits,
  hasRoom,
  heldBy,
  holders,
  type Rules,
  usedLicenses,
  waitsForSomebody,
} from "./support/oracle.ts";
import { QueueWorld } from "./support/queue-world.ts";

const USERS = [
  { user: "ada", account: "vision" },
  { user: "bob", account: "vision" },
  { user: "eve", account: "speech" },
] as const;

const PARTITIONS: Readonly<Record<string, readonly string[]>> = { main: ["n1", "n2", "n3"], urgent: ["n2", "n3"] };

const one = { nodes: { min: 1, max: 1 } };
const wish: fc.Arbitrary<Partial<ResourceRequest>> = fc.oneof(
  fc.integer({ min: 1, max: 4 }).map((count) => ({ ...gpus("job", count), ...one, tasks: 1 })),
  fc.integer({ min: 1, max: 8 }).map((count) => ({ ...one, tasks: count })),
  fc.integer({ min: 1, max: 4 }).map((count) => ({ nodes: { min: count, max: count }, exclusive: true, tasks: count })),
);

const some = (max: number) => fc.option(fc.integer({ min: 1, max }), { freq: 2, nil: undefined });
const limits = fc.record({ grpJobs: some(4), grpGpus: some(8), jobsPU: some(3), gpusPU: some(6) }).map(
  ({ grpJobs, grpGpus, jobsPU, gpusPU }): Limits => ({
    ...(grpJobs === undefined ? {} : { grpJobs }),
    ...(grpGpus === undefined ? {} : { grpTres: { "gres/gpu": grpGpus } }),
    ...(jobsPU === undefined ? {} : { maxJobsPU: jobsPU }),
    ...(gpusPU === undefined ? {} : { maxTresPU: { "gres/gpu": gpusPU } }),
  }),
);
const group = limits.map(
  ({ grpJobs, grpTres }): Limits => ({
    ...(grpJobs === undefined ? {} : { grpJobs: grpJobs + 1 }),
    ...(grpTres === undefined ? {} : { grpTres }),
  }),
);

const rules: fc.Arbitrary<Rules> = fc.record({
  qos: fc.record({ normal: limits, high: limits }),
  accounts: fc.record({ vision: group, speech: group }),
  users: fc.record({ ada: fc.constant({}), bob: fc.constantFrom({}, { maxJobs: 2 }), eve: fc.constant({}) }),
  running: fc.record({ all: fc.constantFrom(0, 0, 4), perUser: fc.constantFrom(0, 0, 2) }),
  licenses: fc.constantFrom(1, 3),
});

const preemption: fc.Arbitrary<PreemptionPolicy> = fc.record({
  by: fc.constantFrom("qos", "partition"),
  mode: fc.constantFrom("cancel", "requeue", "suspend"),
  exemptS: fc.constantFrom(0, 0, 10),
});

const policy: fc.Arbitrary<SchedulerPolicy> = fc
  .record({
    reservations: fc.integer({ min: 0, max: 4 }),
    backfillOrder: fc.constantFrom("arrival" as const, "shortest" as const),
    preemption: fc.option(preemption, { freq: 4, nil: undefined }),
  })
  .map(({ preemption: rule, ...over }) => ({ ...EASY, ...over, ...(rule ? { preemption: rule } : {}) }));

const KINDS = ["submit", "submit", "submit", "end", "end", "wait", "hold", "release", "cancel"] as const;

const act = fc.record({
  ...{ kind: fc.constantFrom(...KINDS), pick: fc.nat(1000), who: fc.constantFrom(...USERS), wish },
  ...{ qos: fc.constantFrom("normal", "high"), partition: fc.constantFrom("main", "main", "urgent") },
  ...{ limitS: fc.constantFrom(10, 30, 60, 0), extra: fc.nat(9) },
});

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

function lab({ qos: byQos, accounts, users }: Rules): PolicyChange[] {
  const account = (name: string): PolicyChange => ({
    put: "account",
    record: { name, description: "", organization: "" },
  });
  return [
    ...[qos(1, "normal", { limits: byQos.normal ?? {} }), account("root"), association(3, { account: "root" })],
    qos(2, "high", { priority: 10, preempt: ["normal"], limits: byQos.high ?? {} }),
    ...Object.entries(accounts).flatMap(([name, own], at): PolicyChange[] => {
      return [
        account(name),
        association(4 + at, { account: name, parent: "root", limits: own, qos: ["normal", "high"] }),
      ];
    }),
    ...USERS.flatMap(({ user, account: name }, at): PolicyChange[] => [
      { put: "user", record: { name: user, defaultAccount: name, adminLevel: "None" } },
      association(8 + at, { account: name, user, limits: users[user] ?? {} }),
    ]),
  ];
}

function worldOf(own: Rules, scheduler: SchedulerPolicy): QueueWorld {
  const world = new QueueWorld(scheduler, own.running);
  for (const node of ["n1", "n2", "n3"]) world.run({ type: "node.register", node, inventory: inventory() });
  world.run({ type: "policy.change", version: 0, changes: lab(own), byName: "root", isOwner: true });
  world.run({ type: "licenses.configure", licenses: [{ name: "lic", count: own.licenses }] });
  const changes = { nodes: PARTITIONS.urgent ?? [], priorityTier: 5 };
  world.run({ type: "partition.create", name: "urgent", changes });
  world.run({ type: "partition.update", name: "main", changes: { preemptMode: "cluster" } });
  return world;
}

function submission({ who, wish: wanted, qos: own, partition, limitS, extra, pick }: Act, world: QueueWorld): Command {
  const last = world.state.nextJobId - 1;
  const over: Partial<JobSpec> = {
    ...(extra === 0 ? { licenses: [{ name: "lic", count: 1 }] } : {}),
    ...(extra === 1 ? { array: { tasks: tasks(0, 3), limit: pick % 3 } } : {}),
    ...(extra === 2 && last > 0 ? dependsOn(`afterany:${Math.max(1, last - (pick % 3))}`) : {}),
    ...(extra === 3 ? { beginAt: world.now + 1000 * (pick % 60) } : {}),
    ...(extra === 4 ? { timeMinS: 5 } : {}),
  };
  const user = { uid: 1000 + USERS.indexOf(who), gid: 1000, name: who.user };
  const base = { user, account: who.account, qos: own, partition, timeLimitS: limitS, request: request(wanted) };
  return { type: "job.submit", requestId: `r${world.state.seq}`, spec: spec({ ...base, retries: 0, ...over }) };
}

function perform(one: Act, world: QueueWorld): void {
  const { kind, pick } = one;
  const job = world.pending[pick % Math.max(1, world.pending.length)];
  const asked = { jobId: job?.id ?? 0, tasks: null, byUid: 0 };
  if (kind === "submit") world.try(submission(one, world));
  if (kind === "hold" && job) world.try({ type: "job.hold", ...asked, hold: pick % 2 === 0 ? "admin" : "user" });
  if (kind === "release")
    for (const { id } of world.pending) world.try({ type: "job.hold", ...asked, jobId: id, hold: null });
  if (kind === "cancel" && job) world.try({ type: "job.cancel", ...asked, cause: "" });
  if (kind === "wait") world.now += 1000 * (pick % 20);
  if (kind !== "end") return;
  const active = world.running.filter(({ suspendedAt }) => suspendedAt === null);
  const ended = active[pick % Math.max(1, active.length)];
  if (ended) world.end(ended, pick % 2);
}

/** Passes that may follow one another at the same time; more would go on for ever. */
const PASSES_MAX = 100;

/** Passes until nothing changes any more, and none asks for another one at once. */
function settle(world: QueueWorld, look: (plan: Plan) => void): Plan {
  for (let count = 0; count < PASSES_MAX; count++) {
    const plan = world.pass();
    look(plan);
    const changes = plan.starts.length + plan.preemptions.length + plan.resumes.length + plan.ends.length;
    if (changes === 0 && (plan.wakeAt ?? Number.POSITIVE_INFINITY) > world.now) return plan;
  }
  throw new Error(`after ${PASSES_MAX} passes there is still something to do`);
}

/** Time goes on: what is over its limit is ended, and nodes are cleared. */
function tick(world: QueueWorld, { pick }: Act): void {
  world.now += 1000;
  for (const job of world.running) {
    const isOver = job.limitS > 0 && job.suspendedAt === null && world.now >= job.startAt + 1000 * job.limitS;
    if (isOver) world.end(job);
  }
  if (pick % 3 === 0) return;
  for (const job of world.state.jobs.values())
    if (job.state !== "RUNNING") world.clean(job.id, job.attempt, job.cleanup);
}

/** Whether another job may come first: it waits, nothing but room or limits keeps it, and it stands before this one. */
function standsBehind(world: QueueWorld, job: PendingJob): boolean {
  const { state, now } = world;
  const ranking = prioritizer(state, now);
  const rank = (one: PendingJob): readonly number[] => [-ranking.tierOf(one), -ranking.priorityOf(one), one.id];
  return world.pending.some((other) => {
    if (other.id === job.id || other.hold !== null || other.eligibleAt > now || waitsForSomebody(state, other))
      return false;
    const [a, b] = [rank(other), rank(job)];
    const at = a.findIndex((value, index) => value !== b[index]);
    return (a[at] ?? 0) < (b[at] ?? 0);
  });
}

/** Whether some limits would be exceeded if the job had what it asks for, of a kind that a reason names. */
function isOver(
  world: QueueWorld,
  { spec: { user, qos: own, account, request: wanted, ...rest } }: PendingJob,
  word: string,
  set: Rules,
): boolean {
  const { state } = world;
  const gpuCount = wanted.exclusive ? 0 : (wanted.gpus?.wishes[0]?.thousandths ?? 0) / 1000;
  // Whole nodes have their GPUs counted once they are known.
  const more = wanted.exclusive ? 4 * (wanted.nodes?.min ?? 1) : gpuCount;
  const ofQos = set.qos[own ?? ""] ?? {};
  const ofAccount = set.accounts[account ?? ""] ?? {};
  const [inQos, inAccount] = [heldBy(state, { qos: own ?? "" }), heldBy(state, { account: account ?? "" })];
  const mine = heldBy(state, { qos: own ?? "", user: user.name });
  const live = world.running;
  const atLeast = (amount: number, limit: number | undefined): boolean => limit !== undefined && amount >= limit;
  const above = (amount: number, limit: number | undefined): boolean => limit !== undefined && amount > limit;
  switch (word) {
    case "Licenses":
      return usedLicenses(state) + rest.licenses.reduce((sum, { count }) => sum + count, 0) > set.licenses;
    case "QOSGrpJobsLimit":
      return atLeast(inQos.jobs, ofQos.grpJobs);
    case "QOSGrpGRES":
      return above(inQos.gpus + more, ofQos.grpTres?.["gres/gpu"]);
    case "QOSMaxGRESPerUser":
      return above(mine.gpus + more, ofQos.maxTresPU?.["gres/gpu"]);
    case "QOSMaxJobsPerUserLimit": {
      const own = live.filter((job) => job.spec.user.name === user.name).length;
      return atLeast(mine.jobs, ofQos.maxJobsPU) || (set.running.perUser > 0 && own >= set.running.perUser);
    }
    case "AssocGrpJobsLimit":
      return atLeast(inAccount.jobs, ofAccount.grpJobs) || (set.running.all > 0 && live.length >= set.running.all);
    case "AssocGrpGRES":
      return above(inAccount.gpus + more, ofAccount.grpTres?.["gres/gpu"]);
    case "AssocMaxJobsLimit":
      return atLeast(heldBy(state, { user: user.name, account: account ?? "" }).jobs, set.users[user.name]?.maxJobs);
    default:
      return false;
  }
}

/** What is wrong with a reason; empty if it is true. */
function lieOf(world: QueueWorld, job: PendingJob, word: string, set: Rules, plan: Plan): string {
  const { state, now } = world;
  const nodes = PARTITIONS[job.spec.partition ?? "main"] ?? [];
  const isTrue = (() => {
    switch (word) {
      case "JobHeldUser":
      case "JobHeldAdmin":
        return job.hold === (word === "JobHeldUser" ? "user" : "admin");
      case "BeginTime":
        return job.eligibleAt > now;
      case "Dependency":
        return waitsForSomebody(state, job);
      case "Cleaning":
        return job.cleanup.length > 0;
      case "JobArrayTaskLimit": {
        const limit = job.spec.array?.limit ?? 0;
        return limit > 0 && holders(state).filter(({ array }) => array?.jobId === job.array?.jobId).length >= limit;
      }
      case "BadConstraints":
        return !hasRoom(state, job, nodes, []);
      case "Resources":
        // What is free but kept: for somebody before it, for those who have a promise, or who made room and go on.
        return (
          !hasRoom(state, job, nodes) ||
          standsBehind(world, job) ||
          [...plan.reservations.keys()].some((id) => id !== job.id) ||
          world.running.some((other) => other.yieldsTo !== undefined)
        );
      case "Priority":
        return standsBehind(world, job) || state.jobs.get(job.after ?? 0)?.state === "PENDING";
      default:
        return isOver(world, job, word, set);
    }
  })();
  return isTrue ? "" : `job ${job.id} is told ${word}`;
}

test("no limit is exceeded, and every reason is true", () => {
  const told = new Map<string, number>();
  let [started, preempted] = [0, 0];
  fc.assert(
    fc.property(rules, policy, fc.array(act, { minLength: 10, maxLength: 40, size: "max" }), (own, scheduler, acts) => {
      const world = worldOf(own, scheduler);
      for (const next of acts) {
        tick(world, next);
        perform(next, world);
        const plan = settle(world, (done) => {
          started += done.starts.length;
          preempted += done.preemptions.length;
          expect(brokenLimits(world.state, own)).toEqual([]);
        });
        for (const job of world.pending) {
          const { word, text } = world.reasonOf(job, plan);
          told.set(word, (told.get(word) ?? 0) + 1);
          expect(lieOf(world, job, word, own, plan), text).toBe("");
        }
      }
    }),
    { numRuns: 200 },
  );
  expect(started).toBeGreaterThan(500);
  expect(preempted).toBeGreaterThan(0);
  const words = ["Resources", "Priority", "Dependency", "BeginTime", "JobHeldUser", "JobArrayTaskLimit", "Licenses"];
  const ofLimits = ["QOSGrpJobsLimit", "QOSGrpGRES", "QOSMaxGRESPerUser", "QOSMaxJobsPerUserLimit", "AssocGrpGRES"];
  for (const word of [...words, ...ofLimits]) expect(told.get(word) ?? 0, word).toBeGreaterThan(0);
}, 180_000);
