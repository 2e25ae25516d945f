/** sacct's tables and JSON, byte for byte, from jobs in every state with steps, arrays and earlier starts. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/sacct.ts";
import { RpcError } from "../../src/protocol/errors.ts";
import { SACCT_FIELDS } from "../../src/view/accounting/fields.ts";
import { expectGolden } from "./expect-golden.ts";
import { historyPeer } from "./history.ts";
import { type Outcome, runOn } from "./run.ts";

function sacct(argv: readonly string[], options: Parameters<typeof runOn>[2] = {}): Promise<Outcome> {
  return runOn(command, argv, { controller: historyPeer(), ...options });
}

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["default", ["-S", "1970-01-01"]],
  ["brief", ["-b", "-S", "1970-01-01-00:00:01"]],
  ["allocations", ["-X", "-S", "1970-01-01"]],
  ["long", ["-l", "-j", "20,21"]],
  ["all-fields", ["-P", "-o", "ALL", "-j", "20,21,24,14"]],
  ["widths", ["-S0101", "-o", "jobid%-20,state%5,state%30,JobName%4,nodelist", "-X"]],
  ["duplicates", ["-D", "-j24", "-o", "jobid,state,start,end,elapsed,exitcode,restarts"]],
  ["steps", ["-j", "20.batch,21,22_3,25+1", "-j", "20.0", "-P"]],
  ["delimiter", ["--parsable", "-n", "--delimiter=^|^", "--format=jobid,state", "-X", "-S", "0101"]],
  ["usage", ["-j", "20", "-o", "jobid,totalcpu,usercpu,systemcpu,avecpu,mincpu,maxrss,averss,maxdiskread,maxpages"]],
  ["units", ["-j", "20", "--units=M", "-P", "-o", "jobid,maxrss,avevmsize,maxdiskwrite,reqmem,alloctres,reqtres"]],
  ["noconvert", ["-j", "20", "--noconvert", "-P", "-o", "jobid,maxrss,maxdiskread,reqmem,tresusageintot"]],
  ["truncate", ["-T", "-S", "2026-11-21T21:00:30", "-E", "2026-11-21T21:01:00", "-X", "-o", "jobid,start,end,elapsed"]],
  ["associations", ["-S", "0101", "-x", "9", "-P", "-o", "jobid,associd,account,user,qos,qosraw"]],
  ["array", ["--array", "-j", "22", "-n"]],
  ["states", ["-s", "F,ca", "-S", "0101", "-E", "now", "-X"]],
  ["running-then", ["-s", "R", "-S", "2026-11-21T21:00:00", "-E", "2026-11-21T21:00:30", "-Xn"]],
  ["names", ["--name", "sweep,left", "-S", "0101", "-Xn", "-u", "ada"]],
  ["clients", ["-P", "-n", "-o", "JobIDRaw,State%20,End,ExitCode,NodeList,Timelimit,ReqMem", "-j", "12,13,22"]],
];

test.each(CASES)("sacct %s", async (name, argv) => {
  const { code, out, err } = await sacct(argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`sacct-${name}.txt`, out);
});

test("sacct --batch-script and --env-vars print what was submitted, and NONE where it is gone", async () => {
  const inputs = {
    "job.script": () => ({ script: new TextEncoder().encode("#!/bin/sh\ntrue\n") }),
    "job.environment": ({ jobId }: { jobId: number }) => {
      if (jobId !== 20) throw new RpcError("INVALID_JOB", "Invalid job id specified");
      return { environment: { HOME: "/home/ada", A: "1" } };
    },
  };
  const rule = "-".repeat(80);
  const script = await sacct(["-B", "-j", "20"], { controller: historyPeer(3, undefined, inputs) });
  expect(script.out).toBe(`Batch Script for 20\n${rule}\n#!/bin/sh\ntrue\n\n`);
  const variables = await sacct(["--env-vars", "-j", "20,21"], { controller: historyPeer(3, undefined, inputs) });
  const head = (id: number): string => `Environment used for ${id} (must be batch to display)\n${rule}\n`;
  expect(variables.out).toBe(`${head(20)}HOME=/home/ada\nA=1\n\n${head(21)}NONE\n\n`);
});

test("sacct --json and --yaml", async () => {
  const { code, out } = await sacct(["--json", "-j", "20,21,22"]);
  expect(code).toBe(0);
  expectGolden("sacct-json.txt", `${JSON.stringify(JSON.parse(out), null, 2)}\n`);
  const { out: yaml } = await sacct(["--yaml", "-j", "20,21,22"]);
  expectGolden("sacct-yaml.txt", yaml);
});

test("sacct --helpformat names every field, which all can be asked for", async () => {
  const { out } = await sacct(["--helpformat"]);
  expectGolden("sacct-helpformat.txt", out);
  const names = out.split(/\s+/).filter((word) => word !== "");
  expect(names).toEqual(SACCT_FIELDS.map(({ name }) => name));
  const { code, out: table } = await sacct(["-P", "-j", "20", `--format=${names.join(",")}`]);
  expect(code).toBe(0);
  const lines = table.trimEnd().split("\n");
  expect(lines.map((line) => line.split("|").length)).toEqual(lines.map(() => names.length));
  expect(lines[0]).toBe(names.join("|"));
});

test("without --jobs the window begins at midnight, and a held or future job is not shown", async () => {
  const { out } = await sacct(["-X", "-n", "-P", "-o", "jobid"]);
  expect(out).not.toContain("\n27\n");
  expect(out.split("\n")).toContain("22_[4-9%2]");
});

test("an unknown job is a header and no row", async () => {
  expect(await sacct(["-j", "999"])).toMatchObject({ code: 0, err: "" });
  expect((await sacct(["-n", "-j", "999"])).out).toBe("");
});

test("verbose says the window", async () => {
  const { err } = await sacct(["-v", "-n", "-j", "20"]);
  expect(err).toBe("mgpu-sacct: Jobs Eligible in the time window from Epoch 0 to Sat Nov 21 22:00:00 2026\n");
});

const WRONG: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ["-o", "jobid,nosuch,other"],
    ['Invalid field requested: "nosuch"', 'Invalid field requested: "other"'],
  ],
  [["-s", "CD,X"], ["unrecognized job state value 'X'"]],
  [["-S", "nosuch"], ["Invalid time specification (pos=0): nosuch"]],
  [["-S", "tomorrow"], ["Start time (2026-11-22T00:00:00) requested is after end time (2026-11-21T22:00:00)."]],
  [["-u", "nosuchuser"], ["Invalid user id: nosuchuser"]],
  [["-g", "no-group"], ["Invalid group id: no-group"]],
  [
    ["-j", "abc,1.foo"],
    ["Bad job/step specified: abc", "Bad job/step specified: 1.foo"],
  ],
  [["--units=Q"], ["Invalid unit type 'Q'. Possible options are 'KMGTP'"]],
  [["-i", "foo"], ['Invalid numeric value "foo" for requested node range.']],
  [["-k", "foo"], ["Invalid time limit specification"]],
  [["-F", "foo"], ["Invalid job flag foo"]],
  [["-B"], ["When requesting job scripts you must also request specific jobs with the '-j' option."]],
  [
    ["foo", "bar"],
    ["Unknown arguments:", " foo", " bar"],
  ],
];

test.each(WRONG)("sacct %j is refused in Slurm's words", async (argv, problems) => {
  const { code, out, err } = await sacct(argv);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  const told = err
    .trimEnd()
    .split("\n")
    .filter((line) => !line.includes("hint:"));
  expect(told.map((line) => line.replace("mgpu-sacct: error: ", ""))).toEqual(problems);
});

test("what a shell would have cut off is not taken for options", async () => {
  const { code, err } = await sacct(["-nu", "ada", "-o", "Account%256", "|", "tail", "-1"]);
  expect(code).toBe(1);
  expect(err).toContain("invalid option -- '1'");
});

test("the files of Slurm's completion plugins are refused with what to do", async () => {
  for (const argv of [["-c"], ["-f", "/tmp/x"]]) {
    const { code, err } = await sacct(argv);
    expect(code).toBe(1);
    expect(err).toContain("Slurm job completion is disabled");
  }
});
