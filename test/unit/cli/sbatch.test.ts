import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/sbatch.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Params } from "../../../src/protocol/procedures.ts";
import { type FakeOptions, fakeContext, fakePeer, settle } from "./fake-context.ts";

type Submission = Params<"job.submit">;

const SCRIPT = "#!/bin/sh\n#SBATCH --gpus=2 -J train\necho hi\n";

async function sbatch(argv: string[], options: FakeOptions = {}) {
  const submissions: Submission[] = [];
  const controller = fakePeer({
    "job.submit": (params) => {
      submissions.push(params);
      return { jobId: 41 + submissions.length };
    },
  });
  const files = { "/work/train.sh": SCRIPT };
  const fake = fakeContext({ program: "mgpu-sbatch", controller, files, ...options });
  const code = await runCommand(command, argv, fake.context);
  return { code, out: fake.out(), err: fake.err(), submissions, script: text(submissions[0]) };
}

function text(submission: Submission | undefined): string {
  return submission?.script ? new TextDecoder().decode(submission.script) : "";
}

describe("a script file", () => {
  test("is sent as it is, with its directives, and exactly one line is printed", async () => {
    const { code, out, err, submissions, script } = await sbatch(["--time=1:00:00", "train.sh", "-x", "--gpus=9"]);
    expect({ code, out, err }).toEqual({ code: 0, out: "Submitted batch job 42\n", err: "" });
    expect(script).toBe(SCRIPT);
    expect(submissions).toHaveLength(1);
    expect(submissions[0]?.job).toMatchObject({
      kind: "batch",
      name: "train",
      argv: ["/work/train.sh", "-x", "--gpus=9"],
      timeLimitS: 3600,
      request: { gpus: { thousandths: 2000, type: null } },
      pty: null,
    });
    expect(submissions[0]?.environment).toEqual({ HOME: "/home/ada", PATH: "/bin", SLURM_SUBMIT_DIR: "/work" });
    expect(submissions[0]?.requestId).not.toBe("");
  });
  test("the command line beats the script, the name defaults to the file's", async () => {
    const files = { "/work/a.sh": "#!/bin/sh\n#SBATCH --gpus=2\n" };
    const { submissions } = await sbatch(["--gpus=1", "a.sh"], { files });
    expect(submissions[0]?.job.name).toBe("a.sh");
    expect(submissions[0]?.job.request.gpus).toEqual({ thousandths: 1000, type: null });
  });
});

test("--parsable prints the number, --quiet nothing", async () => {
  expect((await sbatch(["--parsable", "train.sh"])).out).toBe("42\n");
  expect((await sbatch(["-Q", "train.sh"])).out).toBe("");
  const verbose = await sbatch(["-v", "train.sh"]);
  expect(verbose.out).toBe("Submitted batch job 42\n");
  expect(verbose.err).toBe("mgpu-sbatch: accepted by mgpuctld 0.1.0 (pid 1)\n");
});

test.each([[[]], [["-"]], [["/dev/stdin"]]])("a script from standard input: %j", async (argv) => {
  const { code, submissions, script } = await sbatch(argv, { stdin: SCRIPT });
  expect(code).toBe(0);
  expect(script).toBe(SCRIPT);
  expect(submissions[0]?.job.name).toBe("train");
  const unnamed = await sbatch(argv, { stdin: "#!/bin/sh\n" });
  expect(unnamed.submissions[0]?.job).toMatchObject({ name: "sbatch", argv: ["sbatch"] });
});

describe("--wrap", () => {
  test("makes a script of the command, verbatim", async () => {
    const { script, submissions } = await sbatch(["--wrap=exec run 'a b' # x\n#SBATCH -n 9"]);
    expect(script).toBe("#!/bin/sh\n# This script was created by sbatch --wrap.\n\nexec run 'a b' # x\n#SBATCH -n 9\n");
    expect(submissions[0]?.job).toMatchObject({ name: "wrap", argv: ["wrap"], request: { tasks: 1 } });
  });
  test("takes no arguments", async () => {
    const { code, err, submissions } = await sbatch(["--wrap=x", "y"]);
    expect({ code, err }).toEqual({
      code: 1,
      err: "mgpu-sbatch: error: Script arguments not permitted with --wrap option\n",
    });
    expect(submissions).toEqual([]);
  });
});

describe("what can't be a script", () => {
  test.each<[string, string]>([
    ["", "Batch script is empty!"],
    [" \n\n", "Batch script contains only whitespace!"],
    ["echo hi\n", "This does not look like a batch script.  The first"],
    ["#!/bin/sh\r\necho\r\n", "Batch script contains DOS line breaks (\\r\\n)"],
    ["#!/bin/sh\n\0", "The Slurm controller does not allow scripts that"],
  ])("%j", async (content, problem) => {
    const { code, err, submissions } = await sbatch(["x.sh"], { files: { "/work/x.sh": content } });
    expect(code).toBe(1);
    expect(err).toContain(`mgpu-sbatch: error: ${problem}\n`);
    expect(submissions).toEqual([]);
  });
  test("a file that can't be read", async () => {
    const { code, err } = await sbatch(["nosuch.sh"]);
    expect(code).toBe(1);
    expect(err).toBe(
      "mgpu-sbatch: error: Unable to open file nosuch.sh\n" +
        "mgpu-sbatch: error: nosuch.sh: No such file or directory\n",
    );
  });
});

test("every problem at once, and nothing is queued", async () => {
  const files = { "/work/bad.sh": "#!/bin/sh\n#SBATCH --foo\n#SBATCH --gpus=two\n" };
  const { code, err, submissions } = await sbatch(["-t5x", "-D/nosuch", "bad.sh"], { files });
  expect(code).toBe(1);
  expect(submissions).toEqual([]);
  expect(err.split("\n").map((line) => line.replace("mgpu-sbatch: error: ", ""))).toEqual([
    "bad.sh: line 2: unrecognized option '--foo'",
    'bad.sh: line 3: --gpus: expected a count or type:count, got "two"',
    expect.stringMatching(/^--time: expected a time/),
    "--chdir: /nosuch is not a folder that exists",
    "",
  ]);
});

describe("the controller", () => {
  const refusing = (error: RpcError) =>
    fakePeer({
      "job.submit": () => {
        throw error;
      },
      "nodes.list": () => ({ nodes: [], now: 0 }),
    });
  test("a refusal in Slurm's words, with what would help", async () => {
    const controller = refusing(new RpcError("NOT_FEASIBLE", "Requested node configuration is not available", "less"));
    const { code, out, err } = await sbatch(["train.sh"], { controller });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      "mgpu-sbatch: error: Batch job submission failed: Requested node configuration is not available\n" +
        "mgpu-sbatch: hint: less\n",
    );
  });
  test("an unknown partition", async () => {
    const controller = refusing(new RpcError("INVALID_PARTITION", "invalid partition specified: x"));
    const { err } = await sbatch(["train.sh"], { controller });
    expect(err).toBe(
      "mgpu-sbatch: error: invalid partition specified: x\n" +
        "mgpu-sbatch: error: Batch job submission failed: Invalid partition name specified\n",
    );
  });
  test("a full disk there", async () => {
    const controller = refusing(new RpcError("STORAGE", "No space left on device", "free some"));
    const { code, err } = await sbatch(["train.sh"], { controller });
    expect(code).toBe(1);
    expect(err).toContain("the controller can't store anything: No space left on device\n");
  });
  test("a lost answer: the same submission again, by the same name", async () => {
    const ids: string[] = [];
    const first = fakePeer({
      "job.submit": ({ requestId }) => {
        ids.push(requestId);
        throw new RpcError("LOST_CONTACT", "gone");
      },
    });
    const second = fakePeer({
      "job.submit": ({ requestId }) => {
        ids.push(requestId);
        return { jobId: 7 };
      },
    });
    const fake = fakeContext({
      program: "mgpu-sbatch",
      controller: [first, second],
      files: { "/work/train.sh": SCRIPT },
    });
    const code = runCommand(command, ["train.sh"], fake.context);
    await settle();
    await fake.clock.advance(1000);
    expect(await code).toBe(0);
    expect(fake.out()).toBe("Submitted batch job 7\n");
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
  });
});
