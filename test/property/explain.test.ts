/** Whatever `mgpu why` proposes is true: the commands, carried out as scontrol would, start the job at once. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { FIELDS } from "../../src/cli/commands/scontrol/update-fields.ts";
import { parseJobTarget } from "../../src/cli/filters.ts";
import { viewOf } from "../../src/controller/planner.ts";
import type { Command } from "../../src/core/commands.ts";
import type { PendingJob } from "../../src/core/job.ts";
import { step } from "../../src/core/kernel.ts";
import type { ResourceRequest } from "../../src/core/resources.ts";
import { type ClusterState, emptyState } from "../../src/core/state.ts";
import { gateOf } from "../../src/sched/eligible.ts";
import { explain } from "../../src/sched/explain/explain.ts";
import { schedule } from "../../src/sched/schedule.ts";
import { dependsOn, gpus, tasks } from "../unit/sched/samples.ts";
import { inventory, request, submit, T0 } from "../unit/support/samples.ts";

const wishes: fc.Arbitrary<Partial<ResourceRequest>> = fc.record({
  ...{ tasks: fc.integer({ min: 1, max: 6 }), cpusPerTask: fc.constantFrom(null, 2, 5) },
  gpus: fc.tuple(fc.constantFrom("job", "node", "task"), fc.integer({ min: 0, max: 4 })).map(([per, count]) => {
    return count === 0 ? null : gpus(per, count).gpus;
  }),
  memory: fc.constantFrom(null, { per: "node" as const, mib: 40_000 }, { per: "cpu" as const, mib: 9000 }),
  exclusive: fc.boolean(),
  nodeList: fc.constantFrom([], ["n1"], ["n2"]),
});

const job = fc.record({
  wishes,
  array: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 4 }),
  ...{ hold: fc.boolean(), isLater: fc.boolean(), depends: fc.boolean(), isHurried: fc.boolean() },
});

test("every proposed change starts the job", () => {
  let proposed = 0;
  fc.assert(
    fc.property(fc.array(job, { minLength: 2, maxLength: 8, size: "max" }), fc.boolean(), (wanted, isRoot) => {
      const build = (): ClusterState => {
        const state = emptyState();
        const run = (command: Command) => step(state, command, T0);
        for (const node of ["n1", "n2"]) run({ type: "node.register", node, inventory: inventory() });
        for (const [at, one] of wanted.entries()) {
          run(
            submit(`r${at}`, {
              request: request(one.wishes),
              ...{ hold: at > 0 && one.hold, beginAt: one.isLater && at > 0 ? T0 + 1e6 : 0 },
              timeLimitS: one.isHurried ? 600 : null,
              ...(one.depends && at > 0 ? dependsOn("afterok:1") : {}),
              ...(one.array === null ? {} : { array: { tasks: tasks(0, 5), limit: one.array } }),
            }),
          );
        }
        for (const start of passOf(state).starts) run({ type: "job.allocate", ...start });
        return state;
      };
      const before = build();
      for (const id of before.pending) {
        const found = before.jobs.get(id);
        if (found?.state !== "PENDING") continue;
        for (const change of changesOf(before, found, isRoot ? 0 : 1000)) {
          if (change.words.includes("after that")) continue;
          const state = build();
          for (const command of change.commands) carryOut(state, command, isRoot ? 0 : 1000);
          proposed += 1;
          expect(startsOf(state, found), change.words).toBe(true);
        }
      }
    }),
    { numRuns: 150 },
  );
  expect(proposed).toBeGreaterThan(150);
});

function passOf(state: ClusterState) {
  return schedule(
    viewOf(state, () => true, T0),
    T0,
  );
}

/** Splitting an array's record gives its tasks another number. */
function startsOf(state: ClusterState, { id, array }: PendingJob): boolean {
  return passOf(state).starts.some(({ jobId }) => {
    return jobId === id || (array !== null && state.jobs.get(jobId)?.array?.jobId === array.jobId);
  });
}

function changesOf(state: ClusterState, found: PendingJob, byUid: number) {
  const work = explain({
    ...{ state, job: found, byUid, now: T0, reason: { word: "Resources" as const, text: "" } },
    view: viewOf(state, () => true, T0),
    newGate: () => gateOf(state, T0),
    hasTime: () => true,
  });
  for (;;) {
    const one = work.next();
    if (one.done) return one.value.changes;
  }
}

/** `mgpu-scontrol release 2`, `mgpu-scontrol update jobid=2 KEY=VALUE`. */
function carryOut(state: ClusterState, [, verb, ...words]: readonly string[], byUid: number): void {
  const name = (words[0] ?? "").replace(/^jobid=/, "");
  const target = parseJobTarget(name);
  if (!target) throw new Error(`no job: ${name}`);
  const asked = { jobId: target.jobId, tasks: target.tasks, byUid };
  if (verb === "release") {
    expect(step(state, { type: "job.hold", ...asked, hold: null }, T0).decision).toMatchObject({ kind: "accept" });
    return;
  }
  const [key = "", value = ""] = (words[1] ?? "").split(/=(.*)/s);
  const { spec } = state.jobs.get(target.jobId) ?? {};
  const field = FIELDS[key];
  if (!spec || !field) throw new Error(`can't be done: ${words.join(" ")}`);
  const facts = { spec, limitS: 0, nowMs: T0, utcOffset: () => 0, wholeMinutes: false, userName: "ada" };
  const changes = field.read(value, facts, "=");
  if ("problem" in changes) throw new Error(changes.problem);
  const command = { type: "job.update", ...asked, changes: changes.value } as Command;
  expect(step(state, command, T0).decision, words.join(" ")).toMatchObject({ kind: "accept" });
}
