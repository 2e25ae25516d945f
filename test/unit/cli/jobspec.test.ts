import { describe, expect, test } from "vitest";
import { absolutePath, baseName, draftJob } from "../../../src/cli/jobspec.ts";
import type { SubmitValues } from "../../../src/cli/options/reading.ts";
import { type FakeOptions, fakeContext } from "./fake-context.ts";

const FACTS = { kind: "run", defaultName: "python3", argv: ["python3", "train.py"], pty: null } as const;

function draft(values: SubmitValues, options: FakeOptions = {}, facts: Parameters<typeof draftJob>[1] = FACTS) {
  return draftJob(values, facts, fakeContext(options).context);
}

test("defaults of srun and sbatch", () => {
  expect(draft({})).toEqual({
    problems: [],
    job: {
      kind: "run",
      name: "python3",
      partition: null,
      request: { tasks: 1, cpusPerTask: 1, nodes: null, memoryMiBPerNode: 0, gpus: null },
      timeLimitS: null,
      workDir: "/work",
      io: { stdin: "all", stdout: null, stderr: null, openMode: "truncate", label: false },
      argv: ["python3", "train.py"],
      pty: null,
      requeue: false,
      submitHost: "desk",
    },
  });
  const { job } = draft({}, {}, { ...FACTS, kind: "batch" });
  expect(job.requeue).toBe(true);
  expect(job.io.stdin).toBe("none");
  expect(draft({ "no-requeue": true }, {}, { ...FACTS, kind: "batch" }).job.requeue).toBe(false);
});

test("streams: all and none in any case, /dev/null for discarded output", () => {
  const { io } = draft({ input: "NONE", output: "none", error: "ALL", "open-mode": "append" }).job;
  expect(io).toEqual({ stdin: "none", stdout: "/dev/null", stderr: "all", openMode: "append", label: false });
  expect(draft({ input: "0" }).problems).toEqual([]);
  expect(draft({ input: "2", ntasks: 2 }).problems[0]).toContain("there is no task 2");
});

test("time limits: exact under mgpu's names, whole minutes under Slurm's", () => {
  expect(draft({ time: 90 }, { program: "mgpu-srun" }).job.timeLimitS).toBe(90);
  expect(draft({ time: 90 }, { program: "srun" }).job.timeLimitS).toBe(120);
  expect(draft({ time: 0 }, { program: "srun" }).job.timeLimitS).toBe(0);
});

test("GPUs by either option; both must agree", () => {
  const two = { thousandths: 2000, type: "a100" };
  expect(draft({ gres: two }).job.request.gpus).toEqual(two);
  expect(draft({ gpus: null }).job.request.gpus).toBeNull();
  expect(draft({ gpus: two, gres: { ...two, type: "A100" } }).problems).toEqual([]);
  expect(draft({ gpus: two, gres: null }).problems).toEqual(["--gpus and --gres ask for different GPUs"]);
});

describe("problems that this machine knows of", () => {
  test("more than one node", () => {
    expect(draft({ nodes: { min: 2, max: 2 } }).problems[0]).toContain("on one node, got 2");
    expect(draft({ nodes: { min: 1, max: 3 } }).problems).toEqual([]);
  });
  test("a working directory that is none", () => {
    expect(draft({ chdir: "sub" }).problems).toEqual(["--chdir: /work/sub is not a folder that exists"]);
    expect(draft({ chdir: "/" }).job.workDir).toBe("/");
    expect(draft({ chdir: "." }).job.workDir).toBe("/work");
  });
  test("output that can't be written, for patterns as far as they are known", () => {
    const asked: string[] = [];
    const writeProblem = (path: string): string => {
      asked.push(path);
      return path.startsWith("/ro/") ? "Read-only file system" : "";
    };
    const fileQuestions = { writeProblem };
    const { problems } = draft({ output: "/ro/%j/x.log", error: "/ro/err" }, { fileQuestions });
    expect(problems).toEqual([
      "--output: /ro/%j/x.log: Read-only file system",
      "--error: /ro/err: Read-only file system",
    ]);
    draft({ output: "logs/a-%j" }, { fileQuestions });
    draft({}, { fileQuestions }, { ...FACTS, kind: "batch" });
    expect(asked).toEqual(["/ro/slurm-output", "/ro/err", "/work/logs/slurm-output", "/work/slurm-output"]);
  });
});

test("paths", () => {
  expect(absolutePath("a/./b//c/", "/w")).toBe("/w/a/b/c");
  expect(absolutePath("/x/../y", "/w")).toBe("/x/../y");
  expect(absolutePath(".", "/")).toBe("/");
  expect(["a/b", "/bin/sh", "x/", "sh"].map(baseName)).toEqual(["b", "sh", "x", "sh"]);
});
