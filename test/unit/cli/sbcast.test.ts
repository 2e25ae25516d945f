/** sbcast: the step that writes the copies, and what it is fed. The script itself is run for real. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/sbcast.ts";
import { runCommand } from "../../../src/cli/run.ts";
import type { Job } from "../../../src/core/job.ts";
import type { Params } from "../../../src/protocol/procedures.ts";
import { type FakeOptions, fakeContext, settle } from "./fake-context.ts";
import { fakeJob, jobRow, point, RUNNING } from "./fake-job.ts";

const folder = mkdtempSync(join(tmpdir(), "mgpu-sbcast-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function sbcast(argv: string[], options: FakeOptions = {}, exits = [0, 0]) {
  const requests: Params<"step.create">[] = [];
  const job = fakeJob({
    "jobs.get": async ({ filter }, send) => {
      const [id = 0] = filter.ids;
      const step = { id: 2, parts: [{ node: "n2" }] };
      const record = { id, state: "RUNNING", allocation: [{ node: "n1" }, { node: "n2" }], steps: [step] };
      await send({ jobs: [{ job: record as unknown as Job, row: jobRow() }] });
      return { now: 0 };
    },
    "step.create": (params) => {
      requests.push(params);
      job.update(RUNNING, { step: {}, attach: [point("n1", 0, 2, 3)] });
      job.emit({ type: "started", tasks: [0, 1] });
      return { stepId: 3, attempt: 1, tasks: 2 };
    },
  });
  const fake = fakeContext({
    ...{ program: "sbcast", environment: { SLURM_JOB_ID: "7", PATH: "/bin" }, files: { "/work/data": "content" } },
    controller: () => job.connectController(),
    connectHolder: () => job.connectHolder(),
    ...options,
  });
  let code: number | undefined;
  void runCommand(command, argv, fake.context).then((value) => {
    code = value;
  });
  await settle();
  job.end(exits);
  await settle();
  return { code, fake, job, requests };
}

describe("the step", () => {
  test("has a task on each node, beside all others, and gets the file", async () => {
    const { code, job, requests } = await sbcast(["data", "/tmp/copy"]);
    expect(code).toBe(0);
    expect(requests).toMatchObject([
      {
        jobId: 7,
        step: { name: "sbcast", io: { stdin: "all" }, request: { tasks: 2, tasksPerNode: 1, overlap: true } },
      },
    ]);
    expect(requests[0]?.step.argv.slice(3)).toEqual(["sbcast", "/tmp/copy", "640", "", "", ""]);
    expect(job.inputs).toEqual([
      { task: null, offset: 0, text: "content", eof: false },
      { task: null, offset: 7, text: "", eof: true },
    ]);
  });
  test("-f and -p, another job, a folder", async () => {
    const { requests } = await sbcast(["-fp", "-j", "8", "data", "copies/"]);
    expect(requests[0]?.jobId).toBe(8);
    expect(requests[0]?.step.argv.slice(4)).toEqual(["/work/copies/data", "640", "0.000", "1.000", "1"]);
  });
  test("on the nodes of one step", async () => {
    const { requests } = await sbcast(["-j", "7.2", "data", "/tmp/copy"]);
    const nodes = { min: 1, max: 1 };
    expect(requests[0]?.step.request).toMatchObject({ tasks: 1, nodes, nodeList: ["n2"] });
    expect((await sbcast(["-j", "7.5", "data", "x"])).fake.err()).toBe("sbcast: error: Job step 7.5 not found\n");
  });
  test("a failure is one", async () => {
    expect((await sbcast(["data", "/tmp/copy"], {}, [0, 1])).code).toBe(1);
  });
});

describe("what can't be", () => {
  test.each([
    [["data"], "Need two file names, have 1 names"],
    [["nope", "/tmp/x"], "Can't open `nope`: No such file or directory"],
    [["-j", "x", "data", "/tmp/x"], "Invalid job id: x"],
    [["--send-libs", "data", "/tmp/x"], "--send-libs: libraries are not copied along"],
    [["-s", "x", "data", "/tmp/x"], '--size: expected a size such as 512k, got "x"'],
  ])("%j", async (argv, text) => {
    const { code, fake } = await sbcast(argv);
    expect(code).toBe(1);
    expect(fake.err()).toContain(`sbcast: error: ${text}`);
  });
  test("outside of a job", async () => {
    const { code, fake } = await sbcast(["data", "/tmp/x"], { environment: {} });
    expect(code).toBe(1);
    expect(fake.err()).toContain("sbcast: error: Need a job id to run this command.");
  });
});

describe("the script", () => {
  /** Runs what a node runs. */
  async function copy(argv: string[], target: string, input = "content") {
    const { requests } = await sbcast([...argv, "data", target]);
    const [file = "", ...args] = requests[0]?.step.argv ?? [];
    return spawnSync(file, args, { input, encoding: "utf8", env: { ...process.env, SLURMD_NODENAME: "n1" } });
  }

  test("writes the copy with the file's mode and times", async () => {
    const target = join(folder, "a b");
    expect(await copy(["-p"], target)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(target, "utf8")).toBe("content");
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(statSync(target).mtimeMs).toBe(1000);
  });
  test("does not replace a file unless told", async () => {
    const target = join(folder, "there");
    writeFileSync(target, "old");
    const refused = await copy([], target);
    expect(refused).toMatchObject({
      status: 1,
      stderr: `sbcast: error: REQUEST_FILE_BCAST(n1): ${target}: File exists\n`,
    });
    expect(readFileSync(target, "utf8")).toBe("old");
    expect((await copy(["-f"], target)).status).toBe(0);
    expect(readFileSync(target, "utf8")).toBe("content");
  });
  test("leaves nothing behind where it can't write", async () => {
    const refused = await copy([], join(folder, "no", "such", "folder"));
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("can't be written");
    expect(readdirSync(folder).filter((name) => name.includes("sbcast"))).toEqual([]);
    execFileSync("true");
  });
});
