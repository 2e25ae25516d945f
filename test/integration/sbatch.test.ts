/** mgpu-sbatch: every way to hand over a script, what stands in it, where its output goes, and how its end is told. */

import { mkdirSync, rmSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunOptions, TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
beforeAll(() => cluster.ok("mgpu-sbatch", ["-o", "none", "--wrap", "true"]));
afterAll(() => cluster.stop());

const sbatch = (args: readonly string[], options: RunOptions = {}) => cluster.run("mgpu-sbatch", args, options);

/** Submits what must be accepted, waits for its end, and answers with its number. */
async function finished(args: readonly string[], options: RunOptions = {}, state = "COMPLETED"): Promise<number> {
  const id = Number(await cluster.ok("mgpu-sbatch", ["--parsable", ...args], options));
  await cluster.untilState(id, state);
  return id;
}

/** What a script of these lines prints; its output goes to `out.txt`. */
async function outputOf(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<string> {
  await finished(["-o", "out.txt", ...args], { ...options, input: script });
  return cluster.read("out.txt");
}

const SCRIPT = "#!/bin/sh\necho ran; echo complained >&2\n";

describe("the answer", () => {
  test("is one line on stdout and nothing else", async () => {
    const { stdout, stderr, code } = await sbatch(["-o", "none"], { input: SCRIPT });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Submitted batch job [1-9]\d*\n$/);
  });

  test("--parsable: the number alone; --quiet: nothing", async () => {
    expect((await sbatch(["-o", "none", "--parsable"], { input: SCRIPT })).stdout).toMatch(/^[1-9]\d*\n$/);
    expect(await sbatch(["-o", "none", "-Q"], { input: SCRIPT })).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });

  test("numbers count up", async () => {
    const first = Number((await sbatch(["-o", "none", "--parsable"], { input: SCRIPT })).stdout);
    const second = Number((await sbatch(["-o", "none", "--parsable"], { input: SCRIPT })).stdout);
    expect(second).toBe(first + 1);
  });
});

test("--each: a job for each script, named on the command line or in a list; the highest exit code is waited for", async () => {
  for (const at of [1, 2, 3]) {
    cluster.write(
      `each${at}.sh`,
      `#!/bin/sh\n#SBATCH -J each-${at} -o each${at}.txt\necho "$SLURM_JOB_NAME"; exit $((${at} % 3))\n`,
    );
  }
  const typed = await sbatch(["--wait", "--parsable", "--each", "each1.sh", "each2.sh", "each3.sh"]);
  expect([typed.code, typed.stderr]).toEqual([2, ""]);
  expect(new Set(typed.stdout.trim().split("\n")).size).toBe(3);
  for (const at of [1, 2, 3]) expect(cluster.read(`each${at}.txt`)).toBe(`each-${at}\n`);
  const listed = await sbatch(["--hold", "--each", "-"], { input: "each1.sh\neach2.sh\n" });
  expect(listed.stdout).toMatch(/^Submitted batch job \d+\nSubmitted batch job \d+\n$/);
  await cluster.ok("mgpu-scancel", ["--me", "-t", "PENDING"]);
});

describe("the script", () => {
  test("from a file, with arguments; its output is slurm-N.out here", async () => {
    cluster.write("job.sh", '#!/bin/sh\necho "$# $1 $2"; echo to-stderr >&2\n');
    const id = await finished(["job.sh", "a b", "--gpus=9"]);
    expect(cluster.read(`slurm-${id}.out`)).toBe("2 a b --gpus=9\nto-stderr\n");
    expect(await cluster.queue("%j|%o", "-t", "all", "-j", `${id}`)).toEqual([
      `job.sh|${cluster.work}/job.sh a b --gpus=9`,
    ]);
  });

  test.each([
    ["standard input", []],
    ["/dev/stdin", ["/dev/stdin"]],
  ])("from %s", async (_, args) => {
    const id = await finished(["-o", "stdin.txt", ...args], { input: SCRIPT });
    expect(cluster.read("stdin.txt")).toBe("ran\ncomplained\n");
    expect(await cluster.queue("%j", "-t", "all", "-j", `${id}`)).toEqual(["sbatch"]);
  });

  test("from --wrap, which keeps its words as they are", async () => {
    const id = await finished(["-o", "wrap.txt", "--wrap", `printf '%s\\n' "a  b" '#SBATCH -J no'; echo $0 | wc -l`]);
    expect(cluster.read("wrap.txt")).toBe("a  b\n#SBATCH -J no\n1\n");
    expect(await cluster.queue("%j", "-t", "all", "-j", `${id}`)).toEqual(["wrap"]);
  });

  test("may go away as soon as it is submitted", async () => {
    const held = await cluster.hold(["--gpus", "4"]);
    const path = cluster.write("gone.sh", "#!/bin/sh\n#SBATCH --gpus 1 -o gone.txt\necho still here\n");
    const id = Number(await cluster.ok("mgpu-sbatch", ["--parsable", path]));
    rmSync(path);
    await held.release();
    await cluster.untilState(id, "COMPLETED");
    expect(cluster.read("gone.txt")).toBe("still here\n");
  });

  test("runs under the interpreter that its first line names", async () => {
    const script =
      "#!/usr/bin/env python3\n#SBATCH -J snake\nimport os\nprint(os.environ['SLURM_JOB_NAME'], __name__)\n";
    expect(await outputOf(script)).toBe("snake __main__\n");
  });

  test("leads a process group of its own, and may kill it", async () => {
    const script =
      "#!/bin/bash\nread -r _ _ _ _ group _ </proc/$$/stat\n[ $group = $$ ] && echo leader\n" +
      "sleep 1000 &\ntrap '' TERM\nkill -- -$$\nwait\n";
    expect(await outputOf(script)).toBe("leader\n");
  });

  test("reads nothing unless told to", async () => {
    expect(await outputOf("#!/bin/sh\ncat; echo end\n")).toBe("end\n");
    cluster.write("words.txt", "words\n");
    expect(await outputOf("#!/bin/sh\ncat\n", ["-i", "words.txt"])).toBe("words\n");
  });
});

describe("directives", () => {
  test("in the shapes that people and programs write", async () => {
    mkdirSync(join(cluster.work, "d"), { recursive: true });
    const script = `#!/bin/bash -l

## a comment
### SBATCH -J not-this
#SBATCH --job-name            padded
#SBATCH --requeue             
#  a blank line follows

#SBATCH -e d/x-%J.err
#SBATCH -n 2
#SBATCH --cpus-per-task=2 --time=5 --mem=100
#SBATCH --partition='main'
#SBATCH --output="d/quoted name.out"
#SBATCH --gpus=1 # and a comment
#SBATC --job-name=other
#SBATCH
#MGPU --no-requeue
echo "$SLURM_JOB_NAME $SLURM_NTASKS $SLURM_CPUS_PER_TASK $SLURM_MEM_PER_NODE $SLURM_GPUS"
echo complained >&2
#SBATCH --job-name=too-late
`;
    const id = await finished([], { input: script });
    expect(cluster.read("d/quoted name.out")).toBe("padded 2 2 100 1\n");
    expect(cluster.read(`d/x-${id}.err`)).toBe("complained\n");
    expect(await cluster.queue("%j %C %l %m %b", "-t", "all", "-j", `${id}`)).toEqual([
      "padded 4 5:00 100M gres/gpu:1",
    ]);
  });

  test("the command line goes before the environment, and that before the script", async () => {
    const script =
      "#!/bin/sh\n#SBATCH --job-name=script --time=3\n#SBATCH --gpus=1\necho $SLURM_JOB_NAME $SLURM_GPUS\n";
    const env = { SBATCH_JOB_NAME: "variable", SBATCH_GPUS: "2" };
    expect(await outputOf(script)).toBe("script 1\n");
    expect(await outputOf(script, [], { env })).toBe("variable 2\n");
    expect(await outputOf(script, ["-J", "typed", "--gpus=3"], { env })).toBe("typed 3\n");
  });
});

describe("output", () => {
  test("file names are made of what the job is", async () => {
    const id = await finished(["-J", "named", "-o", "%x-%j-%A-%u-%N-%n-%t-%5j-100%%.out", "--wrap", "echo found"]);
    const user = userInfo().username;
    expect(cluster.read(`named-${id}-${id}-${user}-n1-0-0-${`${id}`.padStart(5, "0")}-100%.out`)).toBe("found\n");
  });

  test("missing folders are made, also below one named after the job", async () => {
    const id = await finished(["-o", "logs/%j/deep/%x.out", "-e", "logs/%j/err.txt", "-J", "x"], { input: SCRIPT });
    expect(cluster.read(`logs/${id}/deep/x.out`)).toBe("ran\n");
    expect(cluster.read(`logs/${id}/err.txt`)).toBe("complained\n");
  });

  test("starts anew, or is added to", async () => {
    const args = ["-o", "grows.txt", "--wrap", "echo line"];
    for (const more of [[], [], ["--open-mode=append"]]) await finished([...more, ...args]);
    expect(cluster.read("grows.txt")).toBe("line\nline\n");
  });

  test("is there while the job runs", async () => {
    const script = "#!/bin/sh\necho first\nuntil [ -e batch-end ]; do sleep 0.02; done\necho last\n";
    const id = await cluster.submit(script, ["-o", "live.txt"]);
    await cluster.until(
      () => cluster.has("live.txt") && cluster.read("live.txt") === "first\n",
      "the first line is there",
    );
    cluster.write("batch-end", "");
    await cluster.untilState(id, "COMPLETED");
    expect(cluster.read("live.txt")).toBe("first\nlast\n");
  });

  test("is complete when the job is said to be", async () => {
    expect(await outputOf("#!/bin/sh\nseq 1 50000\n")).toMatch(/^1\n2\n[\s\S]*\n49999\n50000\n$/);
  });
});

describe("where it runs", () => {
  test("here, or where --chdir says; relative output starts there", async () => {
    expect(await outputOf("#!/bin/sh\npwd\n")).toBe(`${cluster.work}\n`);
    mkdirSync(join(cluster.work, "elsewhere/below"), { recursive: true });
    const cwd = join(cluster.work, "elsewhere");
    await finished(["-D", "below", "-o", "pwd.txt"], { cwd, input: "#!/bin/sh\n#SBATCH -D ..\npwd\n" });
    expect(cluster.read("elsewhere/below/pwd.txt")).toBe(`${cwd}/below\n`);
    await finished(["-o", "dot.txt"], { cwd, input: "#!/bin/sh\n#SBATCH -D .\npwd\n" });
    expect(cluster.read("elsewhere/dot.txt")).toBe(`${cwd}\n`);
  });

  test("with its submitter's environment, and its job's", async () => {
    const script =
      '#!/bin/sh\necho "$GREETING"; echo "$SLURM_JOB_ID $SLURM_SUBMIT_DIR $SLURM_SUBMIT_HOST $ENVIRONMENT"\n';
    const env = { GREETING: "two\nlines and ünïcödé" };
    const id = await finished(["-o", join(cluster.work, "env.txt"), "-D", "/"], { env, input: script });
    const host = hostname().split(".")[0];
    expect(cluster.read("env.txt")).toBe(`two\nlines and ünïcödé\n${id} ${cluster.work} ${host} BATCH\n`);
  });
});

describe("the end", () => {
  test.each([
    ["exit 0", "COMPLETED", "None", ["SUCCESS"], 0],
    ["exit 3", "FAILED", "NonZeroExitCode", ["ERROR"], 3],
    ["false", "FAILED", "NonZeroExitCode", ["ERROR"], 1],
    ["exec no-such-program 2>/dev/null", "FAILED", "NonZeroExitCode", ["ERROR"], 127],
    ["kill -TERM $$", "FAILED", "NonZeroExitCode", ["SIGNALED"], 0],
  ])("%s -> %s", async (script, state, reason, status, code) => {
    const id = await finished(["-o", "none"], { input: `#!/bin/sh\n${script}\n` }, state);
    expect(await cluster.queue("%T %r", "-t", "all", "-j", `${id}`)).toEqual([`${state} ${reason}`]);
    const { jobs } = JSON.parse(await cluster.ok("mgpu-squeue", ["-t", "all", "-j", `${id}`, "--json"]));
    expect(jobs[0].exit_code).toMatchObject({ status, return_code: { set: true, number: code } });
  });

  test("jobs for the same GPUs run one after the other, in their order", async () => {
    const ids: number[] = [];
    for (const name of ["one", "two", "three", "four"]) {
      const wrap = `echo "begin ${name}" >>order.txt; sleep 0.05; echo "end ${name}" >>order.txt`;
      ids.push(Number(await cluster.ok("mgpu-sbatch", ["--parsable", "--gpus=3", "-o", "none", "--wrap", wrap])));
    }
    for (const id of ids) await cluster.untilState(id, "COMPLETED");
    const names = ["one", "two", "three", "four"];
    expect(cluster.read("order.txt")).toBe(names.map((name) => `begin ${name}\nend ${name}\n`).join(""));
  });

  test("what the script left in the background ends with it", async () => {
    const script = "#!/bin/sh\n(trap '' TERM; while :; do sleep 0.05; done) &\nsetsid sleep 1000 &\necho $!\n";
    const id = await cluster.submit(script, ["-o", "left.txt"]);
    await cluster.untilState(id, "COMPLETED");
    expect(cluster.processes().filter(({ command }) => command.includes("sleep 1000"))).toEqual([]);
  });
});
