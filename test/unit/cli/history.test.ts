/** mgpu history and mgpu-squeue --at: the past from accounting, and times that can't be. */

import { expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu.ts";
import { command as squeue } from "../../../src/cli/commands/squeue.ts";
import type { Command } from "../../../src/cli/context.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { clusterPeer, JOBS, NOW } from "../../golden/cluster.ts";
import { fakeContext } from "./fake-context.ts";

async function run(one: Command, ...argv: readonly string[]) {
  const controller = clusterPeer({
    script: {
      "jobs.history": async ({ filter }, send) => {
        const found = JOBS.filter((job) => filter.ids.length === 0 || filter.ids.includes(job.id));
        const facts = { partition: "main", reason: "None", reasonText: "", isDuplicate: false };
        await send({ records: found.map((job) => ({ job, state: job.state, ...facts })) });
        return { now: NOW, clusterName: "lab", damaged: 0 };
      },
    },
  });
  const fake = fakeContext({ program: one.name === "mgpu" ? "mgpu" : `mgpu-${one.name}`, controller });
  return { code: await runCommand(one, argv, fake.context), out: fake.out(), err: fake.err() };
}

const rows = (text: string): string[] => text.trimEnd().split("\n");

test("the queue of then, with the times of then", async () => {
  const { code, out } = await run(squeue, "--at", "now-30minutes", "-h", "-o", "%i %T %M %N");
  expect(code).toBe(0);
  expect(rows(out)).toEqual([
    ...["2 RUNNING 30:00 n2", "3 RUNNING 30:00 n2", "4 RUNNING 30:00 n2", "5 PENDING 0:00 "],
    ...["6 RUNNING 30:00 n2", "7 RUNNING 30:00 n2", "8 RUNNING 30:00 n2", "9 RUNNING 30:00 n2"],
    ...["10 RUNNING 30:00 n2", "11 RUNNING 30:00 n2", "12 RUNNING 1-00:30:00 n[1-2]"],
  ]);
  const pending = await run(squeue, "--at=now-30minutes", "-h", "-t", "PD", "-o", "%i");
  expect(rows(pending.out)).toEqual(["5"]);
  expect((await run(command, "history", "now-30minutes")).out).toContain("n[1-2]");
});

test("what ran between two times", async () => {
  const { out } = await run(command, "history", "now-3hours", "now");
  expect(rows(out)[0]).toMatch(/^JOB +USER +NAME +STATE +START +END +ELAPSED +GPUS +NODES$/);
  expect(rows(out)[1]).toMatch(/^12 +bob-the-builder .* runs +1-01:00:00 +4 +n\[1-2\]$/);
  expect(rows(out)[2]).toMatch(/^1 +ada +completed +COMPLETED .* 12:34 +0 +n2$/);
});

test("yesterday is its midnight, and the examples of an error are of the past", async () => {
  expect(await run(command, "history", "yesterday")).toMatchObject({ code: 0, err: "" });
  expect((await run(squeue, "--at", "yesterday noon")).code).toBe(0);
  expect((await run(squeue, "--at", "x")).err).toContain("such as 14:30, yesterday, now-2hours");
});

test("times that can't be", async () => {
  expect(await run(squeue, "--at", "now+1hour")).toMatchObject({ code: 1, out: "" });
  expect((await run(squeue, "--at", "x")).err).toContain("--at: expected a time");
  expect((await run(squeue, "--at", "now", "-s")).err).toContain("--at shows jobs, not steps");
  expect((await run(command, "history")).code).toBe(2);
  expect((await run(command, "history", "x", "y")).err.match(/expected a time/g)).toHaveLength(2);
  expect((await run(command, "history", "now", "now-1hour")).err).toContain("later than the second");
});
