/** mgpu sim, byte for byte, on a trace of a few jobs; and what it says of wrong input. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/mgpu-sim.ts";
import { kindOf } from "../../src/cli/gen/kinds.ts";
import { runCommand } from "../../src/cli/run.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { PLACEMENTS, POLICIES, TRACE_FORMATS } from "../../src/replay/main.ts";
import { fakeContext } from "../unit/cli/fake-context.ts";
import { clusterPeer } from "./cluster.ts";
import { expectGolden } from "./expect-golden.ts";
import { historyPeer } from "./history.ts";
import { type Outcome, runOn } from "./run.ts";

const ROWS = [
  ...["1,0,9000,3,10000,7", "2,60,3600,4,3600,8", "3,120,600,1,3600,7", "4,180,7200,1,7200,9", "5,240,60,2,600,8"],
  ...["6,300,30,1,600,9", "7,7260,1800,4,3600,7", "8,9000,5,1,900,8", "9,9300,40,2,900,9", "10,9301,3,1,60,8"],
];

const FILES = {
  "/work/log.csv": `job_id,submit_s,run_s,procs,req_s,user_id\n${ROWS.join("\n")}\n`,
  "/work/bad.csv": "job_id,submit_s,duration_s,num_gpu\n1,x,2,3\n",
  "/work/gpus.csv": "job_id,submit_s,duration_s,num_gpu,vc\n1,0,900,3,a\n2,1,300,2,b\n3,2,600,1,b\n4,3,60,8,b\n",
};

function sim(...argv: string[]): Promise<Outcome> {
  const environment = { HOME: "/home/ada", PATH: "/bin", LANG: "C.UTF-8" };
  return runOn(command, argv, { files: FILES, environment, program: "mgpu sim" });
}

test.each([
  ["table", ["-c", "1x0x4", "-p", "fifo,easy,easy-sjbf,easy-predict,conservative,slowdown", "log.csv"]],
  ["what-if", ["-c", "1x4", "-p", "easy,srsf", "--what-if", "+1 node of 4", "--ascii", "gpus.csv"]],
  ["json", ["-c", "2x4", "-p", "srtf,likely", "--json", "gpus.csv"]],
  ["policies", ["--policy=help"]],
])("%s", async (name, argv) => {
  const { code, out, err } = await sim(...argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`sim-${name}.txt`, out);
});

test("files: a line a job, and a picture", async () => {
  const written = new Map<string, string>();
  const fileQuestions = {
    writeProblem: () => "",
    isFolder: () => true,
    write: (path: string, data: Uint8Array) => void written.set(path, new TextDecoder().decode(data)),
  };
  const argv = [
    "-c",
    "2x4",
    "-p",
    "easy,tiresias-l",
    "--csv",
    "jobs.csv",
    "--svg",
    "waits.svg",
    "--no-chart",
    "gpus.csv",
  ];
  const { code } = await runOn(command, argv, { files: FILES, fileQuestions });
  expect(code).toBe(0);
  expectGolden("sim-jobs.csv", written.get("jobs.csv") ?? "");
  expectGolden("sim-waits.svg", written.get("waits.svg") ?? "");
});

test("without a trace the past of this cluster is replayed on its nodes", async () => {
  const history = historyPeer();
  const controller = clusterPeer({
    script: {
      "jobs.history": (params, send) => history.stream("jobs.history", params, ({ records }) => send({ records })),
    },
  });
  const { code, out, err } = await runOn(command, ["--json", "-p", "easy"], { controller });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden("sim-past.txt", out);
});

test("all that is wrong is told at once", async () => {
  const { code, out, err } = await sim(
    ...[
      "-c",
      "8xx",
      "-p",
      "easy,foo",
      "--what-if",
      "more",
      "-n",
      "0",
      "--format",
      "x",
      "--csv",
      "/nowhere/x.csv",
      "--placement",
      "y",
      "none.csv",
      "bad.csv",
    ],
  );
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expectGolden("sim-wrong.txt", err);
  expect((await sim("-c", "1x4", "bad.csv")).err).toContain("bad.csv, line 2: submit_s: expected a number");
  expect((await sim("-c", "1x1", "-p", "easy", "--what-if", "-1 node", "gpus.csv")).err).toContain(
    "one node at least must stay",
  );
});

test("an interrupt ends it with nothing printed but that", async () => {
  const fake = fakeContext({
    files: FILES,
    program: "mgpu sim",
    terminal: { columns: 80, rows: 24 },
    controller: clusterPeer(),
  });
  let ms = 0;
  const clock: Clock = {
    ...fake.context.clock,
    monotonic: () => (ms += 1000),
    after: (_ms, callback) => {
      fake.signal("SIGINT");
      callback();
      return () => {};
    },
  };
  const many = Array.from({ length: 500 }, (_, at) => `${at},${at},1,1,v`).join("\n");
  const files = fakeContext({ files: { "/work/many.csv": `job_id,submit_s,duration_s,num_gpu,vc\n${many}\n` } }).context
    .files;
  const code = await runCommand(command, ["-c", "1x4", "-p", "fifo", "many.csv"], { ...fake.context, clock, files });
  expect(code).toBe(130);
  expect(fake.out()).toBe("");
  expect(fake.err()).toContain("[#..");
  expect(fake.err()).toMatch(/\r\x1b\[Kmgpu sim: interrupted; nothing was written\n$/);
});

test("completion knows all policies and formats", () => {
  const option = (long: string) => ({ long, argument: "required", help: "" }) as const;
  expect(kindOf(option("policy"), "mgpu sim")).toEqual({
    words: [...POLICIES.map(({ name }) => name), "help"].join(" "),
  });
  expect(kindOf(option("placement"), "mgpu sim")).toEqual({ words: PLACEMENTS.join(" ") });
  expect(kindOf(option("format"), "mgpu sim")).toEqual({ words: TRACE_FORMATS.join(" ") });
});
