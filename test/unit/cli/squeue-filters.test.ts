/** The filters of squeue that few use, --iterate, and options that are taken or refused. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/squeue.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { clusterPeer, JOBS } from "../../golden/cluster.ts";
import { MORE_JOBS } from "../../golden/more-jobs.ts";
import { runOn } from "../../golden/run.ts";
import { connected, type FakeOptions, fakeContext } from "./fake-context.ts";

const squeue = (argv: readonly string[], options: FakeOptions = {}) =>
  runOn(command, argv, { controller: clusterPeer({ jobs: [...JOBS, ...MORE_JOBS] }), ...options });

async function ids(...argv: string[]): Promise<number[]> {
  const { code, out, err } = await squeue(["-h", "-o", "%A", ...argv]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out.split("\n").slice(0, -1).map(Number);
}

describe("filters", () => {
  test.each<[string[], number[]]>([
    [["-A", "physics"], [22]],
    [["--account=nobody,physics"], [22]],
    [["-q", "high"], [22]],
    [["-q", "low"], []],
    [["-R", "lab"], [22]],
    [["-L", "ansys,none"], [22]],
    [
      ["-w", "n2", "-t", "R"],
      [12, 19],
    ],
    [["--nodelist=n[1-2]", "-t", "S"], [20]],
    [["--notme"], [12, 15]],
    [["-a", "-P", "--local", "--federation", "--sibling", "--hide", "--array-unique", "-A", "physics"], [22]],
    [["-M", "lab", "-A", "physics"], [22]],
    [["-M", "all", "-A", "physics"], [22]],
  ])("%j", async (argv, expected) => {
    expect(await ids(...argv)).toEqual(expected);
  });
});

test.each<[string[], string]>([
  [["-w", "n1,n99"], "Invalid node name n99"],
  [["-w", "n[1-"], "Invalid node name n[1-"],
  [["-M", "moon"], "No cluster 'moon' known by database."],
  [["-i", "soon"], "--iterate=soon"],
  [["-i", "0"], "--iterate=0"],
  [["-sfoo"], "Invalid job_step id: foo"],
  [["-o", "%i", "-O", "name"], "-O (--Format) is incompatible with -o (--format)"],
  [["--only-job-state"], "--only-job-state is not there"],
  [["--json=v0.0.1"], "Unable to find plugin: data_parser/v0.0.1"],
])("%j is refused", async (argv, words) => {
  const { code, out, err } = await squeue(argv);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain(`mgpu-squeue: error: ${words}`);
});

test("under Slurm's name the rows of a named cluster stand under its name", async () => {
  const slurm = { program: "squeue" };
  expect((await squeue(["-M", "lab", "-A", "physics", "-o", "%A"], slurm)).out).toBe("CLUSTER: lab\nJOBID\n22\n");
  expect((await squeue(["-M", "lab", "-A", "physics", "-ho", "%A"], slurm)).out).toBe("22\n");
  expect(await squeue([], { ...slurm, environment: { SLURM_CLUSTERS: "moon" } })).toEqual({
    ...{ code: 1, out: "" },
    err:
      "squeue: error: No cluster 'moon' known by database.\n" +
      "squeue: error: 'moon' can't be reached now, or it is an invalid entry for SLURM_CLUSTERS.  " +
      "Use 'sacctmgr list clusters' to see available clusters.\n",
  });
});

test.each([
  [["-S", "bogus"], "squeue: error: Invalid sort specification: o\nsqueue: error: Invalid sort specification: s\n"],
  [["-s", "12"], "squeue: error: Invalid job_step id: 12.??\n"],
  [["--bogus"], "squeue: unrecognized option '--bogus'\nTry \"squeue --help\" for more information\n"],
  [
    ["-l", "-o", "%i"],
    `squeue: fatal: Options -o(--format) and -l(--long) are mutually exclusive. Please remove one and retry.\n`,
  ],
])("under Slurm's name %j is refused as Slurm does", async (argv, err) => {
  expect(await squeue(argv, { program: "squeue" })).toEqual({ code: 1, out: "", err });
});

test("under Slurm's name an unknown user is told of, and has no jobs", async () => {
  const { code, out, err } = await squeue(["-h", "-u", "nosuchuser"], { program: "squeue" });
  expect({ code, out, err }).toEqual({ code: 0, out: "", err: "squeue: error: Invalid user: nosuchuser\n\n" });
});

test("--iterate asks again after each pause, until nobody answers", async () => {
  let asked = 0;
  const controller = async () => {
    asked += 1;
    if (asked > 2) throw new Error("gone");
    return connected(clusterPeer());
  };
  const fake = fakeContext({ program: "mgpu-squeue", controller });
  const ended = runCommand(command, ["-i", "5", "-o", "%i", "-j", "14,14"], fake.context);
  await fake.clock.advance(1000);
  expect(fake.out()).toBe("Sat Nov 21 22:00:00 2026\nJOBID\n14\n\n");
  await fake.clock.advance(12_000);
  expect(await ended).toBe(1);
  expect(fake.out()).toBe("Sat Nov 21 22:00:00 2026\nJOBID\n14\n\nSat Nov 21 22:00:05 2026\nJOBID\n14\n\n");
});

test("-v tells first what was asked for", async () => {
  const { out } = await squeue(["-v", "-h", "-o", "%i", "-A", "physics"]);
  expect(out).toMatch(/^-{29}\n(.* = .*\n)+-{29}\n\n\n22\n$/);
  expect(out).toContain("account         = physics\n");
});
