/** mgpu why and mgpu logs on a real cluster: what waits and what would start it, and output as it comes. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_FAKE_GPUS: "4", MGPU_MIN_JOB_AGE: "2" } });
beforeAll(() => cluster.ok("mgpu-sinfo", []));
afterAll(() => cluster.stop());

test("why a job waits, and what it proposes starts it", async () => {
  const held = await cluster.hold(["--gpus=3", "-t", "10"]);
  const waiting = await cluster.submit("#!/bin/sh\necho here", ["--gpus=2"]);
  await cluster.until(
    async () => (await cluster.ok("mgpu", ["why", String(waiting)])).includes("Resources"),
    "it waits",
  );
  const text = await cluster.ok("mgpu", ["why", String(waiting)]);
  expect(text).toContain("lacks 1 GPU more (1 of 4 free)");
  expect(text).toMatch(new RegExp(`\n  ${held.jobId} .* n1 +3 .* at the latest\n`));
  expect(text).toContain("ask for 1 GPU rather than 2:");
  const command = /mgpu-scontrol (update .*)/.exec(text)?.[1] ?? "";
  await cluster.ok("mgpu-scontrol", command.split(" "));
  await cluster.untilState(waiting, "COMPLETED");
  expect(await cluster.ok("mgpu", ["logs", String(waiting)])).toBe("here\n");
  await held.release();
});

test("output is followed from before the start to the end, and found when the queue has forgotten the job", async () => {
  const first = await cluster.submit(
    "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done; echo one; echo two >&2; exit 3",
  );
  const second = await cluster.submit("#!/bin/sh\nprintf last", [`--dependency=afterany:${first}`]);
  const following = cluster.start("mgpu", ["logs", "-f", String(first), String(second)]);
  await cluster.untilState(first, "RUNNING");
  cluster.write("go", "");
  const { code, stdout } = await following.ended;
  expect(code).toBe(0);
  expect(stdout.split("\n").sort()).toEqual(["", `${first}: one`, `${first}: two`, `${second}: last`]);
  expect(await cluster.ok("mgpu", ["why", String(first)])).toContain("failed with exit code 3");
  await cluster.until(async () => (await cluster.queue("%i", "-t", "all")).length === 0, "the queue forgets them");
  expect(await cluster.ok("mgpu", ["logs", "-n1", String(first)])).toBe("two\n");
});

test("what is unknown is said so", async () => {
  const { code, stderr } = await cluster.run("mgpu", ["why", "999"]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("Invalid job id specified: 999")]);
  expect((await cluster.run("mgpu", ["logs", "999"])).code).toBe(1);
});
