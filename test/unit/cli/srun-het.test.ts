/** srun and heterogeneous jobs: which step it makes in which components, which job it makes of several programs. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/srun.ts";
import { runCommand } from "../../../src/cli/run.ts";
import type { Params } from "../../../src/protocol/procedures.ts";
import { fakeContext, settle } from "./fake-context.ts";
import { fakeJob } from "./fake-job.ts";

/** What a script of a heterogeneous job finds: one task in component 0, four on two nodes in component 1. */
const INSIDE = {
  ...{ HOME: "/home/ada", PATH: "/bin", SLURM_JOB_ID: "7", SLURM_HET_SIZE: "2", SLURM_NTASKS: "1", SLURM_NNODES: "1" },
  ...{ SLURM_CPUS_PER_TASK: "2", SLURM_CPUS_PER_TASK_HET_GROUP_0: "2", SLURM_JOB_ID_HET_GROUP_1: "8" },
  ...{ SLURM_NTASKS_HET_GROUP_0: "1", SLURM_NTASKS_HET_GROUP_1: "4" },
  ...{ SLURM_NNODES_HET_GROUP_0: "1", SLURM_NNODES_HET_GROUP_1: "2" },
};

/** What the controller is asked for; or the error lines where it is not. */
async function ask(argv: string[], environment: Record<string, string> = INSIDE) {
  const steps: Params<"step.create">[] = [];
  const jobs: Params<"job.submit">[] = [];
  const job = fakeJob({
    "step.create": (params) => {
      steps.push(params);
      return new Promise(() => {});
    },
    "job.submit": (params) => {
      jobs.push(params);
      return new Promise(() => {});
    },
  });
  const fake = fakeContext({ program: "srun", environment, controller: () => job.connectController() });
  let code: number | undefined;
  void runCommand(command, argv, fake.context).then((value) => {
    code = value;
  });
  await settle();
  return { steps, jobs, code, err: fake.err() };
}

/** Component, tasks, CPUs of a task and program of each part. */
function parts(step: Params<"step.create"> | undefined) {
  return [step, ...(step?.others ?? [])].map((one) => {
    const { argv, request } = one?.step ?? {};
    return [one?.component, request?.tasks, request?.cpusPerTask, argv?.join(" ")];
  });
}

describe("steps", () => {
  test("without --het-group: as in an ordinary job", async () => {
    const { steps } = await ask(["hostname"]);
    expect(steps[0]).toMatchObject({ jobId: 7 });
    expect(parts(steps[0])).toEqual([[undefined, 1, 2, "hostname"]]);
  });
  test("a component's own variables are its defaults", async () => {
    expect(parts((await ask(["--het-group=1", "hostname"])).steps[0])).toEqual([[1, 4, null, "hostname"]]);
    expect(parts((await ask(["--het-group=0-1", "-c1", "hostname"])).steps[0])).toEqual([
      [0, 1, 1, "hostname"],
      [1, 4, 1, "hostname"],
    ]);
  });
  test("several programs: one component each, in their order or as named", async () => {
    expect(parts((await ask(["-n1", "a", "x", ":", "-n2", "b"])).steps[0])).toEqual([
      [0, 1, null, "a x"],
      [1, 2, null, "b"],
    ]);
    expect(parts((await ask(["--het-group=1", "a", ":", "--het-group=0", "b"])).steps[0])).toEqual([
      [0, 1, 2, "b"],
      [1, 4, null, "a"],
    ]);
    expect(parts((await ask([":", "b"])).steps[0]).map(([, , , argv]) => argv)).toEqual(["b", "b"]);
  });
  test.each([
    [["--het-group=5", "a"], "Requested het-group offset exceeds highest hetjob index (5 > 1)"],
    [
      ["a", ":", "a", ":", "a"],
      "Attempt to run a job step with het group value of 2, but the job allocation has maximum value of 1",
    ],
    [["--het-group=1", "a", ":", "a"], "Duplicate het groups in single srun not supported"],
    [["--het-group=x", "a"], '--het-group: expected positions of components such as 0,2-3, got "x"'],
    [["a", ":", "-n1"], "No command given to execute."],
    [["a", ":", "--foo", "b"], "component 1: unrecognized option '--foo'"],
  ])("%j is refused in words", async (argv, text) => {
    const { code, err, steps } = await ask(argv);
    expect({ code, err, steps }).toEqual({ code: 1, err: `srun: error: ${text}\n`, steps: [] });
  });
  test("a job that has no components", async () => {
    const plain = { HOME: "/home/ada", PATH: "/bin", SLURM_JOB_ID: "7" };
    expect((await ask(["--het-group=1", "a"], plain)).err).toBe(
      "srun: error: this job is not a heterogeneous one: it has one component, 0\n",
    );
    expect((await ask(["--het-group=0", "a"], plain)).steps).toHaveLength(1);
  });
});

describe("a job of its own", () => {
  const OUTSIDE = { HOME: "/home/ada", PATH: "/bin" };
  test("each program is a component; what is not geometry goes on to the next", async () => {
    const { jobs } = await ask(["-n2", "-t5", "--comment=x", "a", ":", "-n3", "-t", "9", "b", "y"], OUTSIDE);
    const all = [jobs[0], ...(jobs[0]?.followers ?? [])].map((one) => one?.job);
    expect(all.map((job) => [job?.kind, job?.request.tasks, job?.timeLimitS, job?.comment, job?.argv])).toEqual([
      ["run", 2, 300, "x", ["a"]],
      ["run", 3, 540, "x", ["b", "y"]],
    ]);
  });
  test("--het-group says that it does nothing there", async () => {
    const { jobs, err } = await ask(["--het-group=1", "a"], OUTSIDE);
    expect(jobs[0]?.followers).toBeUndefined();
    expect(err).toBe("srun: warning: --het-group has no effect: this is not within a job\n");
  });
});
