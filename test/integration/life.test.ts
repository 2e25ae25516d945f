/** The life of the daemons when what they stand on is taken away: sockets, journal, state folder, settings, each other. */

import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isAlive, kill, TestCluster } from "./support/cluster.ts";

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.stop());

const runFolder = (): string => join(cluster.folder, "run");
const UNTIL_GO = "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\necho done\n";

/** Kills the controller and its node daemon, and waits until they are gone. */
async function crash(): Promise<void> {
  const pid = await cluster.pidOf("mgpuctld");
  kill(pid, "SIGKILL");
  await cluster.until(() => !isAlive(pid), "the daemon is gone");
}

describe("sockets whose folder is removed", () => {
  test("come back, and nothing that ran is lost", async () => {
    const job = await cluster.submit(UNTIL_GO, ["-o", "out"]);
    const held = await cluster.hold();
    const daemons = await cluster.daemons();
    rmSync(runFolder(), { recursive: true });
    expect(await cluster.daemons()).toEqual(daemons.map((one) => expect.objectContaining({ pid: one.pid })));
    expect(await cluster.ok("mgpu-srun", ["echo", "still here"])).toBe("still here\n");
    cluster.write("go", "");
    expect((await held.release()).code).toBe(0);
    await cluster.untilState(job, "COMPLETED");
    await cluster.ok("mgpu", ["down"]);
    expect(cluster.processes()).toEqual([]);
  });

  test("come back although the node daemon died meanwhile: its holder is found again", async () => {
    const held = await cluster.hold();
    const holder = await cluster.pidOf("mgpu-stepd");
    const pid = await cluster.pidOf("mgpuctld");
    rmSync(runFolder(), { recursive: true });
    kill(pid, "SIGKILL");
    await cluster.until(() => !isAlive(pid), "the daemon is gone");
    await cluster.ok("mgpu", ["up"]);
    expect(await cluster.pidOf("mgpu-stepd")).toBe(holder);
    expect((await held.release()).code).toBe(0);
  });

  test("that can't come back: commands name the daemon and what to do, and nobody stays for ever", async () => {
    await cluster.ok("mgpu-srun", ["true"]);
    const [controller, , holder] = (await cluster.daemons()).map(({ pid }) => pid);
    rmSync(runFolder(), { recursive: true });
    symlinkSync("/proc/nowhere", runFolder());
    const tries = [["status"], ["down"], ["down", "--force"]].map((words) => cluster.run("mgpu", words));
    for (const { code, stdout, stderr } of await Promise.all(tries)) {
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(`mgpuctld (pid ${controller}) runs on this machine, but can't be reached`);
      expect(stderr).toContain(`kill ${controller} ends it`);
    }
    expect(cluster.logs()).toContain("the socket is gone and can't be made again");
    for (const pid of [controller, holder]) kill(pid ?? 0, "SIGTERM");
    await cluster.until(() => cluster.processes().length === 0, "both have ended");
    rmSync(runFolder());
    expect(await cluster.ok("mgpu-srun", ["echo", "again"])).toBe("again\n");
  });
});

test("a holder that is told to end says why it stays, and ends after the last step", async () => {
  const held = await cluster.hold();
  const holder = await cluster.pidOf("mgpu-stepd");
  kill(holder, "SIGTERM");
  await cluster.until(() => cluster.logs().includes("staying until they have ended"), "it says so");
  expect(isAlive(holder)).toBe(true);
  expect((await held.release()).code).toBe(0);
  await cluster.until(() => !isAlive(holder), "it has ended");
  expect(await cluster.ok("mgpu-srun", ["echo", "with another"])).toBe("with another\n");
});

test("a damaged journal: what was dropped is told until it is acknowledged, and no job id comes twice", async () => {
  for (let i = 0; i < 4; i++) await cluster.submit("#!/bin/sh\ntrue\n", ["-o", "/dev/null"]);
  await cluster.until(async () => (await cluster.queue("%i")).length === 0, "all ran");
  await crash();
  const folder = join(cluster.home, "controller/journal");
  const path = join(folder, readdirSync(folder)[0] ?? "");
  const lines = readFileSync(path, "utf8").split("\n");
  const damaged = lines.with(3, `${lines[3]?.slice(0, 20)}#`).join("\n");
  writeFileSync(path, damaged);
  expect(await cluster.submit("#!/bin/sh\ntrue\n", ["-o", "/dev/null"])).toBe(1001);
  const status = await cluster.run("mgpu", ["status"]);
  expect(status.code).toBe(1);
  expect(status.stdout).toMatch(
    /problem {2}.*line 4: this is no JSON object; dropped from there on: records .*jobs 2, 3, 4 submitted/,
  );
  const [, note = ""] = /delete (\S+) once/.exec(status.stdout) ?? [];
  expect(JSON.parse((await cluster.run("mgpu", ["status", "--json"])).stdout).problems.join()).toContain(note);
  expect(cluster.logs()).toContain("dropped from there on");
  expect(readFileSync(`${path}.damaged`, "utf8")).toBe(damaged);
  rmSync(note);
  expect((await cluster.run("mgpu", ["status"])).code).toBe(0);
  await crash();
  expect(await cluster.submit("#!/bin/sh\ntrue\n", ["-o", "/dev/null"])).toBe(1002);
});

test("settings outlive a crash, give way to the environment, and end with mgpu down", async () => {
  const started = (gpus: number, cpus: number): string =>
    `mgpu-srun: started mgpu on this machine: ${gpus} GPUs, ${cpus} CPUs (mgpu down ends it)`;
  const unset = ["-u", "MGPU_FAKE_GPUS", "-u", "MGPU_CPUS", "mgpu-srun", "true"];
  await cluster.ok("mgpu", ["up"]);
  await crash();
  expect((await cluster.run("env", unset)).stderr).toBe(`${started(4, 8)}\n`);
  await crash();
  expect((await cluster.run("mgpu-srun", ["true"], { env: { MGPU_FAKE_GPUS: "2" } })).stderr).toBe(
    `${started(2, 8)}; MGPU_FAKE_GPUS is 2 here, it was 4\n`,
  );
  await cluster.ok("mgpu", ["down"]);
  expect((await cluster.run("env", ["MGPU_CPUS=5", ...unset.slice(0, 2), ...unset.slice(4)])).stderr).not.toContain(
    "2 GPUs",
  );
});

test("a state folder that is removed takes no more jobs, says so, and mgpu can be ended and started anew", async () => {
  const job = await cluster.submit("#!/bin/sh\nsleep 1000\n", ["-o", "/dev/null"]);
  await cluster.untilState(job, "RUNNING");
  rmSync(cluster.home, { recursive: true });
  const refused = await cluster.run("mgpu-sbatch", ["--wrap", "true"]);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toMatch(/journal was removed or replaced while mgpu ran\n.*hint: .*mgpu down --force/);
  const status = await cluster.run("mgpu", ["status", "--json"]);
  expect([status.code, JSON.parse(status.stdout).problem]).toEqual([1, expect.stringContaining("removed or replaced")]);
  expect(existsSync(cluster.home)).toBe(false);
  await cluster.ok("mgpu", ["down", "--force"]);
  await cluster.until(() => cluster.processes().length === 0, "all has ended");
  expect(await cluster.ok("mgpu-srun", ["echo", "anew"])).toBe("anew\n");
});

test("mgpu down --force says whom it waits for, and leaves no folder of sockets", async () => {
  const job = await cluster.submit("#!/bin/sh\ntrap '' TERM\nsleep 1000\nsleep 1000\n", ["-o", "/dev/null"]);
  await cluster.untilState(job, "RUNNING");
  const down = await cluster.run("mgpu", ["down", "--force"]);
  expect(down.stderr).toMatch(
    new RegExp(`^mgpu down: waiting for job ${job} to end; KILL follows at \\d\\d:\\d\\d:\\d\\d\n$`),
  );
  expect(down.stdout).toBe(`mgpu has ended; 1 job cancelled: ${job}\n`);
  await cluster.until(() => readdirSync(runFolder()).length === 0, "the folder of sockets is gone");
});

test("mgpu down and mgpu-srun at the same moment: it runs or is refused, and nothing is left behind", async () => {
  for (let i = 0; i < 6; i++) {
    await cluster.ok("mgpu", ["up"]);
    const down = cluster.run("mgpu", ["down"]);
    // Each round a little later, so that srun meets each stage of the end.
    await new Promise((resolve) => setTimeout(resolve, i * 20));
    const srun = await cluster.run("mgpu-srun", ["-J", `round-${i}`, "sh", "-c", `echo ${i} >> ran; echo ${i}`]);
    const ended = await down;
    const refusal = /mgpu is being ended|Job has been cancelled: mgpu down/;
    if (srun.code === 0) expect(srun.stdout).toBe(`${i}\n`);
    else expect(srun.stderr).toMatch(refusal);
    if (ended.code !== 0) expect(ended.stderr).toContain("still running");
    const rounds = cluster.has("ran") ? cluster.read("ran").trim().split("\n") : [];
    expect(rounds.includes(String(i))).toBe(srun.code === 0);
    expect(await cluster.queue("%j")).toEqual([]);
  }
});
