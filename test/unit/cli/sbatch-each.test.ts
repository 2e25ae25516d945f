/** sbatch --each: many scripts, each a job of its own. */

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/sbatch.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Params } from "../../../src/protocol/procedures.ts";
import { type FakeOptions, fakeContext, fakePeer } from "./fake-context.ts";

type Submission = Params<"job.submit">;

const FILES = {
  "/work/a.sh": "#!/bin/sh\n#SBATCH --gpus=2 -J first\n",
  "/work/b.sh": "#!/bin/sh\n",
  "/work/sub/c.sh": "#!/bin/sh\n#SBATCH --array=1-3 --comment=c\n",
  "/work/none.txt": "no script\n",
  "/work/wrong.sh": "#!/bin/sh\n#SBATCH --time=x --frob\n",
};

/** @param refuse what a script's submission is answered with, by its job's name; a number is a job's */
async function each(argv: string[], options: FakeOptions = {}, refuse: Record<string, RpcError> = {}) {
  const submissions: Submission[] = [];
  const ids = new Map<string, number>();
  const controller = () =>
    fakePeer({
      "job.submit": (params) => {
        submissions.push(params);
        const error = refuse[params.job.name];
        if (error && error.code !== "LOST_CONTACT") throw error;
        const jobId = ids.get(params.requestId) ?? 41 + ids.size;
        ids.set(params.requestId, jobId);
        if (error && submissions.filter(({ requestId }) => requestId === params.requestId).length === 1) throw error;
        return { jobId };
      },
    });
  const fake = fakeContext({
    ...{ program: "mgpu-sbatch", controller: [controller(), controller()], files: FILES },
    ...options,
  });
  const running = runCommand(command, ["--each", ...argv], fake.context);
  let isOver = false;
  void running.finally(() => {
    isOver = true;
  });
  // What it needs is loaded when it is needed, which takes a time; then it may wait before it sends something again.
  while (!isOver) {
    await sleep(5);
    await fake.clock.advance(100);
  }
  return { code: await running, out: fake.out(), err: fake.err(), submissions };
}

describe("scripts", () => {
  test("become a job each, with their own directives and those that were typed", async () => {
    const { code, out, err, submissions } = await each(["--time=5", "a.sh", "b.sh", "sub/c.sh"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toBe("Submitted batch job 41\nSubmitted batch job 42\nSubmitted batch job 43\n");
    expect(
      submissions.map(({ job }) => [job.name, job.argv, job.timeLimitS, job.request.gpus?.wishes.length, job.comment]),
    ).toEqual([
      ["first", ["/work/a.sh"], 300, 1, ""],
      ["b.sh", ["/work/b.sh"], 300, undefined, ""],
      ["c.sh", ["/work/sub/c.sh"], 300, undefined, "c"],
    ]);
    expect(submissions.map(({ script }) => new TextDecoder().decode(script ?? undefined))).toEqual([
      FILES["/work/a.sh"],
      FILES["/work/b.sh"],
      FILES["/work/sub/c.sh"],
    ]);
    expect(submissions.map(({ job }) => job.submitLine)).toEqual(
      ["a.sh", "b.sh", "sub/c.sh"].map((path) => `mgpu-sbatch --each --time=5 ${path}`),
    );
    expect(new Set(submissions.map(({ requestId }) => requestId)).size).toBe(3);
  });
  test("--parsable prints the numbers, --quiet nothing", async () => {
    expect((await each(["--parsable", "a.sh", "b.sh"])).out).toBe("41\n42\n");
    expect((await each(["-Q", "a.sh", "b.sh"])).out).toBe("");
  });
  test("of a list on standard input", async () => {
    const { code, submissions } = await each(["-"], { stdin: "a.sh\n\nsub/c.sh\r\n" });
    expect([code, submissions.map(({ job }) => job.name)]).toEqual([0, ["first", "c.sh"]]);
  });
  test("a thousand are more than go at once", async () => {
    const { out, submissions } = await each(["--parsable", "-"], { stdin: "b.sh\n".repeat(1000) });
    expect(submissions).toHaveLength(1000);
    expect(out.trim().split("\n")).toEqual(Array.from({ length: 1000 }, (_, at) => String(41 + at)));
  });
  test("large scripts go few at a time: a connection that holds too much is given up", async () => {
    let [open, most] = [0, 0];
    const peer = fakePeer({
      "job.submit": async () => {
        most = Math.max(most, ++open);
        await sleep(1);
        return { jobId: 41 + open-- };
      },
    });
    const large = { ...FILES, "/work/large.sh": `#!/bin/sh\n${"#".repeat(1 << 20)}\n` };
    const { code } = await each(["-"], { controller: [peer], files: large, stdin: "large.sh\n".repeat(60) });
    expect(code).toBe(0);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(16);
  });
  test("those whose answer was lost are sent again under the same name", async () => {
    const lost = new RpcError("LOST_CONTACT", "gone");
    const { code, out, submissions } = await each(["a.sh", "b.sh"], {}, { "b.sh": lost });
    expect([code, out]).toEqual([0, "Submitted batch job 41\nSubmitted batch job 42\n"]);
    const sent = submissions.filter(({ job }) => job.name === "b.sh").map(({ requestId }) => requestId);
    expect([sent.length, new Set(sent).size]).toEqual([2, 1]);
  });
});

describe("what is wrong", () => {
  test("with any script is told for all, and none is submitted", async () => {
    const { code, out, err, submissions } = await each(["a.sh", "gone.sh", "none.txt", "wrong.sh"]);
    expect([code, out, submissions]).toEqual([1, "", []]);
    expect(err).toContain("mgpu-sbatch: error: gone.sh: Unable to open file gone.sh\n");
    expect(err).not.toContain("gone.sh: gone.sh");
    expect(err).toContain("mgpu-sbatch: error: none.txt: This does not look like a batch script.");
    expect(err).toContain("mgpu-sbatch: error: wrong.sh: ");
    expect(err).toContain("--frob");
    expect(err).toContain("hint: none of the 4 scripts was submitted\n");
    expect(err).not.toContain("a.sh:");
  });
  test("with the command line is told once", async () => {
    const { err } = await each(["--mem=x", "a.sh", "b.sh"]);
    expect(err.match(/--mem: expected memory/g)).toHaveLength(1);
    expect(err).not.toContain("a.sh");
  });
  test.each([
    [["--wrap=true", "a.sh"], "--each takes scripts, and --wrap has none: give one of them"],
    [["--test-only", "a.sh"], "--test-only looks at one script: leave --each out"],
    [[":", "-n2", "a.sh"], "--each takes no components: write them into a script (#SBATCH hetjob)"],
    [["a.sh", "-"], "- reads a list of scripts, and stands alone"],
    [[], "--each: no script was named"],
    [["--progress", "a.sh"], "--progress shows what --wait waits for: give both"],
  ])("%j", async (argv, problem) => {
    const { code, err, submissions } = await each(argv);
    expect([code, submissions]).toEqual([1, []]);
    expect(err.split("\n")[0]).toBe(`mgpu-sbatch: error: ${problem}`);
  });
  test("an empty list is none", async () => {
    expect((await each(["-"], { stdin: "\n" })).err).toContain("--each: no script was named");
  });
  test("what the cluster refuses is told with its script, the others are queued, and the exit code is 1", async () => {
    const refusal = new RpcError("INVALID_QOS", "Invalid qos specification", "there is none");
    const full = new RpcError("QUEUE_FULL", "the queue is full");
    const { code, out, err } = await each(["a.sh", "b.sh", "sub/c.sh"], {}, { first: refusal, "c.sh": full });
    expect([code, out]).toEqual([1, "Submitted batch job 41\n"]);
    expect(err).toBe(
      "mgpu-sbatch: error: a.sh: Batch job submission failed: Invalid qos specification\n" +
        "mgpu-sbatch: error: sub/c.sh: the queue is full\n" +
        "mgpu-sbatch: hint: there is none\n",
    );
  });
});
