/** Steps within the GPUs of their job, whole ones and parts. */

import { describe, expect, test } from "vitest";
import type { Step } from "../../../src/core/job.ts";
import type { Allocation, GpuRequest, StepRequest } from "../../../src/core/resources.ts";
import { placeStep } from "../../../src/core/step-place.ts";
import { request } from "../support/samples.ts";

/** Two whole GPUs and half of a third on one node, a quarter of one on another. */
const ALLOCATION: Allocation = [share("n1", 1000, 1000, 500), share("n2", 250)];

function share(node: string, ...gpus: number[]): Allocation[number] {
  const grants = gpus.map((thousandths, index) => ({ index, uuid: `${node}-${index}`, type: "a100", thousandths }));
  return { node, tasks: 4, cpus: 4, memoryMiB: 0, gpus: grants };
}

function step(per: GpuRequest["per"], thousandths: number, over: Partial<StepRequest> = {}): StepRequest {
  const gpus = thousandths === 0 ? null : { per, wishes: [{ type: null, thousandths }] };
  return { ...request({ tasks: 1, gpus }), overlap: false, exact: true, firstNode: 0, ...over };
}

/** What each node gives, `n1 0:1000`; or why there is nothing. */
function placed(wanted: StepRequest, open: readonly StepRequest[] = [], allocation = ALLOCATION): string | string[] {
  const steps: Step[] = [];
  for (const one of open) {
    const found = placeStep({ allocation, steps }, one, "block");
    if (!("parts" in found)) throw new Error("no room");
    const common = { id: steps.length, name: "x", requestId: "", startAt: 0, endAt: null, ending: null };
    steps.push({ ...common, state: "RUNNING", spec: { request: one } as Step["spec"], parts: found.parts });
  }
  const found = placeStep({ allocation, steps }, wanted, "block");
  if ("problem" in found) return `never: ${found.problem}`;
  if ("busy" in found) return `busy: ${found.holders}`;
  return found.parts.map(({ node, gpus }) => [node, ...gpus.map((gpu) => `${gpu.index}:${gpu.thousandths}`)].join(" "));
}

describe("a step's GPUs", () => {
  test("are all of the job's where it asks for none", () => {
    expect(placed(step("job", 0))).toEqual(["n1 0:1000 1:1000 2:500"]);
  });
  test("whole ones are whole; a part comes from where it fits best", () => {
    expect(placed(step("job", 1000))).toEqual(["n1 0:1000"]);
    expect(placed(step("job", 500))).toEqual(["n1 2:500"]);
    expect(placed(step("job", 600))).toEqual(["n1 0:600"]);
    expect(placed(step("job", 2500))).toEqual(["n1 0:1000 1:1000 2:500"]);
    expect(placed(step("job", 3000))).toContain("never: asked for 1 tasks of 1 CPUs, 3 GPUs per job; the job has");
  });
  test("steps share what there is, and wait for the rest", () => {
    expect(placed(step("job", 300), [step("job", 300)])).toEqual(["n1 0:300"]);
    expect(placed(step("job", 200), [step("job", 300)])).toEqual(["n1 2:200"]);
    expect(placed(step("job", 1000), [step("job", 1000), step("job", 1000)])).toContain(
      "GPUs 2 (0.5) are free; step 0 holds 1 CPUs and GPUs 0; step 1 holds 1 CPUs and GPUs 1",
    );
  });
  test("task by task and node by node", () => {
    expect(placed(step("task", 500, { tasks: 4 }))).toEqual(["n1 0:1000 1:500 2:500"]);
    expect(placed(step("task", 250, { tasks: 5 }))).toEqual([
      "n1 0:250 1:250 2:500".replace("0:250 1:250", "0:500"),
      "n2 0:250",
    ]);
    expect(placed(step("node", 250, { tasks: 2, nodes: { min: 2, max: 2 } }))).toEqual(["n1 2:250", "n2 0:250"]);
    expect(placed(step("node", 500, { tasks: 2, nodes: { min: 2, max: 2 } }))).toContain("never");
  });
});
