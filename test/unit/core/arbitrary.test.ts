/** `--distribution=arbitrary`: each task on the node that is named for it, whatever the order of the nodes. */

import { expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import { step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { inventory, request, spec, submit, T0 } from "../support/samples.ts";

test("a job's tasks lie where they were listed", () => {
  const state = emptyState();
  let now = T0;
  const run = (command: Parameters<typeof step>[1]) => {
    now += 10;
    expect(step(state, command, now).decision.kind).toBe("accept");
  };
  for (const node of ["n1", "n2", "n3"]) run({ type: "node.register", node, inventory: inventory() });
  // n3, n1, n3, n3: by their places among the names.
  const wish = request({ tasks: 4, nodes: { min: 2, max: 2 }, nodeList: ["n3", "n1"], tasksOn: { n3: 3, n1: 1 } });
  run(submit("r1", { ...spec(), kind: "run", distribution: { arbitrary: [0, 1, 0, 0] }, request: wish }));
  for (const start of schedule(
    viewOf(state, () => true, now),
    now,
  ).starts)
    run({ type: "job.allocate", ...start });
  const job = state.jobs.get(1);
  const parts = job && "steps" in job ? job.steps.flatMap((one) => one.parts) : [];
  expect(Object.fromEntries(parts.map(({ node, tasks }) => [node, tasks]))).toEqual({ n1: [1], n3: [0, 2, 3] });
});
