import { expect, test } from "vitest";
import { awayProblems, awayReason, awayStatus, endAwayHolders } from "../../../src/controller/away.ts";
import type { ControllerContext } from "../../../src/controller/context.ts";
import type { Job } from "../../../src/core/job.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { Peer } from "../../../src/rpc/types.ts";

const job = (fields: object): Job => ({ id: 3, attempt: 1, cleanup: [], allocation: [], ...fields }) as unknown as Job;

/** A controller whose node n1, on desk, was lost 65 s ago; n2 is there. */
function controller(only: Job, holders: readonly Peer[] = []) {
  const executed: unknown[] = [];
  const inventory = { hostname: "desk", version: "9" };
  const nodes = new Map(["n1", "n2"].map((name) => [name, { name, inventory }]));
  const context = {
    clock: { now: () => 100_000 },
    log: silentLog(),
    settings: { killWaitS: 30 },
    identity: { startedAt: 0 },
    loop: {
      state: { nodes, jobs: new Map([[only.id, only]]), active: new Set([only.id]) },
      execute: async (command: unknown) => void executed.push(command),
    },
    sessions: {
      get: (node: string) => (node === "n2" ? {} : undefined),
      lostAt: (node: string) => (node === "n1" ? 35_000 : null),
      lastOf: () => ({ holder: { pid: 77 } }),
    },
    holdersOf: async () => holders,
  } as unknown as ControllerContext;
  return { context, executed };
}

test("a node that does not answer is told of: since when, what runs there, what to do", () => {
  const running = job({ state: "RUNNING", allocation: [{ node: "n1" }] });
  const { context } = controller(running);
  expect(awayStatus(context)).toEqual([
    { daemon: "mgpud", node: "n1", pid: 0, startedAt: 0, version: "9", state: "not responding" },
  ]);
  expect(awayProblems(context)).toEqual([
    "node n1 has not answered for 1:05: job 3 runs on there; start mgpud for it on desk again, nothing else does",
  ]);
  expect(awayReason({ ...context, startedAt: 0 }, running)).toBe("node n1 has not answered for 1:05");
  expect(awayReason({ ...context, startedAt: 0 }, job({ state: "RUNNING", allocation: [{ node: "n2" }] }))).toBe("");
});

test("its holders, where they can be reached, end the jobs and themselves", async () => {
  const calls: unknown[] = [];
  const peer = { call: async (...call: unknown[]) => void calls.push(call.slice(0, 2)), close() {} } as unknown as Peer;
  const { context, executed } = controller(job({ state: "CANCELLED", cleanup: ["n1"] }), [peer]);
  expect(await endAwayHolders(context)).toEqual([]);
  expect(calls).toEqual([
    ["holder.terminate", { jobId: 3, attempt: 1, killWaitMs: 30_000 }],
    ["holder.shutdown", { discard: true }],
  ]);
  expect(executed).toEqual([{ type: "report.jobCleaned", node: "n1", jobId: 3, attempt: 1 }]);
});

test("on another machine, what stays and what ends it is said", async () => {
  const { context } = controller(job({ state: "CANCELLED", cleanup: ["n1"] }));
  expect(await endAwayHolders(context)).toEqual([
    "node n1 has not answered for 1:05: job 3 runs on there; mgpud --node-id n1 on desk takes it over and ends it " +
      "once mgpu runs again, or kill 77 there ends mgpu-stepd after its last job",
  ]);
});
