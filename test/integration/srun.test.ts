/** mgpu-srun as a user runs it from scripts and pipes: GPUs, streams, exit codes, signals. Terminals: pty.test.ts. */

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive, kill, type Running, TestCluster } from "./support/cluster.ts";

const TRAIN = join(import.meta.dirname, "../examples/train.py");

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const srun = (...args: string[]) => cluster.run("mgpu-srun", args);
const sh = (script: string, ...options: string[]) => cluster.run("mgpu-srun", [...options, "sh", "-c", script]);

/** Starts a job and waits for the first thing it prints. */
async function started(script: string, ...options: string[]): Promise<Running> {
  const running = cluster.start("mgpu-srun", [...options, "sh", "-c", script]);
  await prints(running, "\n");
  return running;
}

function prints(running: Running, text: string): Promise<void> {
  return cluster.until(
    () => running.stdout().includes(text),
    () => `${JSON.stringify(text)} is printed, not ${JSON.stringify([running.stdout(), running.stderr()])}`,
  );
}

function says(running: Running, text: string | RegExp): Promise<void> {
  return cluster.until(
    () => running.stderr().search(text) >= 0,
    () => `${text} is said, not ${JSON.stringify(running.stderr())}`,
  );
}

describe("GPUs", () => {
  test("a job sees its two, in the order of the bus", async () => {
    const { stdout, code } = await sh('echo "$CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER $SLURM_JOB_GPUS"', "--gpus", "2");
    const [visible = "", order, granted] = stdout.trim().split(" ");
    expect(code).toBe(0);
    expect(visible).toMatch(/^[0-3],[0-3]$/);
    expect(new Set(visible.split(",")).size).toBe(2);
    expect([order, granted]).toEqual(["PCI_BUS_ID", visible]);
  });

  test("a job that asked for none sees an empty list, not an unset one", async () => {
    expect((await sh("printenv CUDA_VISIBLE_DEVICES && echo set")).stdout).toBe("\nset\n");
  });

  test("no two jobs have one GPU at the same time, and all are free at the end", async () => {
    // A folder can be made once only: the second holder of a GPU would fail.
    const script = `
      for gpu in $(echo "$CUDA_VISIBLE_DEVICES" | tr , ' '); do mkdir "gpu-$gpu" || exit 9; done
      echo "$CUDA_VISIBLE_DEVICES"
      sleep 0.1
      for gpu in $(echo "$CUDA_VISIBLE_DEVICES" | tr , ' '); do rmdir "gpu-$gpu"; done`;
    const jobs = await Promise.all(Array.from({ length: 8 }, () => sh(script, "--gpus", "2", "-Q")));
    expect(jobs.map(({ code, stderr }) => [code, stderr])).toEqual(jobs.map(() => [0, ""]));
    for (const { stdout } of jobs) expect(new Set(stdout.trim().split(",")).size).toBe(2);
    const free = await cluster.ok("mgpu-sinfo", ["--gpus", "-h"]);
    expect(free).toMatch(/ 0\/4 .* 0,1,2,3\n$/);
  });

  test("the example trains, and its lines arrive one by one", async () => {
    const running = cluster.start("mgpu-srun", ["--gpus", "2", "python3", TRAIN, "4"]);
    await prints(running, "\n");
    expect(running.stdout()).not.toContain("done");
    const { stdout, stderr, code } = await running.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^job \d+ on n1: 2 GPUs \(CUDA_VISIBLE_DEVICES=\d,\d\)\n(torch .*\n)?(step \d\/4 .*\n){4}done\n$/,
    );
  });
});

describe("output", () => {
  test("stdout and stderr stay apart", async () => {
    const { stdout, stderr } = await sh("echo one; echo two >&2; printf three");
    expect([stdout, stderr]).toEqual(["one\nthree", "two\n"]);
  });

  test("3 MB of random bytes come back as they went in", async () => {
    const bytes = randomBytes(3 * 1024 * 1024);
    const cat = cluster.start("mgpu-srun", ["cat"], { input: bytes });
    const { code, stderr } = await cat.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(cat.stdoutBytes().equals(bytes)).toBe(true);
  });

  test("many lines on both streams at once, all of them and in order", async () => {
    const { stdout, stderr } = await sh("seq 1 30000 & seq 30001 60000 >&2; wait");
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join("");
    expect(stdout === lines(1, 30_000)).toBe(true);
    expect(stderr === lines(30_001, 60_000)).toBe(true);
  });

  test("what is printed arrives at once, also half a line", async () => {
    const script =
      "echo first; until [ -e go-on ]; do sleep 0.02; done; printf half; until [ -e end ]; do sleep 0.02; done";
    const running = await started(script);
    expect([running.stdout(), running.child.exitCode]).toEqual(["first\n", null]);
    cluster.write("go-on", "");
    await prints(running, "half");
    expect(running.child.exitCode).toBe(null);
    cluster.write("end", "");
    expect(await running.ended).toMatchObject({ code: 0, stdout: "first\nhalf" });
  });

  test("Python prints line by line through a pipe", async () => {
    const program = "import os, time\nprint('first')\nwhile not os.path.exists('py-end'): time.sleep(0.02)";
    const running = cluster.start("mgpu-srun", ["python3", "-c", program]);
    await prints(running, "first\n");
    cluster.write("py-end", "");
    expect((await running.ended).code).toBe(0);
  });

  test("--label names the task of each line", async () => {
    const { stdout, stderr } = await sh('echo "out $SLURM_PROCID"; echo "err $SLURM_PROCID" >&2', "-n", "3", "-l");
    expect(stdout.split("\n").sort()).toEqual(["", "0: out 0", "1: out 1", "2: out 2"]);
    expect(stderr.split("\n").sort()).toEqual(["", "0: err 0", "1: err 1", "2: err 2"]);
    const last = await sh("printf 'a\\n\\nb'", "-l");
    expect(last.stdout).toBe("0: a\n0: \n0: b\n");
  });

  test("--output and --error: a file for each task, folders made", async () => {
    const args = ["-n", "2", "-J", "named", "-o", "files/%x-%j-%t.out", "-e", "files/%j.%2t.err"];
    const { stdout, stderr, code } = await sh('echo "out $SLURM_PROCID $SLURM_JOB_ID"; echo err >&2', ...args);
    expect([stdout, stderr, code]).toEqual(["", "", 0]);
    const id = /\d+$/.exec(String((await cluster.queue("%i", "-t", "all", "-n", "named"))[0]))?.[0];
    expect(cluster.read(`files/named-${id}-0.out`)).toBe(`out 0 ${id}\n`);
    expect(cluster.read(`files/named-${id}-1.out`)).toBe(`out 1 ${id}\n`);
    expect([cluster.read(`files/${id}.00.err`), cluster.read(`files/${id}.01.err`)]).toEqual(["err\n", "err\n"]);
  });

  test("--output alone takes both streams; the file starts anew unless it is appended to", async () => {
    cluster.write("both.txt", "before\n");
    await sh("echo one; echo two >&2", "-o", "both.txt");
    expect(cluster.read("both.txt")).toBe("one\ntwo\n");
    await sh("echo three", "-o", "both.txt", "--open-mode=append");
    expect(cluster.read("both.txt")).toBe("one\ntwo\nthree\n");
    expect(await sh("echo gone; echo too >&2", "-o", "none")).toMatchObject({ stdout: "", stderr: "", code: 0 });
  });

  test("--error=all keeps stderr here while stdout goes to a file; so do the names of our own streams", async () => {
    const script = "echo out; echo err >&2";
    expect(await sh(script, "-o", "only-out.txt", "-e", "all")).toMatchObject({ stdout: "", stderr: "err\n" });
    expect(cluster.read("only-out.txt")).toBe("out\n");
    const ours = await sh(script, "-o", "/dev/stdout", "-e", "/dev/stderr");
    expect(ours).toMatchObject({ stdout: "out\n", stderr: "err\n" });
    expect(await sh(script, "-e", "only-err.txt")).toMatchObject({ stdout: "out\n", stderr: "" });
    expect(cluster.read("only-err.txt")).toBe("err\n");
  });

  test("a reader that leaves ends the job", async () => {
    const ran = await cluster.run("bash", ["-o", "pipefail", "-c", "mgpu-srun -J yes yes | head -n 2"]);
    expect(ran).toMatchObject({ code: 141, stdout: "y\ny\n", stderr: "" });
    await cluster.until(async () => (await cluster.queue("%i", "-n", "yes")).length === 0, "the job is over");
  });
});

describe("input", () => {
  test("goes to each task", async () => {
    const { stdout } = await cluster.run("mgpu-srun", ["-n", "3", "-l", "cat"], { input: "one\ntwo\n" });
    expect(stdout.split("\n").filter(Boolean).sort()).toEqual(
      [0, 1, 2].flatMap((task) => [`${task}: one`, `${task}: two`]),
    );
  });

  test("goes to one task with --input=1, the others have none", async () => {
    const options = { input: "only\n" };
    expect((await cluster.run("mgpu-srun", ["-n", "3", "-l", "-i", "1", "cat"], options)).stdout).toBe("1: only\n");
  });

  test("--input: a file, none", async () => {
    cluster.write("in.txt", "from a file\n");
    expect((await cluster.run("mgpu-srun", ["-i", "in.txt", "cat"], { input: "typed\n" })).stdout).toBe(
      "from a file\n",
    );
    expect((await cluster.run("mgpu-srun", ["-i", "none", "cat"], { input: "typed\n" })).stdout).toBe("");
  });

  test("is answered as it comes", async () => {
    const running = cluster.start("mgpu-srun", ["sh", "-c", 'while read -r line; do echo "got $line"; done']);
    running.child.stdin?.write("one\n");
    await prints(running, "got one\n");
    running.child.stdin?.write("two\n");
    await prints(running, "got two\n");
    running.child.stdin?.end();
    expect((await running.ended).code).toBe(0);
  });

  test("that nobody reads holds nothing up", async () => {
    const { code } = await cluster.run("mgpu-srun", ["true"], { input: Buffer.alloc(2_000_000, "x") });
    expect(code).toBe(0);
  });

  test("that never ends does not keep srun", async () => {
    const running = cluster.start("mgpu-srun", ["echo", "done"]);
    expect(await running.ended).toMatchObject({ code: 0, stdout: "done\n" });
  });
});

describe("exit codes", () => {
  test.each([
    ["exit 0", 0, ""],
    ["exit 7", 7, "mgpu-srun: error: n1: task 0: Exited with exit code 7\n"],
    ["exit 255", 255, "mgpu-srun: error: n1: task 0: Exited with exit code 255\n"],
    ["kill -TERM $$", 143, "mgpu-srun: error: n1: task 0: Terminated\n"],
    ["kill -KILL $$", 137, "mgpu-srun: error: n1: task 0: Killed\n"],
    ["kill -INT $$", 130, "mgpu-srun: error: n1: task 0: Interrupt\n"],
    ["ulimit -c 0; kill -SEGV $$", 139, "mgpu-srun: error: n1: task 0: Segmentation fault\n"],
  ])("%s -> %i", async (script, expected, message) => {
    const { code, stderr } = await sh(script);
    expect([code, stderr]).toEqual([expected, message]);
  });

  test("of several tasks the highest", async () => {
    const { code, stderr } = await sh("exit $((SLURM_PROCID % 2 * 5))", "-n", "4");
    expect(code).toBe(5);
    expect(stderr).toBe("mgpu-srun: error: n1: tasks 1,3: Exited with exit code 5\n");
  });

  test("are in the queue too", async () => {
    await sh("exit 7", "-J", "seven");
    expect(await cluster.queue("%T %r", "-t", "all", "-n", "seven")).toEqual(["FAILED NonZeroExitCode"]);
  });
});

describe("options", () => {
  test("words after the program are the program's, whatever they look like", async () => {
    const { stdout } = await srun("printf", "%s|", "--gpus", "9", "-n", "two words", 'a"b', "\\;", "");
    expect(stdout).toBe('--gpus|9|-n|two words|a"b|\\;||');
  });

  test("--chdir", async () => {
    expect((await srun("--chdir", "/usr/bin", "pwd")).stdout).toBe("/usr/bin\n");
    expect((await srun("-D", "..", "sh", "-c", "ls -d work")).stdout).toBe("work\n");
    expect((await srun("pwd")).stdout).toBe(`${cluster.work}\n`);
  });

  test("a program below the working directory", async () => {
    writeFileSync(join(cluster.work, "tool"), "#!/bin/sh\necho tool $1\n", { mode: 0o755 });
    expect((await srun("./tool", "x")).stdout).toBe("tool x\n");
  });

  test("-v tells where it runs", async () => {
    const { stderr } = await srun("-v", "-n", "2", "true");
    expect(stderr).toMatch(/^mgpu-srun: jobid (\d+): nodes\(1\):`n1', cpu counts: 2\(x1\)\n/);
    expect(stderr).toMatch(/\nmgpu-srun: launching StepId=\d+\.0 on host n1, 2 tasks: \[0-1\]\n/);
  });
});

describe("waiting for resources", () => {
  test("says so, and when they are there; --quiet does not", async () => {
    const held = await cluster.hold(["--gpus", "4"]);
    const waiting = cluster.start("mgpu-srun", ["--gpus", "3", "echo", "ran"]);
    await says(waiting, "waiting");
    const quiet = cluster.start("mgpu-srun", ["-Q", "--gpus", "1", "echo", "ran"]);
    await cluster.until(async () => (await cluster.queue("%i", "-t", "PD")).length === 2, "both wait");
    const [first] = await cluster.queue("%i %r", "-t", "PD");
    expect(first).toMatch(/^\d+ Resources$/);
    const id = first?.split(" ")[0];
    await says(waiting, "to be free");
    const [queued, why, rest] = waiting.stderr().split("\n");
    expect(queued).toBe(`mgpu-srun: job ${id} queued and waiting for resources`);
    expect(why).toMatch(
      new RegExp(
        `^mgpu-srun: job ${id} waits for 3 GPUs and 1 CPU to be free \\(n1: 0 of 4 GPUs free\\); number 1 of [12] in the queue$`,
      ),
    );
    expect(rest).toBe("");
    await held.release();
    expect(await waiting.ended).toMatchObject({
      code: 0,
      stdout: "ran\n",
      stderr: `${queued}\n${why}\nmgpu-srun: job ${id} has been allocated resources\n`,
    });
    expect(await quiet.ended).toMatchObject({ code: 0, stdout: "ran\n", stderr: "" });
  });

  test("Ctrl-C gives up the place in the queue", async () => {
    const held = await cluster.hold(["--gpus", "4"]);
    const waiting = cluster.start("mgpu-srun", ["-J", "impatient", "--gpus", "1", "touch", "must-not-run"]);
    await says(waiting, "waiting");
    kill(waiting.pid, "SIGINT");
    const { code, stderr } = await waiting.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/Job allocation \d+ has been revoked\n.*Force Terminated JobId=\d+\n$/s);
    await held.release();
    expect(await cluster.queue("%T", "-t", "all", "-n", "impatient")).toEqual(["CANCELLED"]);
    expect(cluster.has("must-not-run")).toBe(false);
  });

  test("scancel ends the wait", async () => {
    const held = await cluster.hold(["--gpus", "4"]);
    const waiting = cluster.start("mgpu-srun", ["-J", "unwanted", "--gpus", "1", "true"]);
    await says(waiting, "waiting");
    await cluster.ok("mgpu-scancel", ["-n", "unwanted"]);
    const { code, stderr } = await waiting.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/mgpu-srun: Job has been cancelled\nmgpu-srun: error: Unable to allocate resources: .*\n$/);
    await held.release();
  });
});

describe("signals", () => {
  test("Ctrl-C once: srun tells the state, and the job goes on", async () => {
    const running = await started("echo up; read -r line; echo $line");
    kill(running.pid, "SIGINT");
    await says(running, /interrupt \(one more within 1 sec to abort\)\nmgpu-srun: StepId=\d+\.0 task 0: running\n/);
    running.child.stdin?.end("still here\n");
    expect(await running.ended).toMatchObject({ code: 0, stdout: "up\nstill here\n" });
  });

  test("Ctrl-C twice ends the job", async () => {
    const running = await started("echo up; exec sleep 1000", "-J", "twice");
    kill(running.pid, "SIGINT");
    await says(running, "one more within 1 sec");
    kill(running.pid, "SIGINT");
    const { code, stderr } = await running.ended;
    expect(stderr).toMatch(/sending Ctrl-C to StepId=\d+\.0\nmgpu-srun: forcing job termination\n/);
    expect(code).toBe(130);
    const [id] = await cluster.queue("%i", "-t", "all", "-n", "twice");
    await cluster.untilState(Number(id), "CANCELLED");
  });

  test("Ctrl-C twice ends also what ignores it, after the kill wait", async () => {
    const running = await started("trap '' INT TERM; echo up; while :; do sleep 0.1; done");
    kill(running.pid, "SIGINT");
    await says(running, "one more within 1 sec");
    kill(running.pid, "SIGINT");
    expect((await running.ended).code).toBe(137);
  });

  test("TERM and USR1 are passed on", async () => {
    const running = await started(
      "trap 'echo usr1' USR1; trap 'echo term; exit 3' TERM; echo up; while :; do sleep 0.05; done",
    );
    kill(running.pid, "SIGUSR1");
    await prints(running, "usr1\n");
    kill(running.pid, "SIGTERM");
    expect(await running.ended).toMatchObject({ code: 3, stdout: "up\nusr1\nterm\n" });
  });

  test("scancel ends it, and it is said so", async () => {
    const running = await started("echo $SLURM_JOB_ID; exec sleep 1000");
    const id = running.stdout().trim();
    await cluster.ok("mgpu-scancel", [id]);
    const { code, stderr } = await running.ended;
    expect(code).toBe(143);
    // Two programs say so, each in its own time.
    const aborted = "mgpu-srun: Job step aborted: Waiting up to 32 seconds for job step to finish.\n";
    expect(stderr).toContain(aborted);
    expect(stderr.replace(aborted, "")).toMatch(
      /^slurmstepd: error: \*\*\* STEP \d+\.0 ON n1 CANCELLED AT [-\dT:]{19} \*\*\*\n.* task 0: Terminated\n$/,
    );
    expect(stderr).toContain(`STEP ${id}.0`);
  });

  test("what the job left in the background is gone, even if it ignores TERM and left the session", async () => {
    const script = `
      (trap '' TERM; while :; do sleep 0.1; done) & echo $!
      setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done' &
      sleep 0.3`;
    const { stdout, code } = await sh(script);
    const pids = stdout.trim().split("\n").map(Number);
    expect([code, pids.length]).toEqual([0, 2]);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});
