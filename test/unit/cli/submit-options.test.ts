import { describe, expect, test } from "vitest";
import { parseOptions } from "../../../src/cli/getopt.ts";
import { EXPORT_ALL, jobEnvironment, parseExport } from "../../../src/cli/options/export.ts";
import { commandLineLayer, environmentLayer } from "../../../src/cli/options/layers.ts";
import { type Layer, readSubmitOptions } from "../../../src/cli/options/reading.ts";
import { SUBMIT_OPTIONS, type Submitter, submitOptions } from "../../../src/cli/options/submit.ts";

function typed(argv: string[], submitter: Submitter = "sbatch"): Layer {
  const parsed = parseOptions(submitOptions(submitter), argv, "stop");
  expect(parsed.problems).toEqual([]);
  return commandLineLayer(parsed);
}

const read = (argv: string[], environment: Record<string, string> = {}, submitter: Submitter = "sbatch") =>
  readSubmitOptions([typed(argv, submitter), environmentLayer(submitter, environment)]);

describe("values", () => {
  test("each option is read as what it is", () => {
    const argv = [
      "-Jx",
      "-n4",
      "-c2",
      "-N1-2",
      "--mem=2G",
      "-Ga100:2",
      "-t1:30",
      "-pgpu",
      "--open-mode=a",
      "-vv",
      "-Q",
    ];
    expect(read(argv).values).toEqual({
      "job-name": "x",
      ntasks: 4,
      "cpus-per-task": 2,
      nodes: { min: 1, max: 2 },
      mem: 2048,
      gpus: { thousandths: 2000, type: "a100" },
      time: 90,
      partition: "gpu",
      "open-mode": "append",
      verbose: 2,
      quiet: true,
    });
  });
  test("all bad values are reported together, with what was expected", () => {
    const { problems } = read(["--gpus", "two", "-t5x", "-n0", "--mem=much", "-N3-1", "--open-mode=x", "-o", ""]);
    expect(problems).toEqual([
      '--ntasks: expected a count of at least 1, got "0"',
      "--nodes: maximum node count 1 is less than minimum node count 3",
      '--mem: expected memory such as 500M or 16G, got "much"',
      '--gpus: expected a count or type:count, got "two"',
      '--time: expected a time such as 30 (minutes), 1:30:00 or 2-12 (days-hours), or UNLIMITED, got "5x"',
      '--output: expected a file, got ""',
      '--open-mode: expected append or truncate, got "x"',
    ]);
  });
  test("what cannot be done is refused, not swallowed", () => {
    expect(read(["--gpus=0.5"]).problems[0]).toContain("whole GPUs only");
    expect(read(["-pa,b"]).problems[0]).toContain("one partition");
    expect(read(["-o0"]).problems[0]).toContain("one task's output");
  });
});

describe("precedence", () => {
  const script: Layer = { values: new Map([["ntasks", ["7"]]]), label: (long) => `script: --${long}` };
  test("command line, then variable, then script", () => {
    const variable = environmentLayer("sbatch", { SBATCH_TIMELIMIT: "9", SBATCH_JOB_NAME: "v" });
    const { values } = readSubmitOptions([typed(["-t1"]), variable, script]);
    expect(values).toEqual({ time: 60, "job-name": "v", ntasks: 7 });
  });
  test("a problem names the place", () => {
    const bad: Layer = { values: new Map([["gpus", ["x"]]]), label: (long) => `job.sh: line 3: --${long}` };
    expect(readSubmitOptions([bad]).problems[0]).toMatch(/^job.sh: line 3: --gpus: expected/);
    expect(read([], { SBATCH_GPUS: "x" }).problems[0]).toMatch(/^SBATCH_GPUS: expected/);
  });
  test("of rivals the first place decides, and there the last word", () => {
    expect(read(["--requeue", "--no-requeue"]).values).toEqual({ "no-requeue": true });
    expect(read(["--no-requeue", "--requeue"]).values).toEqual({ requeue: true });
    expect(read(["--requeue"], { SBATCH_NO_REQUEUE: "1" }).values).toEqual({ requeue: true });
    expect(read(["--gres=gpu:1"], { SBATCH_GPUS: "4" }).values).toEqual({ gres: { thousandths: 1000, type: null } });
  });
});

describe("variables", () => {
  test("each command reads its own", () => {
    const environment = { SLURM_NTASKS: "3", SBATCH_PARTITION: "b", SLURM_PARTITION: "r" };
    expect(read([], environment, "srun").values).toEqual({ ntasks: 3, partition: "r" });
    expect(read([], environment, "sbatch").values).toEqual({ partition: "b" });
  });
  test("the geometry of an enclosing job is nobody's wish", () => {
    const job = { SLURM_JOB_ID: "5", SLURM_NTASKS: "8", SLURM_JOB_NAME: "outer", SLURM_GPUS: "4", SLURM_LABELIO: "1" };
    expect(read([], job, "srun").values).toEqual({ label: true });
  });
  test("empty says nothing, and a flag's 0 neither", () => {
    expect(read([], { SLURM_LABELIO: "0", SLURM_NTASKS: "", SLURM_DEBUG: "0" }, "srun").values).toEqual({});
    expect(read([], { SLURM_DEBUG: "2" }, "srun").values).toEqual({ verbose: 2 });
  });
});

test("every option is declared once, with a sentence and a place", () => {
  const longs = SUBMIT_OPTIONS.map(({ long }) => long);
  expect(new Set(longs).size).toBe(longs.length);
  for (const option of SUBMIT_OPTIONS) {
    expect(option.help).not.toMatch(/\.$/);
    expect(option.argument === "none" || "metavar" in option).toBe(true);
  }
});

describe("--export", () => {
  const user = { PATH: "/bin", HOME: "/h", A: "1", B: "2", SLURM_X: "x", MGPU_PROGRAM: "mgpu-srun" };
  const environment = (text: string) => {
    const parsed = parseExport(text);
    return "value" in parsed ? jobEnvironment(parsed.value, user, "/w") : parsed.problem;
  };
  const slurm = { SLURM_X: "x", SLURM_SUBMIT_DIR: "/w" };
  const base = { PATH: expect.any(String), HOME: "/h", ...slurm };
  test("ALL is the user's environment, without the launcher's variables", () => {
    expect(environment("ALL")).toEqual({ PATH: "/bin", HOME: "/h", A: "1", B: "2", ...slurm });
    expect(jobEnvironment(EXPORT_ALL, { ...user, MGPU_NODE_EXTRA_CA_CERTS: "/c" }, "/w")).toEqual({
      ...(environment("ALL") as object),
      NODE_EXTRA_CA_CERTS: "/c",
    });
  });
  test.each<[string, object]>([
    ["ALL,K=V,A=9", { PATH: "/bin", HOME: "/h", A: "9", B: "2", ...slurm, K: "V" }],
    ["K=V,ALL", { PATH: "/bin", HOME: "/h", A: "1", B: "2", ...slurm, K: "V" }],
    ["NONE", base],
    ["none", base],
    ["A,B", { ...base, A: "1", B: "2" }],
    ["A,NOPE", { ...base, A: "1" }],
    ["K=,A", { ...base, K: "", A: "1" }],
    ["K='x,y',A", { ...base, K: "x,y", A: "1" }],
    ['K="x,\\"y\\"",A', { ...base, K: 'x,"y"', A: "1" }],
    ["'K=x,y'", { ...base, K: "x,y" }],
    [`K='it'"'"'s'`, { ...base, K: "it's" }],
    ["PATH", { ...base, PATH: "/bin" }],
    ["K=a=b", { ...base, K: "a=b" }],
  ])("%s", (text, expected) => {
    expect(environment(text)).toEqual(expected);
  });
  test("what can't be read", () => {
    expect(environment("K='x")).toContain("not closed");
    expect(environment("=x")).toContain("NAME=value");
    expect(environment("NONE,A")).toContain("NONE");
  });
});
