/** mgpu-scontrol against a real queue. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const scontrol = (...args: (string | number)[]) => cluster.run("mgpu-scontrol", args.map(String));

/** One job's record, by key. */
async function record(job: number | string): Promise<Record<string, string>> {
  const line = await cluster.ok("mgpu-scontrol", ["-o", "show", "job", String(job)]);
  return Object.fromEntries([...line.matchAll(/(\S+?)=(\S*)/g)].map(([, key = "", value = ""]) => [key, value]));
}

const SLEEP = "#!/bin/sh\nexec sleep 1000\n";

describe("hold, release, suspend, resume", () => {
  test("a held job waits until it is released", async () => {
    const id = await cluster.submit("#!/bin/sh\ntrue\n", ["-o", "none", "-H"]);
    expect(await record(id)).toMatchObject({ JobState: "PENDING", Reason: "JobHeldUser", Priority: "0" });
    expect(await scontrol("release", id)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    await cluster.untilState(id, "COMPLETED");
  });
  test("jobs by name, and one that is too late", async () => {
    const job = await cluster.hold(["--gpus=4"]);
    const id = await cluster.submit(SLEEP, ["-o", "none", "-J", "named", "--gpus=1"]);
    expect(await scontrol("hold", "jobname=named")).toMatchObject({ code: 0 });
    expect((await record(id)).Reason).toBe("JobHeldUser");
    expect(await scontrol("hold", job.jobId)).toMatchObject({
      ...{ code: 1, stderr: `mgpu-scontrol: error: Job is no longer pending execution for job ${job.jobId}\n` },
    });
    await job.release();
    await cluster.ok("mgpu-scancel", [`${id}`]);
  });
  test("a suspended job stands still", async () => {
    const script = "#!/bin/sh\nwhile :; do echo x; sleep 0.05; done\n";
    const id = await cluster.submit(script, ["-o", "ticks.txt"]);
    await cluster.until(() => cluster.has("ticks.txt") && cluster.read("ticks.txt").length > 4, "it ticks");
    await cluster.ok("mgpu-scontrol", ["suspend", `${id}`]);
    await cluster.untilState(id, "SUSPENDED");
    let last = "";
    await cluster.until(() => {
      const now = cluster.read("ticks.txt");
      const isStill = now === last;
      last = now;
      return isStill;
    }, "it stands still");
    await cluster.ok("mgpu-scontrol", ["resume", `${id}`]);
    await cluster.until(() => cluster.read("ticks.txt").length > last.length, "it ticks again");
    await cluster.ok("mgpu-scancel", [`${id}`]);
  });
});

describe("requeue", () => {
  test("brings a job back; with hold it waits", async () => {
    const id = await cluster.submit(SLEEP, ["-o", "none"]);
    await cluster.untilState(id, "RUNNING");
    expect(await scontrol("requeuehold", id)).toMatchObject({ code: 0 });
    await cluster.until(async () => (await record(id)).Reason === "JobHeldUser", "it is held");
    expect(await record(id)).toMatchObject({ JobState: "PENDING", Restarts: "1" });
    await cluster.ok("mgpu-scontrol", ["release", `${id}`]);
    await cluster.untilState(id, "RUNNING");
    await cluster.ok("mgpu-scancel", [`${id}`]);
  });
  test("is refused where the job does not allow it", async () => {
    const id = await cluster.submit(SLEEP, ["-o", "none", "--no-requeue"]);
    await cluster.untilState(id, "RUNNING");
    expect(await scontrol("requeue", id)).toMatchObject({ code: 1 });
    expect(await cluster.state(id)).toBe("RUNNING");
    await cluster.ok("mgpu-scancel", [`${id}`]);
  });
});

describe("update", () => {
  test("of a waiting job", async () => {
    const id = await cluster.submit(SLEEP, ["-o", "none", "-H", "-t", "10"]);
    const changes = [
      "TimeLimit=1:00:00",
      "Nice=7",
      "Comment=now",
      "NumTasks=3",
      "JobName=other",
      "Dependency=singleton",
    ];
    expect(await scontrol("update", `JobId=${id}`, ...changes)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await record(id)).toMatchObject({
      ...{ TimeLimit: "01:00:00", Nice: "7", Comment: "now", NumTasks: "3", JobName: "other" },
      Dependency: "singleton(unfulfilled)",
    });
    await cluster.ok("mgpu-scontrol", ["update", `JobId=${id}`, "TimeLimit-=15", "Dependency="]);
    expect(await record(id)).toMatchObject({ TimeLimit: "00:45:00", Dependency: "(null)" });
    await cluster.ok("mgpu-scancel", [`${id}`]);
  });
  test("of a running job: its limit may change, its geometry not", async () => {
    const id = await cluster.submit(SLEEP, ["-o", "none", "-t", "60"]);
    await cluster.untilState(id, "RUNNING");
    await cluster.ok("mgpu-scontrol", ["update", `job=${id}`, "timelimit=30"]);
    expect((await record(id)).TimeLimit).toBe("00:30:00");
    expect(await scontrol("update", `job=${id}`, "NumTasks=2")).toMatchObject({ code: 1 });
    await cluster.ok("mgpu-scancel", [`${id}`]);
  });
  test("of an array's throttle, and tasks of it held by themselves", async () => {
    const id = await cluster.submit(SLEEP, ["-o", "none", "--array=0-9%1"]);
    await cluster.until(async () => (await cluster.queue("%T", "-j", `${id}`)).includes("RUNNING"), "one runs");
    await cluster.ok("mgpu-scontrol", ["update", `JobId=${id}`, "ArrayTaskThrottle=2"]);
    await cluster.until(
      async () => (await cluster.queue("%T", "-r", "-j", `${id}`)).filter((state) => state === "RUNNING").length === 2,
      "two run",
    );
    await cluster.ok("mgpu-scontrol", ["hold", `${id}_[5-6]`]);
    expect((await cluster.queue("%i %r", "-j", `${id}`)).join("\n")).toContain(`${id}_[5-6%2] JobHeldUser`);
    await cluster.ok("mgpu-scancel", [`${id}`]);
    await cluster.until(async () => (await cluster.queue("%i")).length === 0, "all are gone");
  });
});

describe("the others", () => {
  test("top, write, wait_job, ping, and commands from standard input", async () => {
    const job = await cluster.hold(["--gpus=4"]);
    const ids = [
      await cluster.submit(SLEEP, ["-o", "none", "-G1"]),
      await cluster.submit(SLEEP, ["-o", "none", "-G1"]),
    ];
    await cluster.ok("mgpu-scontrol", ["top", `${ids[1]}`]);
    expect(await cluster.queue("%i", "-t", "PD", "--sort=-p")).toEqual([`${ids[1]}`, `${ids[0]}`]);
    expect(await cluster.ok("mgpu-scontrol", ["write", "batch_script", `${ids[0]}`, "-"])).toBe(SLEEP);
    await cluster.ok("mgpu-scontrol", ["write", "batch_script", `${ids[0]}`]);
    expect(cluster.read(`slurm-${ids[0]}.sh`)).toBe(SLEEP);
    const waiting = cluster.start("mgpu-scontrol", ["wait_job", `${ids[0]}`]);
    await job.release();
    expect((await waiting.ended).code).toBe(0);
    expect(await cluster.ok("mgpu-scontrol", ["ping"])).toMatch(/^Slurmctld\(primary\) at \S+ is UP\n$/);
    const input = `show hostnames n[1-2]\nshow job ${ids[0]}\nnonsense\nquit\n`;
    const { code, stdout } = await cluster.run("mgpu-scontrol", [], { input });
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^n1\nn2\nJobId=${ids[0]} JobName=`));
    await cluster.ok("mgpu-scancel", ids.map(String));
  });
});
