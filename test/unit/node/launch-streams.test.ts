import { describe, expect, it } from "vitest";
import type { IoSpec } from "../../../src/core/jobspec.ts";
import { buildStepLaunch } from "../../../src/node/launch.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";
import { batchLaunch, request, runLaunch, share } from "./sample-launch.ts";

const CLIENT = { to: "client" } as const;
const NULL = { to: "null" } as const;
const STDOUT = { to: "stdout" } as const;

function file(path: string, append = false) {
  return { to: "file", path: `/home/ann/work/${path}`, append } as const;
}

function streams(launch: NodeLaunch, name = "n1", task = 0) {
  const built = buildStepLaunch(launch, { name, gpuProvider: "none", spoolFolder: "/s" });
  if ("problem" in built) throw new Error(built.problem);
  const { stdin, stdout, stderr } = built.step.tasks[task] ?? {};
  return { stdin, stdout, stderr };
}

function run(io: Partial<IoSpec>, change: Partial<NodeLaunch> = {}): NodeLaunch {
  const allocation = [share("n1", 2), share("n2", 2)];
  return runLaunch({ job: request({ io: { ...request().io, ...io } }), allocation, ...change });
}

function batch(io: Partial<IoSpec>): NodeLaunch {
  const { job } = batchLaunch();
  return batchLaunch({ job: { ...job, io: { ...job.io, ...io } } });
}

describe("streams of srun", () => {
  it.each<[Partial<IoSpec>, unknown, unknown]>([
    [{}, CLIENT, CLIENT],
    [{ stdout: "all" }, CLIENT, CLIENT],
    [{ stdout: "none" }, NULL, NULL],
    [{ stdout: "none", stderr: "e" }, NULL, file("e")],
    [{ stderr: "none" }, CLIENT, NULL],
    [{ stderr: "e.%t" }, CLIENT, file("e.0")],
    [{ stdout: "o.%t" }, file("o.0"), STDOUT],
    [{ stdout: "o", stderr: "o" }, file("o"), STDOUT],
    [{ stdout: "o", stderr: "e" }, file("o"), file("e")],
    [{ stdout: "o", openMode: "append" }, file("o", true), STDOUT],
    [{ stdout: "o", stderr: "all" }, file("o"), CLIENT],
    [{ stdout: "0" }, CLIENT, CLIENT],
    [{ stdout: "1" }, NULL, NULL],
    [{ stdout: "4" }, file("4"), STDOUT],
    [{ stdout: "/dev/null" }, { to: "file", path: "/dev/null", append: false }, STDOUT],
  ])("%j", (io, stdout, stderr) => {
    expect(streams(run(io))).toEqual({ stdin: { from: "client" }, stdout, stderr });
  });

  it.each<[string, unknown]>([
    ["all", { from: "client" }],
    ["none", { from: "null" }],
    ["3", { from: "client" }],
    ["0", { from: "null" }],
    ["in.%t", { from: "file", path: "/home/ann/work/in.3" }],
    ["9", { from: "file", path: "/home/ann/work/9" }],
  ])("stdin %s at the last task", (stdin, expected) => {
    expect(streams(run({ stdin }), "n2", 1).stdin).toEqual(expected);
  });

  it("differ from task to task and node to node", () => {
    const launch = run({ stdout: "%N/%n-%t-%2t-%J" });
    expect(streams(launch, "n2", 1).stdout).toEqual(file("n2/1-3-03-7.0"));
    expect(streams(launch, "n1", 1).stdout).toEqual(file("n1/0-1-01-7.0"));
  });

  it("within a job are the step's own, not its job's", () => {
    const { program } = run({ stdout: "o", stdin: "none" });
    const launch = { ...batchLaunch(), key: { jobId: 7, attempt: 1, stepId: 2 }, program } as const;
    expect(streams(launch)).toEqual({ stdin: { from: "null" }, stdout: file("o"), stderr: STDOUT });
    const pty = { columns: 80, rows: 24 };
    expect(streams({ ...launch, program: { ...program, pty } }).stdout).toEqual(CLIENT);
  });

  it("are a terminal's where there is one", () => {
    const job = request({ pty: { columns: 80, rows: 24 }, io: { ...request().io, stdout: "o", stdin: "none" } });
    expect(streams(runLaunch({ job }))).toEqual({ stdin: { from: "client" }, stdout: CLIENT, stderr: CLIENT });
  });
});

describe("streams of a batch script", () => {
  it.each<[Partial<IoSpec>, unknown, unknown]>([
    [{}, file("slurm-7.out"), STDOUT],
    [{ stdout: "x-%x-%j" }, file("x-train-7"), STDOUT],
    [{ stderr: "e" }, file("slurm-7.out"), file("e")],
    [{ stderr: "slurm-%j.out" }, file("slurm-7.out"), STDOUT],
    [{ stdout: "none" }, file("none"), STDOUT],
    [{ openMode: "append", stderr: "e" }, file("slurm-7.out", true), file("e", true)],
  ])("%j", (io, stdout, stderr) => {
    expect(streams(batch(io))).toEqual({ stdin: { from: "null" }, stdout, stderr });
  });

  it("of an array's task are named after the array and the task", () => {
    const array = { jobId: 5, taskId: 12, count: 1, min: 12, max: 12, step: 1 };
    expect(streams({ ...batch({}), array }).stdout).toEqual(file("slurm-5_12.out"));
    expect(streams({ ...batch({ stdout: "%j-%A-%4a" }), array }).stdout).toEqual(file("7-5-0012"));
  });

  it("truncates again after a requeue unless told to append", () => {
    const launch = { ...batch({}), key: { jobId: 7, attempt: 2, stepId: "batch" } } as const;
    expect(streams(launch).stdout).toEqual(file("slurm-7.out"));
  });

  it.each<[string, unknown]>([
    ["none", { from: "null" }],
    ["all", { from: "null" }],
    ["in-%j", { from: "file", path: "/home/ann/work/in-7" }],
    ["5", { from: "file", path: "/home/ann/work/5" }],
  ])("stdin %s", (stdin, expected) => {
    expect(streams(batch({ stdin })).stdin).toEqual(expected);
  });
});
