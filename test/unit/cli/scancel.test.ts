/** What scancel asks for, and which of the answers it tells of. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/scancel.ts";
import { NoController } from "../../../src/cli/connect.ts";
import { runCommand } from "../../../src/cli/run.ts";
import type { JobListRow, JobRow, Params, Result } from "../../../src/protocol/procedures.ts";
import { type Outcome, runOn } from "../../golden/run.ts";
import { type FakeOptions, type FakePeer, fakeContext, fakePeer, settle } from "./fake-context.ts";
import { jobRow } from "./fake-job.ts";

type Answer = Result<"jobs.cancel">["jobs"][number]["error"];

const UNKNOWN: Answer = { code: "INVALID_JOB", message: "Invalid job id specified" };
const OVER: Answer = { code: "JOB_FINISHED", message: "Job/step already completing or completed" };
const FOREIGN: Answer = { code: "PERMISSION", message: "Access/permission denied" };
const WAITS: Answer = { code: "NOT_RUNNING", message: "Job is pending execution" };

/** What jobs.list knows: a plain job that runs, and the waiting tasks of an array. */
const ROWS: readonly JobRow[] = [
  jobRow({ id: 12, name: "a", partition: "main", account: "x", nodeList: "n[1-2]" }),
  jobRow({ id: 14, name: "b", partition: "main", account: "y", arrayJobId: 14, arrayTasks: "2-4%1" }),
];

/** 12 and 13 run, 14 waits, 20 is over, 30 is somebody else's; filters select 12 and 14. */
function controller(): FakePeer {
  return fakePeer({
    "jobs.cancel": ({ filter, signal }) => {
      const named = [...filter.ids, ...(filter.tasks ?? []).map(({ jobId }) => jobId)];
      const ids = named.length > 0 ? named : filter.users.includes("nobody") ? [] : [12, 14];
      return { jobs: ids.map((jobId) => ({ jobId, error: answerFor(jobId, signal) })) };
    },
    "controller.status": () => ({ clusterName: "home" }) as Result<"controller.status">,
    "jobs.list": async ({ filter, fields }, send) => {
      const found = ROWS.filter(({ id }) => filter.ids.length === 0 || filter.ids.includes(id));
      await send({ rows: found.map((row) => fields.map((field) => (row as Partial<JobListRow>)[field])) });
      return { now: 0 };
    },
  });
}

function answerFor(jobId: number, signal: number | null): Answer {
  if (jobId === 20) return OVER;
  if (jobId === 30) return FOREIGN;
  if (jobId === 14 && signal !== null) return WAITS;
  return [12, 13, 14].includes(jobId) ? null : UNKNOWN;
}

const scancel = (argv: readonly string[], options: FakeOptions = {}): Promise<Outcome> =>
  runOn(command, argv, { program: "scancel", controller: controller(), ...options });

/** The calls that a command line leads to. */
async function calls(argv: readonly string[], options: FakeOptions = {}): Promise<Params<"jobs.cancel">[]> {
  const peer = controller();
  await scancel(argv, { ...options, controller: peer });
  const cancels = peer.calls.filter(({ method }) => method === "jobs.cancel");
  return cancels.map(({ params }) => params as Params<"jobs.cancel">);
}

const all = { ids: [], users: [], states: [], names: [], partitions: [] };

describe("what is asked for", () => {
  test("jobs go together, steps each by itself", async () => {
    expect(await calls(["12", "13.0", "20,14"])).toEqual([
      { filter: { ...all, ids: [12, 20, 14] }, stepId: null, signal: null, cause: "" },
      { filter: { ...all, ids: [13] }, stepId: 0, signal: null, cause: "" },
    ]);
  });
  test.each([
    [["--me"], { users: ["1000"] }],
    [["-u", "bob,1001"], { users: ["bob", "1001"] }],
    [["-u", ""], { users: [""] }],
    [["-t", "PD"], { users: ["1000"], states: ["PENDING"] }],
    [["-t", "pending,R", "-n", "a,b"], { users: ["1000"], states: ["PENDING", "RUNNING"], names: ["a", "b"] }],
    [["--jobname=a", "-p", "main", "--me"], { users: ["1000"], names: ["a"], partitions: ["main"] }],
    [["12", "-u", "bob"], { ids: [12], users: ["bob"] }],
    [["12", "-n", "x"], { ids: [12], names: ["x"] }],
  ])("%j", async (argv, criteria) => {
    expect(await calls(argv)).toEqual([{ filter: { ...all, ...criteria }, stepId: null, signal: null, cause: "" }]);
  });
  test("root means everybody's jobs", async () => {
    const peer = controller();
    const { context } = fakeContext({ controller: peer });
    await runCommand(command, ["-n", "x"], { ...context, user: { uid: 0, gid: 0, name: "root" } });
    expect(peer.calls[0]?.params).toMatchObject({ filter: { users: [], names: ["x"] } });
  });
  test.each([
    [["-s", "USR1", "12"], 10],
    [["12", "--signal", "SIGTERM"], 15],
    [["12", "--sig=10"], 10],
    [["-sint", "12"], 2],
    [["12", "--sig=10", "--clusters=all", "-MHOME"], 10],
    [["-s", "KILL", "12"], null],
    [["-s9", "12"], null],
  ])("%j is signal %s", async (argv, signal) => {
    expect(await calls(argv)).toMatchObject([{ signal, stepId: null }]);
  });
  test.each([
    [["12.3"], { stepId: 3, signal: null }],
    [["-s", "KILL", "12.3"], { stepId: 3, signal: null }],
    [["-s", "USR1", "12.batch"], { stepId: "batch", signal: 10 }],
    [["-s", "USR1", "12"], { stepId: null, signal: 10, target: "steps" }],
    [["-b", "-s", "USR1", "12"], { stepId: null, signal: 10, target: "batch" }],
    [["-b", "12"], { stepId: null, signal: 9, target: "batch" }],
    [["-fs", "USR1", "12"], { stepId: null, signal: 10, target: "full" }],
    [["-bfs", "USR1", "12"], { stepId: null, signal: 10, target: "full" }],
    [["-f", "12"], { stepId: null, signal: null }],
  ])("%j: whom it is for", async (argv, params) => {
    expect(await calls(argv)).toEqual([{ filter: { ...all, ids: [12] }, cause: "", ...params }]);
  });
  test("tasks of arrays, and components of heterogeneous jobs", async () => {
    const tasks = [{ jobId: 12, tasks: [{ first: 1, last: 5, step: 1 }] }];
    expect(await calls(["12_[1-5]", "13_7.0", "20+1"])).toEqual([
      { filter: { ...all, tasks, components: [{ jobId: 20, offset: 1 }] }, stepId: null, signal: null, cause: "" },
      {
        filter: { ...all, tasks: [{ jobId: 13, tasks: [{ first: 7, last: 7, step: 1 }] }] },
        stepId: 0,
        signal: null,
        cause: "",
      },
    ]);
  });
  test("criteria that the controller does not know: jobs are looked at first", async () => {
    const cancels = [...(await calls(["-A", "y"])), ...(await calls(["-w", "n2"]))];
    expect(cancels).toMatchObject([
      { filter: { ids: [], tasks: [{ jobId: 14, tasks: [{ first: 2, last: 4, step: 1 }] }] } },
      { filter: { ids: [12] } },
    ]);
  });
  test("--interactive asks before each", async () => {
    const peer = controller();
    const fake = fakeContext({ program: "scancel", controller: peer });
    const done = runCommand(command, ["-i", "12", "14", "12.0"], fake.context);
    await settle();
    fake.input.type("maybe\ny\nn");
    fake.input.type("\n");
    fake.input.end();
    expect(await done).toBe(0);
    expect(fake.out()).toBe(
      "Cancel job_id=12 name=a partition=main [y/n]? ".repeat(2) +
        "Cancel job_id=14_[2-4%1] name=b partition=main [y/n]? " +
        "Cancel step_id=12.0 name=a partition=main [y/n]? \n",
    );
    const cancels = peer.calls.filter(({ method }) => method === "jobs.cancel").map(({ params }) => params);
    expect(cancels).toMatchObject([{ filter: { ids: [12] }, stepId: null }]);
  });
  test("variables stand in for options", async () => {
    const environment = { HOME: "/home/ada", SCANCEL_USER: "bob", SCANCEL_STATE: "R", SCANCEL_NAME: "n" };
    expect(await calls([], { environment })).toMatchObject([
      { filter: { users: ["bob"], states: ["RUNNING"], names: ["n"] } },
    ]);
  });
  test("very many ids go in several calls", async () => {
    const ids = Array.from({ length: 25_000 }, (_, index) => String(index + 1000));
    expect((await calls(ids)).map(({ filter }) => filter.ids.length)).toEqual([10_000, 10_000, 5000]);
  });
});

const killError = (id: string, text: string): string => `scancel: error: Kill job error on job ${id}: ${text}\n`;

describe("what is told", () => {
  test.each([
    [["12"], 0, ""],
    [["999"], 0, ""],
    [["20", "999", "12"], 0, ""],
    [["999_3"], 0, ""],
    [["99999999999999999999"], 0, ""],
    [["-s", "USR1", "999"], 1, killError("id 999", "Invalid job id specified")],
    [["-s", "KILL", "999"], 1, killError("id 999", "Invalid job id specified")],
    [["-s", "TERM", "999_3"], 1, killError("id 999_3", "Invalid job id specified")],
    [["-s", "USR1", "20"], 1, killError("id 20", "Job/step already completing or completed")],
    [["-s", "USR1", "14"], 1, killError("id 14", "Job is pending execution")],
    [["30"], 1, killError("id 30", "Access/permission denied")],
    [["-Q", "30"], 1, ""],
    [["-Q", "-s", "TERM", "20", "999"], 1, ""],
    [["-Q", "999"], 0, ""],
    [["999.0"], 1, killError("step id 999.0", "Invalid job id specified")],
    [["20.0"], 0, ""],
    [["-v", "12"], 0, "scancel: Terminating job 12\n"],
    [["99999999999999999999"], 0, ""],
    [["-s", "1", "99999999999999999999"], 1, killError("id 99999999999999999999", "Invalid job id specified")],
    [["12.99999999999999999999"], 1, killError("step id 12.99999999999999999999", "Invalid job id specified")],
    [["-v", "999"], 0, `scancel: Terminating job 999\n${killError("id 999", "Invalid job id specified")}`],
    [["-vs", "USR1", "12"], 0, "scancel: Signal 10 to job 12\n"],
    [["12.extern"], 1, killError("step id 12.extern", "Invalid job id specified")],
    [["-v", "12.0"], 0, "scancel: Terminating step 12.0\n"],
    [["-u", "nobody"], 0, ""],
    [["-vu", "nobody"], 0, "scancel: error: No active jobs match ALL job filters\n"],
  ])("%j ends with %i", async (argv, code, err) => {
    expect(await scancel(argv)).toEqual({ code, out: "", err });
  });
});

describe("bad input", () => {
  test.each([
    [[], ["No job identification provided"]],
    [["-s", "TERM"], ["No job identification provided"]],
    [["foo"], ["Invalid job id foo"]],
    [["--sibling=x", "12"], ["--sibling: mgpu has no federations of clusters"]],
    [["-w", "n[1"], ['--nodelist: expected node names such as n[1-3], got "n[1"']],
    [["5", "foo", "12.foo", "0", "1e3", ""], ["foo", "12.foo", "0", "1e3", ""].map((id) => `Invalid job id ${id}`)],
    [["-u", "nosuchuser"], ["Invalid user name: nosuchuser"]],
    [["-u", "bob,nosuchuser", "12"], ["Invalid user name: nosuchuser"]],
    [["12", "-s", "FOO"], ["Unknown job signal: FOO"]],
    [["12", "-s", "0"], ["Unknown job signal: 0"]],
    [
      ["-t", "FOO", "--me"],
      ["Invalid job state specified: FOO", "Valid job states are PENDING, RUNNING, and SUSPENDED"],
    ],
    [
      ["-t", "all"],
      ["Invalid job state specified: all", "Valid job states are PENDING, RUNNING, and SUSPENDED"],
    ],
  ])("%j", async (argv, problems) => {
    const peer = controller();
    const { code, out, err } = await scancel(argv, { controller: peer });
    expect({ code, out, calls: peer.calls }).toEqual({ code: 1, out: "", calls: [] });
    expect(err).toBe(problems.map((problem) => `scancel: error: ${problem}\n`).join(""));
  });
});

describe("a dead controller", () => {
  const dead = (): Promise<never> => Promise.reject(new NoController("can't reach the controller", "mgpu up", true));
  const contact = "Unable to contact slurm controller (connect failure)\n";
  test("under Slurm's name", async () => {
    expect(await scancel(["5", "6"], { controller: dead })).toEqual({
      code: 1,
      out: "",
      err: `scancel: error: Kill job error on job id 5: ${contact}`,
    });
    expect(await scancel(["--me"], { controller: dead })).toMatchObject({
      code: 1,
      err: `slurm_load_jobs error: ${contact}`,
    });
  });
  test("under mgpu's name", async () => {
    const { code, err } = await scancel(["5"], { program: "mgpu-scancel", controller: dead });
    expect([code, err]).toEqual([1, "mgpu-scancel: error: can't reach the controller\nmgpu-scancel: hint: mgpu up\n"]);
  });
});
