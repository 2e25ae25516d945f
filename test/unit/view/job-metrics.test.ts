import { expect, test } from "vitest";
import type { HistoryRecord } from "../../../src/core/history.ts";
import { MetricsSum, metricsText } from "../../../src/view/job-metrics.ts";

function ended(ranS: number, parts: unknown[] = [], state = "COMPLETED"): Pick<HistoryRecord, "job" | "state"> {
  const times = { startAt: 5000, eligibleAt: 1000, endAt: 5000 + ranS * 1000, suspendedMs: 0 };
  const steps = [{ startAt: 5000, endAt: times.endAt, parts }];
  return { job: { state, ...times, steps } as never, state };
}

const part = (node: string, indices: number[], peak: number, mean: number) => ({
  ...{ node, gpus: indices.map((index) => ({ index })) },
  usage: { gpuUtil: [peak, 0, mean, 0, mean] },
});

test("jobs, run times, and each GPU over the steps that were measured", () => {
  const sum = new MetricsSum();
  sum.add(ended(10, [part("n1", [0], 90, 50)]));
  sum.add(ended(30, [part("n1", [0, 1], 200, 100)]));
  sum.add(ended(200, [{ node: "n1", gpus: [{ index: 0 }] }], "FAILED"));
  sum.add({ job: { state: "PENDING" } as never, state: "PENDING" });
  expect(sum.result()).toEqual({
    ...{ jobs: 4, states: { COMPLETED: 2, FAILED: 1, PENDING: 1 }, meanRunS: 80, medianRunS: 30, meanWaitS: 4 },
    gpus: [
      { node: "n1", gpu: 0, sampledS: 40, meanUtilization: 50, peakUtilization: 100 },
      { node: "n1", gpu: 1, sampledS: 30, meanUtilization: 50, peakUtilization: 100 },
    ],
  });
  expect(metricsText(sum.result())).toBe(
    "jobs         4 (2 COMPLETED, 1 FAILED, 1 PENDING)\nmean run     1:20\nmedian run   30.0 s\nmean wait    4.0 s\n\n" +
      "GPU   MEAN   PEAK    MEASURED\nn1:0  50.0%  100.0%  40.0 s\nn1:1  50.0%  100.0%  30.0 s\n",
  );
});

test("no jobs", () => {
  expect(metricsText(new MetricsSum().result())).toContain("jobs         0\nmean run     no job yet\n");
});
