/** What is said to Slurm about elastic nodes, and what it says. */

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import {
  isAway,
  parseSinfo,
  parseSqueue,
  shareOf,
  slurmArgProblems,
  slurmProblem,
  slurmScript,
} from "../../../src/controller/elastic/slurm-text.ts";

const MARK = "9c7d2fe2";

test("squeue's lines: only this cluster's jobs, their phase, host, end and reason", () => {
  const text = [
    "1003|mgpu-9c7d2fe2-slurm1-1|RUNNING|2026-11-22T15:53:28|n1|None",
    "1004|mgpu-9c7d2fe2-slurm1-2|PENDING|N/A|n/a|(Resources|x)",
    "1005|mgpu-9c7d2fe2-slurm2-1|COMPLETING|2026-11-22T15:53:28|n2|None",
    "1006|mgpu-9c7d2fe2-slurm1-3|PREEMPTED|2026-11-22T15:50:00|n3|None",
    "1007|mgpu-00000000-slurm1-3|RUNNING|2026-11-22T15:50:00|n3|None",
    "1008|train|RUNNING|2026-11-22T15:50:00|n3|None",
    "",
  ].join("\n");
  const endsAt = 1_795_362_808_000;
  expect(parseSqueue(text, MARK)).toEqual([
    { id: "1003", node: "slurm1-1", phase: "running", why: "RUNNING", host: "n1", endsAt },
    { id: "1004", node: "slurm1-2", phase: "waiting", why: "(Resources|x)", host: "", endsAt: null },
    { id: "1005", node: "slurm2-1", phase: "running", why: "COMPLETING", host: "n2", endsAt },
    { id: "1006", node: "slurm1-3", phase: "over", why: "PREEMPTED", host: "", endsAt: null },
  ]);
});

test("an allocation that says nothing of CPUs and memory gets the part of a node that its GPUs are", () => {
  const nodes = parseSinfo("64|512000|gpu:a100:8(S:0-1)|g1\n32|256000|gpu:v100:4|g2\n8+|4000|(null)|c1\n");
  expect(shareOf(nodes, "2")).toEqual({ cpus: 16, memoryMiB: 128000, gpus: "2" });
  expect(shareOf(nodes, "a100:2")).toEqual({ cpus: 16, memoryMiB: 128000, gpus: "a100:2" });
  expect(shareOf(nodes, "8")).toEqual({ cpus: 64, memoryMiB: 512000, gpus: "a100:8" });
  expect(shareOf(nodes, "")).toEqual({ cpus: 8, memoryMiB: 4000, gpus: "" });
  expect([shareOf(nodes, "16"), shareOf(nodes, "h100:1")]).toEqual([null, null]);
});

test("options of sbatch that would break an allocation are refused, with why", () => {
  expect(slurmArgProblems(["--partition=gpu", "-A", "lab", "--exclude=n1"])).toEqual([]);
  expect(slurmArgProblems(["--array=1-3", "-N2", "--wrap=x"])).toEqual([
    "sbatch option --array=1-3: not possible here, each allocation is one job",
    "sbatch option -N2: not possible here, each allocation is one node; --max asks for several",
    "sbatch option --wrap=x: not possible here, what runs is mgpu's own script",
  ]);
  // squeue --me here would never find those: each would be taken for lost, and another one asked for.
  expect(slurmArgProblems(["-Mother", "--clusters=other", "--uid=7", "--cluster-constraint=x"])).toHaveLength(3);
});

test("a refusal is told apart from silence", () => {
  const refused = {
    code: 1,
    stdout: "",
    stderr:
      "sbatch: error: invalid partition specified: x\nsbatch: error: Batch job submission failed: Invalid partition name specified\n",
  };
  const problem = "invalid partition specified: x; Batch job submission failed: Invalid partition name specified";
  expect(slurmProblem("sbatch", refused)).toBe(problem);
  expect(isAway(problem)).toBe(false);
  expect(isAway("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")).toBe(true);
  expect(isAway("Batch job submission failed: Socket timed out on send/recv operation")).toBe(true);
  expect(slurmProblem("sbatch", { code: 3, stdout: "", stderr: "" })).toBe("sbatch ended with code 3");
});

test("the script is one that sh takes, and nothing in it is a secret", () => {
  const shape = { cpus: 8, memoryMiB: 4000, gpus: "a100:4", timeS: 5400 };
  const limits = { max: 1, backlog: 1, minBetweenS: 0, idleS: 300 };
  const queue = { id: 1, manager: "slurm", shape, limits, args: [], place: {} } as const;
  const script = slurmScript(
    { queue, node: "slurm1-7" },
    {
      ...{ mark: MARK, clusterName: "lab", bootId: "b", controllerSocket: "/run/a b/controller.sock" },
      ...{ binFolder: "/opt/m gpu/bin", nodeFolder: "/usr/bin", folder: "/home/ada/e", runtime: "" },
      variables: { MGPU_FAKE_GPUS: "it's 4" },
    },
  );
  execFileSync("/bin/sh", ["-n"], { input: script });
  const options = script.split("\n").filter((line) => line.startsWith("#SBATCH"));
  expect(options).toEqual([
    "#SBATCH --job-name=mgpu-9c7d2fe2-slurm1-7",
    '#SBATCH --comment="node slurm1-7 of mgpu cluster lab"',
    ...["#SBATCH --nodes=1", "#SBATCH --ntasks=1", "#SBATCH --cpus-per-task=8", "#SBATCH --mem=4000M"],
    ...["#SBATCH --gres=gpu:a100:4", "#SBATCH --time=90", "#SBATCH --no-requeue"],
    "#SBATCH --output=/home/ada/e/slurm1-7.log",
  ]);
  expect(script).toContain("export MGPU_FAKE_GPUS='it'\\''s 4'");
});

test("folders with anything in their names are those folders to sbatch and to sh", () => {
  const queue = {
    ...{ id: 1, manager: "slurm" as const, args: [], place: {} },
    shape: { cpus: 1, memoryMiB: 1, gpus: "", timeS: 60 },
    limits: { max: 1, backlog: 1, minBetweenS: 0, idleS: 30 },
  } as const;
  const script = slurmScript(
    { queue, node: "slurm1-1" },
    {
      ...{ mark: MARK, clusterName: "lab", bootId: "b", controllerSocket: "/s", nodeFolder: "/usr/bin", runtime: "" },
      ...{ binFolder: "/no/$(echo came)`echo came`/bin", folder: '/home/a "b\\c" #1/100%u', variables: {} },
    },
  );
  expect(script).toContain('#SBATCH --output="/home/a \\"b\\\\c\\" #1/100%%u/slurm1-1.log"\n');
  const run = () => execFileSync("/bin/sh", { input: script, stdio: "pipe" });
  expect(run).toThrow("mgpu is not at /no/$(echo came)`echo came`/bin on ");
});
