/** The example for PyTorch, unchanged as a user's script: it trains in its job, or says that torch is not there. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";

const PYTHON = "/usr/bin/python3";
const EXAMPLE = join(import.meta.dirname, "../examples/torch_load.py");
const hasTorch = spawnSync(PYTHON, ["-c", "import torch"]).status === 0;

const cluster = new TestCluster();
afterAll(() => cluster.stop());

test("torch_load.py", async () => {
  const { code, stdout, stderr } = await cluster.run("mgpu-srun", ["--quiet", "--gpus=2", PYTHON, EXAMPLE]);
  if (hasTorch) {
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^CUDA_VISIBLE_DEVICES = 0,1\n[\s\S]*trained on \S+: the loss fell from/),
    });
  } else {
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("torch is not installed here") });
  }
}, 120_000);
