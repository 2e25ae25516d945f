/** A small program of Python's: squeue's JSON, and the controller's own wire by python3-msgpack, tell the same. */

import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeWith, SlurmNames } from "./support/slurm-names.ts";

const READER = join(import.meta.dirname, "support/reader.py");

describeWith("python3-msgpack", "/usr/lib/python3/dist-packages/msgpack", () => {
  let slurm: SlurmNames;

  beforeEach(async () => {
    slurm = new SlurmNames();
    await slurm.start([{ name: "n1", cpus: 2, gpus: 1 }]);
  });

  afterEach(() => slurm.cluster.stop());

  test("reads squeue --json and speaks the RPC", async () => {
    const { cluster } = slurm;
    const over = await cluster.submit("#!/bin/sh\nexit 3\n", ["-o", "none", "-J", "over"]);
    await cluster.untilState(over, "FAILED");
    const running = await cluster.submit("#!/bin/sh\nsleep 60\n", ["-o", "none", "--exclusive", "-J", "now"]);
    await cluster.untilState(running, "RUNNING");
    const waiting = await cluster.submit("#!/bin/sh\ntrue\n", ["-o", "none", "-n2", "-J", "later"]);
    const out = await cluster.ok("/usr/bin/python3", [READER], { env: slurm.env });
    const [, jobs = "", release] = /^(\{.*\}) (\S+)\n$/.exec(out) ?? [];
    expect(JSON.parse(jobs)).toEqual({ [over]: true, [running]: true, [waiting]: true });
    expect(release).toMatch(/^23\.11\./);
    await cluster.ok("mgpu-scancel", [String(running), String(waiting)]);
  }, 60_000);
});
