/** mgpu-scancel: which jobs it ends, how, and what it answers with. */

import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const scancel = (...args: (string | number)[]) => cluster.run("mgpu-scancel", args.map(String));
const QUIET = { code: 0, stdout: "", stderr: "" };

/** Submits a batch job that sleeps, and waits until it runs. */
async function sleeper(...args: string[]): Promise<number> {
  const id = await cluster.submit("#!/bin/sh\nexec sleep 1000\n", ["-o", "none", ...args]);
  await cluster.untilState(id, "RUNNING");
  return id;
}

/** Submits a job that has to wait for the GPUs of another. */
async function waiting(...args: string[]): Promise<number> {
  return cluster.submit("#!/bin/sh\ntrue\n", ["-o", "none", "--gpus=4", ...args]);
}

async function states(...ids: number[]): Promise<string[]> {
  return Promise.all(ids.map((id) => cluster.state(id)));
}

describe("plain", () => {
  test("ends running and waiting jobs, several at once, without a word", async () => {
    const [one, two] = [await sleeper("--gpus=1"), await sleeper()];
    const third = await waiting();
    expect(await scancel(one, two, third)).toMatchObject(QUIET);
    for (const id of [one, two, third]) await cluster.untilState(id, "CANCELLED");
    expect(await cluster.ok("mgpu-sinfo", ["-h", "-o", "%C"])).toBe("0/8/0/8\n");
  });

  test("takes comma lists", async () => {
    const ids = [await sleeper(), await sleeper()];
    expect(await scancel(ids.join(","))).toMatchObject(QUIET);
    for (const id of ids) await cluster.untilState(id, "CANCELLED");
  });

  test("is content with jobs that are over or never were", async () => {
    const id = await cluster.submit("#!/bin/sh\n", ["-o", "none"]);
    await cluster.untilState(id, "COMPLETED");
    expect(await scancel(id)).toMatchObject(QUIET);
    expect(await scancel(99_999)).toMatchObject(QUIET);
    expect(await scancel(99_999, id, "12_3")).toMatchObject(QUIET);
    expect(await cluster.state(id)).toBe("COMPLETED");
    const { stderr, code } = await scancel("-v", 99_999);
    expect(code).toBe(0);
    expect(stderr).toBe(
      "mgpu-scancel: Terminating job 99999\n" +
        "mgpu-scancel: error: Kill job error on job id 99999: Invalid job id specified\n",
    );
  });

  test("sends TERM first, and KILL to those who do not go", async () => {
    const script = "#!/bin/sh\ntrap 'echo got term' TERM\necho up\nwhile :; do sleep 0.05; done\n";
    const id = await cluster.submit(script, ["-o", "stubborn.txt"]);
    await cluster.until(() => cluster.has("stubborn.txt") && cluster.read("stubborn.txt") === "up\n", "it is up");
    await scancel(id);
    await cluster.until(() => cluster.read("stubborn.txt").includes("got term"), "TERM arrived");
    expect(await cluster.state(id)).toBe("COMPLETING");
    await cluster.untilState(id, "CANCELLED");
    expect(cluster.processes().filter(({ command }) => command.includes("sleep"))).toEqual([]);
  });
});

describe("filters", () => {
  test("-n, -t, -u, --me, -p, alone and together", async () => {
    const [a, b, other] = [
      await sleeper("-J", "a"),
      await sleeper("-J", "b"),
      await sleeper("-J", "other", "--gpus=1"),
    ];
    const late = await waiting("-J", "b");
    expect(await scancel("-n", "b", "-t", "PENDING")).toMatchObject(QUIET);
    await cluster.untilState(late, "CANCELLED");
    expect(await states(a, b, other)).toEqual(["RUNNING", "RUNNING", "RUNNING"]);
    expect(await scancel("--name=a,b", "-u", userInfo().username, "-p", "main")).toMatchObject(QUIET);
    for (const id of [a, b]) await cluster.untilState(id, "CANCELLED");
    expect(await cluster.state(other)).toBe("RUNNING");
    expect(await scancel("-u", "nobody")).toMatchObject(QUIET);
    expect(await scancel("-u", "no-such-user")).toMatchObject({
      code: 1,
      stderr: "mgpu-scancel: error: Invalid user name: no-such-user\n",
    });
    expect(await cluster.state(other)).toBe("RUNNING");
    expect(await scancel("--me")).toMatchObject(QUIET);
    await cluster.untilState(other, "CANCELLED");
  });

  test("names count with their case, where squeue doesn't care for it", async () => {
    const id = await sleeper("-J", "Cased");
    expect(await scancel("-n", "cased")).toMatchObject(QUIET);
    expect(await cluster.queue("%i", "-n", "cASED")).toEqual([`${id}`]);
    expect(await cluster.state(id)).toBe("RUNNING");
    expect(await scancel("-n", "Cased")).toMatchObject(QUIET);
    await cluster.untilState(id, "CANCELLED");
  });

  test("with ids: only those of them that fit", async () => {
    const [a, b] = [await sleeper("-J", "a"), await sleeper("-J", "b")];
    expect(await scancel("-n", "b", a, b)).toMatchObject(QUIET);
    await cluster.untilState(b, "CANCELLED");
    expect(await cluster.state(a)).toBe("RUNNING");
    await scancel(a);
  });
});

describe("--signal", () => {
  test("goes to the running steps, with options behind the id", async () => {
    const script = "trap 'echo usr1; exit 0' USR1; echo $SLURM_JOB_ID; while :; do sleep 0.05; done";
    const running = cluster.start("mgpu-srun", ["sh", "-c", script]);
    await cluster.until(() => running.stdout().includes("\n"), "it is up");
    const id = Number(running.stdout());
    expect(await scancel(id, "--signal", "USR1")).toMatchObject(QUIET);
    expect(await running.ended).toMatchObject({ code: 0, stdout: `${id}\nusr1\n` });
    expect(await cluster.state(id)).toBe("COMPLETED");
  });

  test.each(["TERM", "SIGTERM", "term", "15"])("--signal=%s ends a sleeping task, which fails", async (name) => {
    const running = cluster.start("mgpu-srun", ["sh", "-c", "echo $SLURM_JOB_ID; exec sleep 1000"]);
    await cluster.until(() => running.stdout().includes("\n"), "it is up");
    const id = Number(running.stdout());
    expect(await scancel("-s", name, id)).toMatchObject(QUIET);
    expect((await running.ended).code).toBe(143);
    expect(await cluster.state(id)).toBe("FAILED");
  });

  test("KILL ends the job itself", async () => {
    const id = await sleeper();
    expect(await scancel("--signal=KILL", id)).toMatchObject(QUIET);
    await cluster.untilState(id, "CANCELLED");
  });

  test("of a step by its number", async () => {
    const running = cluster.start("mgpu-srun", ["sh", "-c", "echo $SLURM_JOB_ID; exec sleep 1000"]);
    await cluster.until(() => running.stdout().includes("\n"), "it is up");
    expect(await scancel("--signal=INT", `${running.stdout().trim()}.0`)).toMatchObject(QUIET);
    expect((await running.ended).code).toBe(130);
  });

  test("reports jobs that did not get it", async () => {
    const id = await cluster.submit("#!/bin/sh\n", ["-o", "none"]);
    await cluster.untilState(id, "COMPLETED");
    const busy = await sleeper("--gpus=4");
    const late = await waiting();
    expect(await scancel(99_999, "--signal", "TERM")).toMatchObject({
      code: 1,
      stderr: "mgpu-scancel: error: Kill job error on job id 99999: Invalid job id specified\n",
    });
    expect(await scancel("-s", "USR1", id)).toMatchObject({
      code: 1,
      stderr: `mgpu-scancel: error: Kill job error on job id ${id}: Job/step already completing or completed\n`,
    });
    expect(await scancel("-s", "USR1", late)).toMatchObject({
      code: 1,
      stderr: `mgpu-scancel: error: Kill job error on job id ${late}: Job is pending execution\n`,
    });
    expect(await scancel("-Q", "-s", "USR1", late)).toMatchObject({ code: 1, stderr: "" });
    await scancel(busy, late);
  });
});

describe("the command line", () => {
  test.each<[string[], string]>([
    [[], "mgpu-scancel: error: No job identification provided\n"],
    [["twelve"], "mgpu-scancel: error: Invalid job id twelve\n"],
    [["-s", "SIGNOTHING", "1"], "mgpu-scancel: error: Unknown job signal: SIGNOTHING\n"],
    [["-t", "SLEEPING"], "mgpu-scancel: error: Invalid job state specified: SLEEPING\n"],
    [["x", "y"], "mgpu-scancel: error: Invalid job id x\nmgpu-scancel: error: Invalid job id y\n"],
  ])("%s is refused", async (args, message) => {
    const { code, stderr } = await scancel(...args);
    expect(code).toBe(1);
    expect(stderr.slice(0, message.length)).toBe(message);
  });

  test("nothing is cancelled if one of the words is wrong", async () => {
    const id = await sleeper();
    expect((await scancel(id, "twelve")).code).toBe(1);
    expect(await cluster.state(id)).toBe("RUNNING");
    await scancel(id);
  });
});
