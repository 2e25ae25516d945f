/** mgpu-salloc: allocations with a command, a shell, or nothing in them. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive, kill, TestCluster } from "./support/cluster.ts";
import { Terminal } from "./support/terminal.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_ORPHAN_WAIT: "2" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const salloc = (...args: string[]) => cluster.run("mgpu-salloc", args);

/** Starts a salloc whose command says its job's number and then waits for a line. */
async function held(...args: string[]) {
  const script = 'echo "$SLURM_JOB_ID"; read -r line';
  const running = cluster.start("mgpu-salloc", [...args, "sh", "-c", script]);
  await cluster.until(
    () => running.stdout().endsWith("\n"),
    () => `the command runs: ${running.stderr()}`,
  );
  return { running, jobId: Number(running.stdout()) };
}

describe("a command", () => {
  test("runs here, with the allocation's variables; srun fills the allocation", async () => {
    const script = 'echo "$SLURM_JOB_NODELIST $SLURM_NTASKS $SLURM_GPUS"; mgpu-srun -l echo task; exit 4';
    const { code, stdout, stderr } = await salloc("-n2", "--gpus=2", "sh", "-c", script);
    expect(code).toBe(4);
    const [first, ...tasks] = stdout.trimEnd().split("\n");
    expect([first, ...tasks.sort()]).toEqual(["n1 2 2", "0: task", "1: task"]);
    const jobId = /Granted job allocation (\d+)\n/.exec(stderr)?.[1];
    expect(stderr).toBe(
      `mgpu-salloc: Granted job allocation ${jobId}\nmgpu-salloc: Relinquishing job allocation ${jobId}\n`,
    );
    await cluster.untilState(Number(jobId), "FAILED");
  });
  test("that is missing gives the job back", async () => {
    const { code, stderr } = await salloc("no-such-program");
    expect(code).toBe(1);
    expect(stderr).toContain('error: Unable to exec command "no-such-program": No such file or directory\n');
    await cluster.until(async () => (await cluster.queue("%i")).length === 0, "nothing is left");
  });
  test("waits for its resources; --immediate does not", async () => {
    const job = await cluster.hold(["--gpus=4"]);
    expect(await salloc("-I", "--gpus=1", "true")).toMatchObject({ code: 1 });
    const waiting = cluster.start("mgpu-salloc", ["--gpus=1", "true"]);
    await cluster.until(() => waiting.stderr().includes("queued and waiting for resources\n"), "it waits");
    await job.release();
    const { code, stderr } = await waiting.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/Pending job allocation (\d+)\n(?:.*\n)+?.*job \1 has been allocated resources\n.*Granted/);
  });
});

describe("the end", () => {
  test("of the job is told; the command goes on unless --kill-command", async () => {
    const { running, jobId } = await held();
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
    await cluster.until(() => running.stderr().includes(`Job allocation ${jobId} has been revoked.\n`), "it is told");
    running.child.stdin?.end("x\n");
    expect((await running.ended).code).toBe(0);
    const other = await held("-K");
    await cluster.ok("mgpu-scancel", [`${other.jobId}`]);
    expect((await other.running.ended).code).toBe(1);
  });
  test("of salloc, even by force, is the end of the job", async () => {
    const { running, jobId } = await held();
    kill(running.pid, "SIGKILL");
    await cluster.untilState(jobId, "CANCELLED");
    running.child.stdin?.end();
    await running.ended;
  });
  test("by HUP gives the job back without the command; TERM is the command's", async () => {
    const { running, jobId } = await held();
    kill(running.pid, "SIGHUP");
    await cluster.untilState(jobId, "COMPLETED", "FAILED", "CANCELLED");
    running.child.stdin?.end();
    expect(isAlive(running.pid)).toBe(false);
    const other = await held();
    kill(other.running.pid, "SIGTERM");
    expect((await other.running.ended).code).toBe(1);
  });
  test("--no-shell: only scancel ends it", async () => {
    const { stderr } = await salloc("--no-shell", "--gpus=1");
    const jobId = Number(/Granted job allocation (\d+)/.exec(stderr)?.[1]);
    expect(await cluster.ok("mgpu-srun", ["--jobid", `${jobId}`, "-n1", "echo", "in"])).toBe("in\n");
    // A job that lost its salloc later than this one is ended by now.
    const orphan = await held();
    kill(orphan.running.pid, "SIGKILL");
    await cluster.untilState(orphan.jobId, "CANCELLED");
    orphan.running.child.stdin?.end();
    expect(await cluster.state(jobId)).toBe("RUNNING");
    await cluster.ok("mgpu-scancel", [`${jobId}`]);
    await cluster.untilState(jobId, "CANCELLED");
  });
});

describe("at a terminal", () => {
  test("a shell has its job control, and its exit code is salloc's", async () => {
    const terminal = new Terminal(cluster, ["mgpu-salloc", "--gpus=1"], { env: { SHELL: "/bin/bash", PS1: "$ " } });
    await terminal.shows("Granted job allocation");
    terminal.enter("echo job=$SLURM_JOB_ID=");
    const jobId = Number((await terminal.shows(/job=(\d+)=/))[1]);
    terminal.enter("sleep 1000");
    await cluster.until(() => cluster.processes().some(({ command }) => command.startsWith("sleep 1000")), "it sleeps");
    terminal.type("\x03");
    terminal.enter("echo code=$?=");
    await terminal.shows("code=130=");
    terminal.enter("exit 3");
    await terminal.shows(`Relinquishing job allocation ${jobId}`);
    await cluster.untilState(jobId, "FAILED");
  });
  test("Ctrl-C while it waits takes the request back", async () => {
    const job = await cluster.hold(["--gpus=4"]);
    const terminal = new Terminal(cluster, ["mgpu-salloc", "--gpus=1"]);
    await terminal.shows("queued and waiting for resources");
    terminal.type("\x03");
    await terminal.shows(/Job allocation \d+ has been revoked\./);
    await terminal.shows("Job aborted due to signal");
    await job.release();
    await cluster.until(async () => (await cluster.queue("%i")).length === 0, "nothing waits");
  });
});
