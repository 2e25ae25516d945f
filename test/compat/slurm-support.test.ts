/** Debian's Slurm starts and ends in a test: what other tests of it stand on. */

import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { SlurmCluster } from "./support/slurm-cluster.ts";

test("Slurm runs a job on a GPU, loses its controller and ends without a trace", async () => {
  const slurm = await SlurmCluster.start({ nodes: 2, gpus: 2, shards: 8 });
  try {
    expect(await slurm.ok("srun", ["--gpus=1", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"])).toBe("0\n");
    expect(await slurm.ok("srun", ["-N2", "hostname"])).toMatch(/^n[12]\nn[12]\n$/);
    const job = await slurm.submit("#!/bin/sh\nexec sleep 600\n", ["--gres=shard:1"]);
    await slurm.untilState(job, "RUNNING");
    await slurm.stopController();
    await slurm.startController();
    await slurm.untilState(job, "RUNNING");
  } finally {
    await slurm.stop();
  }
  expect(existsSync(slurm.folder)).toBe(false);
});
