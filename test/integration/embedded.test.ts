/** The default on one machine: the first command starts everything, once, and `mgpu down` ends it. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { kill, TestCluster } from "./support/cluster.ts";

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.stop());

const socketOf = (): string => JSON.parse(readFileSync(join(cluster.home, "endpoint.json"), "utf8")).socket;
const controllers = (): number => cluster.processes().filter(({ command }) => command.includes("mgpuctld.cjs")).length;

test("a first command starts the daemons, says so in one line, and runs", async () => {
  const first = await cluster.run("mgpu-srun", ["--gpus", "1", "sh", "-c", "echo on $CUDA_VISIBLE_DEVICES"]);
  expect(first).toMatchObject({ code: 0, stdout: "on 0\n" });
  expect(first.stderr).toBe("mgpu-srun: started mgpu on this machine: 4 GPUs, 8 CPUs (mgpu down ends it)\n");
  expect((await cluster.run("mgpu-srun", ["true"])).stderr).toBe("");
  const daemons = await cluster.daemons();
  expect(daemons.map((one) => one.daemon)).toEqual(["mgpuctld", "mgpud", "mgpu-stepd"]);
  for (const { pid } of daemons) expect(existsSync(`/proc/${pid}`)).toBe(true);
});

test("ten first commands at once start one", async () => {
  const commands = Array.from({ length: 10 }, (_, i) => cluster.run("mgpu-srun", ["echo", String(i)]));
  const ran = await Promise.all(commands);
  expect(ran.map(({ stdout, code }) => `${code} ${stdout}`)).toEqual(ran.map((_, i) => `0 ${i}\n`));
  expect(ran.filter(({ stderr }) => stderr.includes("started mgpu"))).toHaveLength(1);
  expect(controllers()).toBe(1);
});

test("stale socket and endpoint files are seen through", async () => {
  await cluster.ok("mgpu-srun", ["true"]);
  const socket = socketOf();
  const pid = await cluster.pidOf("mgpuctld");
  kill(pid, "SIGKILL");
  await cluster.until(() => !existsSync(`/proc/${pid}`), "the daemon is gone");
  expect(existsSync(socket)).toBe(true);
  expect((await cluster.run("mgpu", ["status"])).code).toBe(1);
  expect(await cluster.ok("mgpu-srun", ["echo", "again"])).toBe("again\n");
  // An endpoint file that names another's pid and a socket that does not exist.
  await cluster.ok("mgpu", ["down"]);
  writeFileSync(join(cluster.home, "endpoint.json"), JSON.stringify({ socket: "/nowhere.sock", pid: 1, version: "0" }));
  expect(await cluster.ok("mgpu-srun", ["echo", "third"])).toBe("third\n");
  await cluster.ok("mgpu", ["down"]);
  writeFileSync(join(cluster.home, "endpoint.json"), "{ half a fi");
  expect(await cluster.ok("mgpu-srun", ["echo", "fourth"])).toBe("fourth\n");
});

test("mgpu up, status and down", async () => {
  expect((await cluster.run("mgpu", ["status"])).code).toBe(1);
  expect((await cluster.run("mgpu", ["down"])).code).toBe(0);
  expect(await cluster.ok("mgpu", ["up"])).toContain("4 GPUs");
  const pid = await cluster.pidOf("mgpuctld");
  expect((await cluster.run("mgpu", ["up"])).code).toBe(0);
  expect(await cluster.pidOf("mgpuctld")).toBe(pid);
  const status = JSON.parse(await cluster.ok("mgpu", ["status", "--json"]));
  for (const daemon of status.daemons) {
    expect(daemon).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/), pid: expect.any(Number) });
    expect(daemon.uptime ?? daemon.uptime_s ?? daemon.startedAt).toBeDefined();
  }
  await cluster.ok("mgpu", ["down"]);
  expect(cluster.processes()).toEqual([]);
  expect(existsSync(socketOf())).toBe(false);
});

test("mgpu down refuses while jobs run, and ends them with --force", async () => {
  const job = await cluster.submit("#!/bin/sh\ntrap '' TERM\nsleep 1000 & wait\nsleep 1000\n");
  await cluster.untilState(job, "RUNNING");
  const waiting = await cluster.submit("#!/bin/sh\ntrue\n", ["-n", "8", "-o", "after.out"]);
  const srun = cluster.start("mgpu-srun", ["-n", "8", "true"]);
  await cluster.until(() => srun.stderr().includes("queued and waiting"), "the srun waits");
  const refused = await cluster.run("mgpu", ["down"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`job ${job} is still running`);
  expect(refused.stderr).toContain("--force");
  expect(await cluster.state(job)).toBe("RUNNING");
  await cluster.ok("mgpu", ["down", "--force"]);
  expect(cluster.processes()).toEqual([]);
  expect((await srun.ended).code).toBe(1);
  expect(cluster.processes()).toEqual([]);
  // What waited is still in the queue of the next start.
  await cluster.untilState(waiting, "COMPLETED");
  expect(await cluster.state(job)).toBe("CANCELLED");
});

test("jobs outlive the daemons' orderly restart by SIGTERM", async () => {
  const job = await cluster.submit("#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.02; done\necho done\n", ["-o", "out"]);
  await cluster.untilState(job, "RUNNING");
  const pid = await cluster.pidOf("mgpuctld");
  kill(pid, "SIGTERM");
  await cluster.until(() => !existsSync(`/proc/${pid}`), "the daemon ended");
  cluster.write("go", "");
  await cluster.until(() => cluster.has("out") && cluster.read("out") === "done\n", "the script went on");
  await cluster.untilState(job, "COMPLETED");
});

describe("trouble is told", () => {
  test("a state folder that can't be made", async () => {
    const ran = await cluster.run("mgpu-srun", ["true"], { env: { MGPU_HOME: "/dev/null/mgpu" } });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toMatch(/\/dev\/null\/mgpu/);
    expect(ran.stderr).not.toMatch(/\bat .*\.js:/);
  });

  test("a controller that can't be reached: what was tried and what to do", async () => {
    const ran = await cluster.run("mgpu-squeue", [], { env: { MGPU_CONTROLLER: join(cluster.folder, "none.sock") } });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("none.sock");
    expect(ran.stderr).toContain("hint:");
    expect(controllers()).toBe(0);
  });

  test("something else that listens at the socket does not hang a command", async () => {
    const path = join(cluster.folder, "other.sock");
    const server = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const ran = await cluster.run("mgpu-squeue", [], { env: { MGPU_CONTROLLER: path } });
    server.close();
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/error/);
  });

  test("bad settings of the daemon: every problem, and nothing started", async () => {
    const env = { MGPU_KILL_WAIT: "soon", MGPU_CPUS: "-1", MGPU_MEMORY: "0" };
    const ran = await cluster.run("mgpu-srun", ["true"], { env });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('MGPU_KILL_WAIT: expected seconds, got "soon"');
    expect(ran.stderr).toContain('MGPU_CPUS: expected a count, at least 1, got "-1"');
    expect(ran.stderr).toContain('MGPU_MEMORY: expected MiB, at least 1, got "0"');
    expect(controllers()).toBe(0);
  });

  test("a runtime folder that belongs to nobody in particular is made private", async () => {
    await cluster.ok("mgpu-srun", ["true"]);
    const folder = dirname(socketOf());
    await cluster.ok("mgpu", ["down"]);
    await cluster.until(() => !existsSync(folder), "the last daemon has removed it");
    mkdirSync(folder, { mode: 0o777 });
    await cluster.ok("mgpu-srun", ["true"]);
    // Root's daemons serve others too: they may pass through, to sockets of their own, and see nothing.
    const mode = process.getuid?.() === 0 ? "711" : "700";
    expect((await cluster.ok("stat", ["-c", "%a", folder])).trim()).toBe(mode);
    expect(readdirSync(folder)).toContain("controller.sock");
  });
});
