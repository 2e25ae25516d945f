/** The wire from another language: a Python client of 20 lines, with Debian's python3-msgpack. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

/** The system's Python: packages of Debian are there, whatever else is on PATH. */
const PYTHON = "/usr/bin/python3";
const hasMsgpack = spawnSync(PYTHON, ["-c", "import msgpack"]).status === 0;

const cluster = new TestCluster();
afterAll(() => cluster.stop());

// CI installs the package, so there it must not be missing; on a developer's machine it may be.
test.runIf(hasMsgpack || process.env.CI)("a Python client lists the jobs, queues one and follows it", async () => {
  const first = await cluster.submit("#!/bin/sh\ntrue\n", ["-J", "from-python"]);
  await cluster.untilState(first, "COMPLETED");
  const client = join(import.meta.dirname, "../examples/client.py");
  expect(await cluster.ok(PYTHON, [client])).toBe(`${first} COMPLETED from-python\n`);
  const ran = await cluster.run(PYTHON, [client, "1", "exit 3"]);
  expect(ran).toMatchObject({ code: 3, stderr: "" });
  expect(ran.stdout).toMatch(/^(?:2 PENDING\n)?(?:2 RUNNING\n)?2 FAILED\n$/);
});
