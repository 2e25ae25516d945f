import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/sbatch.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { PLAIN_REQUEST } from "../../../src/core/resources.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Item, Params } from "../../../src/protocol/procedures.ts";
import { connected, type FakeOptions, fakeContext, fakePeer, settle } from "./fake-context.ts";

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
      request: { gpus: { per: "job", wishes: [{ thousandths: 2000, type: null }] } },
      submitLine: "mgpu-sbatch --time=1:00:00 train.sh -x --gpus=9",
      pty: null,
    });
    expect(submissions[0]?.environment).toEqual({ HOME: "/home/ada", PATH: "/bin", SLURM_SUBMIT_DIR: "/work" });
    expect(submissions[0]?.requestId).not.toBe("");
  });
  test("the command line beats the script, the name defaults to the file's", async () => {
    const files = { "/work/a.sh": "#!/bin/sh\n#SBATCH --gpus=2\n" };
    const { submissions } = await sbatch(["--gpus=1", "a.sh"], { files });
    expect(submissions[0]?.job.name).toBe("a.sh");
    expect(submissions[0]?.job.request.gpus?.wishes).toEqual([{ thousandths: 1000, type: null }]);
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
    expect.stringContaining("bad.sh: line 3: --gpus: expected a count of GPUs"),
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

describe("what an array, a cluster and a test print", () => {
  test("the array's one number", async () => {
    const { out, submissions } = await sbatch(["-a1-3%2", "train.sh"]);
    expect(out).toBe("Submitted batch job 42\n");
    expect(submissions[0]?.job.array).toEqual({ tasks: [{ first: 1, last: 3, step: 1 }], limit: 2 });
  });
  const onCluster = (argv: string[]) => {
    const controller = async () =>
      connected(
        fakePeer({
          "job.submit": () => ({ jobId: 7 }),
          "controller.status": () => ({
            ...{ clusterName: "lab", stateFolder: "", socket: "", daemons: [], problem: "" },
            jobs: { pending: 0, running: 0, ended: 0 },
          }),
        }),
      );
    return sbatch([...argv, "train.sh"], { controller });
  };
  test("the cluster, where one was named", async () => {
    expect((await onCluster(["-M", "lab"])).out).toBe("Submitted batch job 7 on cluster lab\n");
    expect((await onCluster(["--parsable", "--clusters=all"])).out).toBe("7;lab\n");
  });
  test("another cluster is none", async () => {
    const { code, out, err } = await onCluster(["-M", "other"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("'other' can't be reached now");
    expect(err).toContain("mgpu-sbatch: hint: this cluster is called lab; mgpu login lists those of other machines\n");
  });
  test("--test-only says when and where, on stderr, and submits nothing", async () => {
    const asked: boolean[] = [];
    const controller = fakePeer({
      "job.submit": ({ testOnly = false }) => {
        asked.push(testOnly);
        return {
          jobId: 12,
          estimate: { startAt: Date.UTC(2026, 10, 22, 1, 2, 3), nodeList: "n1", cpus: 2, partition: null },
        };
      },
    });
    const { code, out, err } = await sbatch(["--test-only", "-pmain", "train.sh"], { controller });
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toBe(
      "mgpu-sbatch: Job 12 to start at 2026-11-22T01:02:03 using 2 processors on nodes n1 in partition main\n",
    );
    expect(asked).toEqual([true]);
    const unknown = fakePeer({ "job.submit": () => ({ jobId: 12 }) });
    expect((await sbatch(["--test-only", "train.sh"], { controller: unknown })).err).toBe(
      "mgpu-sbatch: Job 12 to start at a time that is not known yet in partition main\n",
    );
  });
});

describe("--wait", () => {
  type Row = Item<"job.watch">["row"];
  const update = (row: Partial<Row>): Item<"job.watch"> =>
    ({
      row: { id: 7, state: "RUNNING", exitCode: 0, exitSignal: 0, ...row },
      step: null,
      attach: [],
      final: false,
    }) as never;
  const ended = (row: Partial<Row>) =>
    fakePeer({
      "job.submit": () => ({ jobId: 7 }),
      "job.watch": async (_, send) => {
        await send(update({ state: "PENDING" }));
        await send(update({ state: "COMPLETING", exitCode: 9 }));
        await send(update(row));
        return {};
      },
    });
  test.each<[number, Partial<Row>]>([
    [0, { state: "COMPLETED" }],
    [7, { state: "FAILED", exitCode: 7 }],
    [1, { state: "FAILED", exitSignal: 9 }],
    [1, { state: "CANCELLED" }],
    [1, { state: "TIMEOUT", exitSignal: 15 }],
  ])("returns %i for %j", async (expected, row) => {
    const { code, out } = await sbatch(["-W", "train.sh"], { controller: ended(row) });
    expect({ code, out }).toEqual({ code: expected, out: "Submitted batch job 7\n" });
  });
  test("of an array: the highest, though tasks that ended are forgotten meanwhile", async () => {
    const looks: unknown[][][] = [
      [
        [7, "PENDING", 0, 0],
        [8, "FAILED", 5, 0],
      ],
      [
        [7, "RUNNING", 0, 0],
        [9, "FAILED", 3, 0],
      ],
      [[7, "COMPLETED", 0, 0]],
    ];
    let at = 0;
    const controller = fakePeer({
      "job.submit": () => ({ jobId: 7 }),
      "jobs.list": async ({ filter, fields }, send) => {
        expect({ ids: filter.ids, fields }).toEqual({ ids: [7], fields: ["id", "state", "exitCode", "exitSignal"] });
        await send({ rows: looks[at++] ?? [] });
        return { now: 0 };
      },
    });
    const fake = fakeContext({ program: "mgpu-sbatch", controller, files: { "/work/train.sh": SCRIPT } });
    const code = runCommand(command, ["-W", "-a1-3", "train.sh"], fake.context);
    await settle();
    for (let i = 0; i < 3; i++) await fake.clock.advance(1000);
    expect(await code).toBe(5);
    expect(at).toBe(3);
  });
  test("a controller that is restarted is waited for, one that stays away is not", async () => {
    const first = () =>
      fakePeer({
        "job.submit": () => ({ jobId: 7 }),
        "job.watch": () => {
          throw new RpcError("LOST_CONTACT", "gone");
        },
      });
    const files = { "/work/train.sh": SCRIPT };
    const controller = [first(), ended({ state: "FAILED", exitCode: 3 })];
    const back = fakeContext({ program: "mgpu-sbatch", controller, files });
    const code = runCommand(command, ["-W", "train.sh"], back.context);
    await settle();
    await back.clock.advance(1000);
    expect(await code).toBe(3);
    const away = fakeContext({ program: "mgpu-sbatch", controller: first(), files });
    const failed = runCommand(command, ["-W", "train.sh"], away.context);
    await settle();
    for (let i = 0; i < 12; i++) await away.clock.advance(60_000);
    expect(await failed).toBe(1);
    expect(away.err()).toContain("job 7 goes on, but it can't be waited for");
  });
});

describe("warnings", () => {
  const files = {
    "/work/pbs.sh": "#!/bin/sh\n#PBS -l nodes=2\n",
    "/work/slurm.sh": "#!/bin/sh\n#SLURM -n2\n",
    "/work/train.sh": SCRIPT,
  };
  test.each<[string[], string]>([
    [["pbs.sh"], "pbs.sh: line 2: #PBS and #BSUB are not read; write #SBATCH, or say --ignore-pbs"],
    [["slurm.sh"], "slurm.sh: line 2: #SLURM is read as #SBATCH; better write #SBATCH"],
    [["-N4", "-n2", "train.sh"], "can't run 2 processes on 4 nodes, setting nnodes to 2"],
    [["--export=NONE", "train.sh"], "the login shell did not tell its variables within 8 s; the job goes without them"],
  ])("%j: before the job's number, and not with --quiet", async (argv, warning) => {
    const { code, out, err } = await sbatch(argv, { files });
    expect({ code, out, err }).toEqual({
      code: 0,
      out: "Submitted batch job 42\n",
      err: `mgpu-sbatch: warning: ${warning}\n`,
    });
    expect((await sbatch(["-Q", ...argv], { files })).err).toBe("");
  });
  test("none of other systems' directives when told so", async () => {
    expect((await sbatch(["--ignore-pbs", "pbs.sh"], { files })).err).toBe("");
    const environment = { SBATCH_IGNORE_PBS: "" };
    expect((await sbatch(["pbs.sh"], { files, environment })).err).toBe("");
  });
});

describe("heterogeneous jobs", () => {
  const script = "#!/bin/sh\n#SBATCH -n3 -t 5 --comment=c0\n#SBATCH hetjob\n#SBATCH -c2 -t 9 --comment=c1\n";
  const files = { "/work/het.sh": script, "/work/plain.sh": "#!/bin/sh\n" };
  const shown = (submission: Submission | undefined) =>
    [submission, ...(submission?.followers ?? [])].map((one) => {
      const { tasks, cpusPerTask, gpus } = one?.job.request ?? {};
      return [tasks, cpusPerTask, gpus ? gpus.wishes[0]?.thousandths : 0, one?.job.timeLimitS, one?.job.comment];
    });

  test("components of the script: geometry is each one's own, the rest goes on", async () => {
    const { submissions, out } = await sbatch(["het.sh", "-x"], { files });
    expect(out).toBe("Submitted batch job 42\n");
    expect(shown(submissions[0])).toEqual([
      [3, null, 0, 300, "c0"],
      [1, 2, 0, 540, "c1"],
    ]);
    const [follower] = submissions[0]?.followers ?? [];
    expect(follower?.job).toMatchObject({ name: "het.sh", kind: "batch", argv: ["/work/het.sh", "-x"] });
  });
  test("components of the command line; what is typed for one overrules the script's next", async () => {
    const { submissions } = await sbatch(["-t", "7", "--gpus=1", ":", "-n2", ":", "--comment=x", "het.sh"], { files });
    expect(shown(submissions[0])).toEqual([
      [3, null, 1000, 420, "c0"],
      [2, 2, 0, 420, "c1"],
      [1, null, 0, 420, "x"],
    ]);
    const wrapped = await sbatch(["-n2", ":", "-n1", "--wrap=true"]);
    expect(shown(wrapped.submissions[0]).map(([tasks]) => tasks)).toEqual([2, 1]);
    expect(wrapped.script).toContain("\ntrue\n");
  });
  test("a colon behind the script is the script's", async () => {
    const { submissions } = await sbatch(["plain.sh", ":", "-n2"], { files });
    expect(submissions[0]?.followers).toBeUndefined();
    expect(submissions[0]?.job.argv).toEqual(["/work/plain.sh", ":", "-n2"]);
  });
  test("all problems of all components, each once and with its place", async () => {
    const { code, err } = await sbatch(["-n0", "-t", "x", ":", "--mem=x", "--foo", "plain.sh"], { files });
    expect({ code, err: err.split("\n").filter(Boolean) }).toEqual({
      code: 1,
      err: [
        'mgpu-sbatch: error: --ntasks: expected a count of at least 1, got "0"',
        expect.stringMatching(/^mgpu-sbatch: error: --time: expected a time .*, got "x"$/),
        "mgpu-sbatch: error: component 1: unrecognized option '--foo'",
        'mgpu-sbatch: error: component 1: --mem: expected memory such as 500M or 16G, got "x"',
      ],
    });
  });
});

test("SLURM_EXIT_ERROR tells our own failures from a job's", async () => {
  const environment = { SLURM_EXIT_ERROR: "77" };
  expect((await sbatch(["nosuch.sh"], { environment })).code).toBe(77);
  expect((await sbatch(["--frob"], { environment })).code).toBe(77);
});

test("nothing of an enclosing job's geometry is taken over, its variables pass through", async () => {
  const environment = { PATH: "/bin", SLURM_JOB_ID: "5", SLURM_NTASKS: "8", SLURM_GPUS: "4", SLURM_MEM_PER_NODE: "9" };
  const { submissions } = await sbatch(["--wrap=true"], { environment });
  expect(submissions[0]?.job.request).toEqual(PLAIN_REQUEST);
  expect(submissions[0]?.environment).toMatchObject(environment);
});
