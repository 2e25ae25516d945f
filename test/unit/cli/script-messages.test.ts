/** What is said of a batch script's lines. */

import { expect, test } from "vitest";
import { inOrderOfLines, slurmNameWarnings } from "../../../src/cli/script-messages.ts";

const FILES = { findProgram: (name: string) => (name.startsWith("s") ? "missing" : "found") };

function warnings(text: string, { program = "mgpu-sbatch", findProgram = FILES.findProgram } = {}) {
  const context = { environment: { PATH: "/bin" }, cwd: "/work", program, files: { findProgram } };
  return slurmNameWarnings({ file: "train.sh", text }, context as unknown as Parameters<typeof slurmNameWarnings>[1]);
}

test("problems stand as the script's lines do, those of anything else where they were", () => {
  const problems = ["train.sh: line 12: --mem: x", "--gpus: z", "train.sh: line 3: --time: y"];
  expect(inOrderOfLines(problems, "train.sh")).toEqual([problems[2], problems[1], problems[0]]);
});

test("a script that calls Slurm's commands hears that they are not there", () => {
  const [said, ...more] = warnings("#!/bin/sh\n# srun is not called here\nif true; then srun hostname; fi\nsrun b\n");
  expect(said).toMatch(/^train\.sh: line 3: srun is nowhere along PATH.*write mgpu-srun.*mgpu shims/);
  expect(more).toEqual([]);
});

test.each([
  "srun python3 train.py",
  "  srun -n1 a",
  "a && srun b",
  "X=$(scontrol show hostnames $SLURM_JOB_NODELIST | head -n1)",
  "time srun",
])("%s calls one", (line) => {
  expect(warnings(`#!/bin/sh\n${line}\n`)).toHaveLength(1);
});

test.each(["mgpu-srun a", "echo srun a", "./srun a", "# srun a", "srun_all a", "srun=1"])("%s calls none", (line) => {
  expect(warnings(`#!/bin/sh\n${line}\n`)).toEqual([]);
});

test("nothing is said where they are there, or under Slurm's own name", () => {
  expect(warnings("srun a\n", { findProgram: () => "found" })).toEqual([]);
  expect(warnings("srun a\n", { program: "sbatch" })).toEqual([]);
});
