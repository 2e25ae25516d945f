/** What squeue asks for, what it refuses, and how it ends. Its tables are in test/golden. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/squeue.ts";
import { NoController } from "../../../src/cli/connect.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { clusterPeer, JOBS } from "../../golden/cluster.ts";
import { type Outcome, runOn } from "../../golden/run.ts";
import { type FakeOptions, fakeContext } from "./fake-context.ts";

const squeue = (argv: readonly string[], options: FakeOptions = {}): Promise<Outcome> => runOn(command, argv, options);

/** Ids printed for a command line. */
async function ids(argv: readonly string[], options: FakeOptions = {}): Promise<number[]> {
  const { code, out, err } = await squeue(["-h", "-o", "%i", ...argv], options);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out === "" ? [] : out.trimEnd().split("\n").map(Number);
}

const LIVE = [11, 12, 13, 14, 15];

describe("which jobs", () => {
  test.each([
    [[], LIVE],
    [["-a"], LIVE],
    [["-r"], LIVE],
    [
      ["-t", "PD"],
      [14, 15],
    ],
    [
      ["--state", "pending,r"],
      [12, 13, 14, 15],
    ],
    [["-t", "CG"], [11]],
    [
      ["-t", "CD,F"],
      [1, 2, 3],
    ],
    [["-t", "CA"], [5]],
    [
      ["-t", "PD,CF,RF,RH,RQ,SE"],
      [14, 15],
    ],
    [["-t", "all"], JOBS.map(({ id }) => id)],
    [["-t", ""], []],
    [
      ["-u", "ada"],
      [11, 13, 14],
    ],
    [["-uada,bob-the-builder"], LIVE],
    [
      ["-u", "1001"],
      [12, 15],
    ],
    [["--users=nobody"], []],
    [["-u", ""], []],
    [["--me"], [11, 13, 14]],
    [
      ["-n", "big,bash"],
      [13, 14],
    ],
    [
      ["-n", "BIG,Bash"],
      [13, 14],
    ],
    [["-p", "main"], LIVE],
    [["-p", "other"], []],
    [
      ["-j", "12,14"],
      [12, 14],
    ],
    [["-j14"], [14]],
    [["--jobs=14,12", "-t", "PD"], [14]],
    [
      ["-j", "14", "-j", "15"],
      [14, 15],
    ],
    [["-j", "12.0"], [12]],
    [["-j", "1,14"], [14]],
    [["-j", "999,14"], [14]],
    [["-j", "998,999"], []],
    [["-j", "12_3,14_[0-3,5]"], []],
    [["-j"], LIVE],
    [["-j", ""], []],
    [["-j", "14", "-u", "nobody"], []],
  ])("%j", async (argv, expected) => {
    expect(await ids(argv)).toEqual(expected);
  });

  test("options may follow, be clustered, and be shortened", async () => {
    const { out } = await squeue(["-hj", "12", "-o%T|%u", "--use=bob-the-builder"]);
    expect(out).toBe("RUNNING|bob-the-builder\n");
  });

  test("the controller is asked for the fields that are printed, and filters itself", async () => {
    const controller = clusterPeer();
    await squeue(["-h", "-o", "%i %b", "-u", "ada", "-S", "-V"], { controller });
    expect(controller.calls).toEqual([
      {
        method: "jobs.list",
        params: {
          filter: {
            ids: [],
            users: ["ada"],
            states: ["PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING"],
            names: [],
            partitions: [],
          },
          fields: [
            ...["state", "id", "arrayJobId", "arrayTasks", "hetJobId", "hetOffset"],
            ...["gpus", "gpuType", "nodes", "submitAt"],
          ],
        },
      },
    ]);
  });
});

describe("a job that is not there", () => {
  const gone = { code: 1, out: "", err: "slurm_load_jobs error: Invalid job id specified\n" };
  test.each([["squeue"], ["mgpu-squeue"]])("%s says so if it was asked for alone", async (program) => {
    expect(await squeue(["-j", "999"], { program })).toEqual(gone);
    expect(await squeue(["-h", "--jobs=99999999999999999999"], { program })).toEqual(gone);
    expect(await squeue(["--json", "-j", "999"], { program })).toEqual(gone);
    expect(await squeue(["-j", "999_4"], { program })).toEqual(gone);
  });
  test("one that is over is there, if not to be shown", async () => {
    const { code, out, err } = await squeue(["-j", "1"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^ +JOBID PARTITION .*\n$/);
    expect(await ids(["-j", "12_4"])).toEqual([]);
    expect(await ids(["-j", "1", "-t", "all"])).toEqual([1]);
  });
});

describe("variables", () => {
  const inEnvironment = (environment: Record<string, string>): FakeOptions => ({
    environment: { HOME: "/home/ada", ...environment },
  });
  test("stand in for options that are not given", async () => {
    expect(await ids([], inEnvironment({ SQUEUE_STATES: "PD" }))).toEqual([14, 15]);
    expect(await ids(["-t", "R"], inEnvironment({ SQUEUE_STATES: "PD" }))).toEqual([12, 13]);
    expect(await ids([], inEnvironment({ SQUEUE_USERS: "1001", SQUEUE_SORT: "-i" }))).toEqual([15, 12]);
    expect(await ids([], inEnvironment({ SQUEUE_NAMES: "big", SQUEUE_PARTITION: "main", SQUEUE_ALL: "1" }))).toEqual([
      14,
    ]);
    expect((await squeue(["-h", "-j14"], inEnvironment({ SQUEUE_FORMAT: "<%i>" }))).out).toBe("<14>\n");
  });
  test("a format gives way to -l", async () => {
    const { out } = await squeue(["-lh", "-j14"], inEnvironment({ SQUEUE_FORMAT: "<%i>" }));
    expect(out).toContain("PENDING");
  });
});

describe("bad input", () => {
  test.each([
    [["-j", "foo"], ["Invalid job id: foo"]],
    [
      ["-j", "12,foo,0,-3"],
      ["Invalid job id: foo", "Invalid job id: 0", "Invalid job id: -3"],
    ],
    [
      ["foo", "bar"],
      ["Unrecognized option: foo", "Unrecognized option: bar"],
    ],
    [["-j", "12", "13"], ["Unrecognized option: 13"]],
    [["-u", "nosuchuser"], ["Invalid user: nosuchuser"]],
    [["-u", "ada,nosuchuser,4711"], ["Invalid user: nosuchuser"]],
    [["-S", "?"], ["Invalid sort specification: ?"]],
    [
      ["-S", "99999,1"],
      ["Invalid sort specification: 9", "Invalid sort specification: 1"],
    ],
    [["-l", "-o", "%i"], ["Options -o(--format) and -l(--long) are mutually exclusive. Please remove one and retry."]],
  ])("%j", async (argv, problems) => {
    const err = problems.map((problem) => `mgpu-squeue: error: ${problem}\n`).join("");
    expect(await squeue(argv)).toEqual({ code: 1, out: "", err });
  });

  test("unknown states, with those that are known", async () => {
    const { code, out, err } = await squeue(["-t", "PD,xyz", "-j", "foo"], { program: "squeue" });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err.split("\n")).toEqual([
      "squeue: error: Invalid job id: foo",
      "squeue: error: Invalid job state specified: xyz",
      expect.stringMatching(/^squeue: error: Valid job states include: PENDING,RUNNING,/),
      // Slurm's message ends with a line feed of its own.
      ...["", ""],
    ]);
  });

  test("nothing is asked of the controller then", async () => {
    const controller = clusterPeer();
    await squeue(["-t", "xyz"], { controller });
    expect(controller.calls).toEqual([]);
  });

  test("an unknown letter is printed as it stands, as Slurm does", async () => {
    expect(await squeue(["-j14", "-o", "%i %-5i"])).toEqual({
      code: 0,
      out: "JOBID %-5i\n14 %-5i\n",
      err: "mgpu-squeue: error: Invalid job format specification: -\n",
    });
  });
});

describe("trouble", () => {
  const dead = (): Promise<never> => Promise.reject(new NoController("can't reach the controller", "mgpu up", true));
  test("a dead controller, under Slurm's name", async () => {
    expect(await squeue([], { program: "squeue", controller: dead })).toEqual({
      code: 1,
      out: "",
      err: "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n",
    });
  });
  test("a dead controller, under mgpu's name", async () => {
    const { code, err } = await squeue([], { controller: dead });
    expect(code).toBe(1);
    expect(err).toBe("mgpu-squeue: error: can't reach the controller\nmgpu-squeue: hint: mgpu up\n");
  });
  test("a controller of another version is told of under both names", async () => {
    const controller = (): Promise<never> => Promise.reject(new RpcError("VERSION", "upgrade the client side"));
    for (const program of ["squeue", "mgpu-squeue"]) {
      const { code, err } = await squeue([], { program, controller });
      const hint = `${program}: hint: mgpu doctor looks closer\n`;
      expect([code, err]).toEqual([1, `${program}: error: upgrade the client side\n${hint}`]);
    }
  });
});

test.each([
  [
    ["-ho", "%i"],
    ["13\n", "14\n", "15\n"],
  ],
  [
    ["-o", "%i"],
    ["JOBID\n13\n", "14\n", "15\n"],
  ],
  [["-ho", "%i", "-S", "-i"], ["15\n14\n13\n"]],
  [["-ho", "%i", "-t", "CD"], []],
])("%j prints %j: rows as they come, unless they must be sorted", async (argv, writes) => {
  const printed: string[] = [];
  const { context } = fakeContext({
    program: "mgpu-squeue",
    controller: clusterPeer({ jobs: JOBS.slice(-3), chunk: 1 }),
  });
  const stdio = { ...context.stdio, out: (text: string | Uint8Array) => void printed.push(String(text)) };
  expect(await runCommand(command, argv, { ...context, stdio })).toBe(0);
  expect(printed).toEqual(writes);
});

test("an empty list is a whole JSON document", async () => {
  const { code, out } = await squeue(["--json", "-u", "nobody"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ jobs: [], errors: [], warnings: [], meta: { slurm: { cluster: "lab" } } });
});
