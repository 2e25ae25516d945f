/** What scancel asks for, and which of the answers it tells of. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/scancel.ts";
import { NoController } from "../../../src/cli/connect.ts";
import { runCommand } from "../../../src/cli/run.ts";
import type { Params, Result } from "../../../src/protocol/procedures.ts";
import { type Outcome, runOn } from "../../golden/run.ts";
import { type FakeOptions, type FakePeer, fakeContext, fakePeer } from "./fake-context.ts";

type Answer = Result<"jobs.cancel">["jobs"][number]["error"];

const UNKNOWN: Answer = { code: "INVALID_JOB", message: "Invalid job id specified" };
const OVER: Answer = { code: "JOB_FINISHED", message: "Job/step already completing or completed" };
const FOREIGN: Answer = { code: "PERMISSION", message: "Access/permission denied" };
const WAITS: Answer = { code: "NOT_RUNNING", message: "Job is pending execution" };

/** 12 and 13 run, 14 waits, 20 is over, 30 is somebody else's; filters select 12 and 14. */
function controller(): FakePeer {
  return fakePeer({
    "jobs.cancel": ({ filter, signal }) => ({
      jobs: (filter.ids.length > 0 ? filter.ids : filter.users.includes("nobody") ? [] : [12, 14]).map((jobId) => ({
        jobId,
        error: answerFor(jobId, signal),
      })),
    }),
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
  return peer.calls.map(({ params }) => params as Params<"jobs.cancel">);
}

const all = { ids: [], users: [], states: [], names: [], partitions: [] };

describe("what is asked for", () => {
  test("jobs go together, steps each by itself", async () => {
    expect(await calls(["12", "13.0", "20,14"])).toEqual([
      { filter: { ...all, ids: [12, 20, 14] }, stepId: null, signal: null, cause: "" },
      { filter: { ...all, ids: [13] }, stepId: 0, signal: 9, cause: "" },
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
    [["-s", "KILL", "12"], null],
    [["-s9", "12"], null],
  ])("%j is signal %s", async (argv, signal) => {
    expect(await calls(argv)).toMatchObject([{ signal, stepId: null }]);
  });
  test("a step gets its KILL as a signal", async () => {
    expect(await calls(["-s", "KILL", "12.3"])).toMatchObject([{ signal: 9, stepId: 3 }]);
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
    [["12_3"], 0, ""],
    [["99999999999999999999"], 0, ""],
    [["-s", "USR1", "999"], 1, killError("id 999", "Invalid job id specified")],
    [["-s", "KILL", "999"], 1, killError("id 999", "Invalid job id specified")],
    [["-s", "TERM", "12_3"], 1, killError("id 12_3", "Invalid job id specified")],
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
