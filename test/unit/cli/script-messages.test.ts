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

test.each([
  ["what a shell is told to write", "cat <<'END' > step.sh\nsrun a\nEND\ncat <<-EOF\n\tsrun b\n\tEOF\n"],
  ["quoted words", "echo 'in words (srun a)' \"or; srun b\"\necho 'over\nsrun two\nlines'\n"],
  ["remarks", "true # or (srun a); srun b\n"],
  ["a function", 'srun() { mgpu-srun "$@"; }\nsrun a\n'],
  ["an alias", "alias srun=mgpu-srun\nsrun a\n"],
  ["a script that looks itself", "if command -v srun >/dev/null; then srun a; else a; fi\n"],
  ["a PATH of its own", "export PATH=/opt/slurm/bin:$PATH\nsrun a\n"],
  ["what is loaded", "module load slurm\nsrun a\n"],
  ["another file's lines", ". ~/names.sh\nsrun a\n"],
])("%s: nothing is said", (_, text) => {
  expect(warnings(`#!/bin/bash\n${text}`)).toEqual([]);
});

test("behind such lines the next call is told of", () => {
  const text =
    '#!/bin/bash\ncat <<END\nsrun a\nEND\necho "it\'s" $((1<<4)) $((1<<n)) a#b\n# which srun?\nsrun b --path=c\n';
  expect(warnings(text)).toEqual([expect.stringContaining("train.sh: line 7: srun")]);
});

test("a script for another interpreter calls nothing by its lines", () => {
  expect(warnings("#!/usr/bin/env python3\nsinfo = 3\n")).toEqual([]);
  expect(warnings("#!/usr/bin/env bash\nsinfo -h\n")).toHaveLength(1);
  expect(warnings("#!/bin/bash -l\nsinfo -h\n")).toHaveLength(1);
});

test("nothing is said where they are there, or under Slurm's own name", () => {
  expect(warnings("srun a\n", { findProgram: () => "found" })).toEqual([]);
  expect(warnings("srun a\n", { program: "sbatch" })).toEqual([]);
});
