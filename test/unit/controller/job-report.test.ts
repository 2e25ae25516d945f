/** What a mail of a job's end tells besides: the last lines of its output, read as its user. */

import { expect, test } from "vitest";
import { createReporter } from "../../../src/controller/job-report.ts";
import { step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { createHandClock } from "../node/hand-clock.ts";
import { spec, T0 } from "../support/samples.ts";

test("the node is told the user by name: its numbers may be others", async () => {
  const state = emptyState();
  const go = (command: Parameters<typeof step>[1]) => step(state, command, T0);
  go({ type: "job.submit", requestId: "", spec: spec({ io: { ...spec().io, stdout: "/w/out" } }) });
  const placed = state.jobs.get(1);
  const share = { node: "n1", cpus: 1, memoryMiB: 1, gpus: [], tasks: 1 };
  const part = { node: "n1", tasks: [0], cpus: 1, memoryMiB: 1, gpus: [], phase: "running", exits: [] };
  const steps = [{ id: "batch", name: "batch", spec: null, startAt: T0, endAt: null, parts: [part], state: "RUNNING" }];
  state.jobs.set(1, { ...placed, state: "RUNNING", allocation: [share], steps, startAt: T0, attempt: 1 } as never);
  const asked: unknown[] = [];
  const call = async (_: string, { user, from, bytes }: { user: unknown; from: number; bytes: number }) => {
    asked.push(user);
    return { window: { size: 3, data: new TextEncoder().encode("~!\n").subarray(from, from + bytes) } };
  };
  const report = createReporter(() => state, { get: () => ({ peer: { call } }) as never }, createHandClock());
  expect((await report(1))?.output).toEqual({ path: "/w/out", lines: ["~!"] });
  expect(asked).toEqual([spec().user, spec().user]);
});
