/** What the log says of jobs. */

import { expect, test } from "vitest";
import { createJobLog } from "../../../src/controller/job-log.ts";
import { step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import type { LogFields } from "../../../src/platform/log.ts";
import { gpuRequest, inventory, submit, T0 } from "../support/samples.ts";

test("each start names the job, its attempt, its nodes and their GPUs; each end how it ended", () => {
  const state = emptyState();
  const lines: [string, LogFields | undefined][] = [];
  const say = (message: string, fields?: LogFields) => void lines.push([message, fields]);
  const listen = createJobLog({ debug: say, info: say, warn: say, error: say }, (id) => state.jobs.get(id));
  const run = (command: Parameters<typeof step>[1]) => listen(step(state, command, T0).record?.events ?? []);
  run({ type: "node.register", node: "n1", inventory: inventory() });
  run(submit("r1", { request: gpuRequest(2), retries: 1 }));
  const gpus = [1, 2].map((index) => ({ index, uuid: `GPU-${index}`, type: "a100", thousandths: 1000 }));
  const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus }];
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation });
  const key = { jobId: 1, attempt: 1, stepId: "batch" as const };
  const end = { node: "n1", key, exits: [{ code: 3, signal: 0 }], problem: "", clean: true, outOfMemory: false };
  run({ type: "report.stepEnded", ...end });
  run({ type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "enough" });
  expect(lines.map(([message]) => message)).toEqual([
    "job submitted",
    "job started",
    "job goes back into the queue",
    "job ended",
  ]);
  const [, started, , ended] = lines.map(([, fields]) => fields);
  expect(started).toMatchObject({ job: "1", jobId: 1, attempt: 1, nodes: ["n1"], gpus: { n1: [1, 2] } });
  expect(ended).toMatchObject({ job: "1", attempt: 1, state: "CANCELLED", cause: "enough" });
});
