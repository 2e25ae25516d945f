/** torchrun over two nodes, as the recipes write it: one launcher a node by srun, gloo between the ranks. */

import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeWith, SlurmNames } from "./support/slurm-names.ts";

const PROGRAM = join(import.meta.dirname, "support/gloo.py");

describeWith("torchrun", "/usr/lib/python3/dist-packages/torch/distributed/run.py", () => {
  let slurm: SlurmNames;

  beforeEach(async () => {
    slurm = new SlurmNames();
    await slurm.start([
      { name: "n1", cpus: 4, gpus: 2 },
      { name: "n2", cpus: 4, gpus: 2 },
    ]);
  });

  afterEach(() => slurm.cluster.stop());

  const submit = async (lines: readonly string[]): Promise<string> => {
    const { cluster } = slurm;
    const out = await cluster.ok("mgpu-sbatch", ["--parsable"], {
      input: ["#!/bin/bash", "#SBATCH --nodes=2", "#SBATCH --output=out.txt", ...lines, ""].join("\n"),
      env: slurm.env,
    });
    await cluster.untilState(Number(out.trim()), "COMPLETED", "FAILED");
    return cluster.read("out.txt");
  };

  const ranks = (text: string): string[] =>
    text
      .split("\n")
      .map((line) => line.replace(/^\[default\d\]:/, ""))
      .filter((line) => line.startsWith("rank "))
      .sort();

  test("one launcher a node, with the head node's name from scontrol", async () => {
    const text = await submit([
      "#SBATCH --ntasks-per-node=1",
      "#SBATCH --gpus-per-node=2",
      'head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)',
      'test "$head" = n1 || exit 9',
      `srun /usr/bin/python3 -m torch.distributed.run --nnodes 2 --nproc_per_node 2 --rdzv_id "$SLURM_JOB_ID" \\`,
      // Debian's torch 1.13 knows no "0" for these with Python 3.11: stdout goes through torchrun's own files.
      `  -r 1 -t 1 --log_dir logs --rdzv_backend c10d --rdzv_endpoint "$MASTER_ADDR:$MASTER_PORT" ${PROGRAM}`,
    ]);
    // torchrun itself orders its launchers: by host name, and on one host by their process ids.
    const [first, second] = text.includes("rank 0 of 4 on n1") ? ["n1", "n2"] : ["n2", "n1"];
    expect(ranks(text), text).toEqual([
      `rank 0 of 4 on ${first} sees GPUs [0,1]: sum 10`,
      `rank 1 of 4 on ${first} sees GPUs [0,1]: sum 10`,
      `rank 2 of 4 on ${second} sees GPUs [0,1]: sum 10`,
      `rank 3 of 4 on ${second} sees GPUs [0,1]: sum 10`,
    ]);
  }, 180_000);

  test("without a launcher: one task a GPU, ranks from the environment", async () => {
    const text = await submit([
      "#SBATCH --ntasks-per-node=2",
      "#SBATCH --gpus-per-task=1",
      `srun /usr/bin/python3 ${PROGRAM}`,
    ]);
    expect(ranks(text), text).toEqual([
      "rank 0 of 4 on n1 sees GPUs [0]: sum 10",
      "rank 1 of 4 on n1 sees GPUs [1]: sum 10",
      "rank 2 of 4 on n2 sees GPUs [0]: sum 10",
      "rank 3 of 4 on n2 sees GPUs [1]: sum 10",
    ]);
  }, 180_000);
});
