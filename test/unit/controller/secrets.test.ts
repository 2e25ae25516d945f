/** Web addresses of notices are for the job's owner, root and operators, whichever way records are asked for. */

import { expect, test } from "vitest";
import type { ControllerContext } from "../../../src/controller/context.ts";
import { getHandler } from "../../../src/controller/handlers/get.ts";
import { historyHandler } from "../../../src/controller/handlers/history.ts";
import type { Job } from "../../../src/core/job.ts";
import { step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { spec, T0 } from "../support/samples.ts";

const HOOK = "https://hooks.slack.com/services/T/B/s3cret";
const OTHER = "https://h/other-s3cret";

function contextOf(): ControllerContext {
  const state = emptyState();
  const mail = { types: ["END"], user: "ada", notify: [HOOK] };
  const submitLine = `sbatch --notify='${HOOK}' --notif ${OTHER} -N1 train.sh`;
  for (let at = 0; at < 2; at++) {
    step(state, { type: "job.submit", requestId: "", spec: spec({ mail, submitLine }) }, T0);
  }
  const [past] = state.jobs.values();
  state.jobs.delete(1);
  return {
    loop: { state },
    clock: { now: () => T0 },
    settings: { clusterName: "lab", privateData: [] },
    identity: { user: { uid: 0, name: "root" } },
    rowOf: () => ({}),
    async *readFinished() {
      yield [past];
    },
  } as unknown as ControllerContext;
}

const NONE = { ids: [], users: [], states: [], names: [], partitions: [] };
const PAST = { ...NONE, groups: [], accounts: [], nodes: [], qos: [], wckeys: [], since: null, until: null };

/** What both procedures send: of the queue, and of the past and the queue. */
async function sent(uid: number, grade: string | null = "user"): Promise<Job[]> {
  const caller = grade && { caller: { grade } };
  const call = { hello: { user: { uid, gid: 1, name: "x" }, ...caller }, signal: new AbortController().signal };
  const jobs: Job[] = [];
  const take = {
    send: async (item: { jobs?: { job: Job }[]; records?: { job: Job }[] }) => {
      for (const { job } of item.jobs ?? item.records ?? []) jobs.push(job);
    },
  };
  const context = contextOf();
  await getHandler(context)({ filter: NONE }, take as never, call as never);
  await historyHandler(context)({ filter: PAST, duplicates: true, steps: false }, take as never, call as never);
  return jobs;
}

test("others are not told them, in the command line neither", async () => {
  const jobs = await sent(1001);
  expect(jobs.map(({ id }) => id)).toEqual([2, 1, 2]);
  expect(JSON.stringify(jobs)).not.toContain("s3cret");
  for (const { spec: one } of jobs) {
    expect(one.mail).toEqual({ types: ["END"], user: "ada" });
    expect(one.submitLine).toMatch(/^sbatch --notify=\S+ --notif \(hidden\) -N1 train.sh$/);
  }
});

test("owner, root and operators are", async () => {
  const all = [await sent(1000), await sent(0, null), await sent(7, "operator")];
  for (const jobs of all) expect(jobs.map((job) => job.spec.mail?.notify)).toEqual([[HOOK], [HOOK], [HOOK]]);
});
