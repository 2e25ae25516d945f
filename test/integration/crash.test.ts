/** kill -9 of controller and node daemon, in the middle of things: nothing is lost, doubled or forgotten. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kill, type Running, TestCluster } from "./support/cluster.ts";

/** Prints numbered lines for a few seconds; what must arrive is known to the byte. */
const LINES = 400;
const NUMBERS = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; sleep 0.01; done";
const EXPECTED = Array.from({ length: LINES }, (_, i) => `line ${i + 1}\n`).join("");

describe("separate daemons", () => {
  const cluster = new TestCluster();
  let controller: Running;
  let node: Running;
  beforeAll(async () => {
    ({ controller, node } = await cluster.startSeparate());
  });
  afterAll(() => cluster.stop());

  const restartController = async (): Promise<void> => {
    kill(controller.pid, "SIGKILL");
    await controller.ended;
    controller = cluster.start("mgpuctld", []);
    await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller is back");
  };
  const restartNode = async (): Promise<void> => {
    kill(node.pid, "SIGKILL");
    await node.ended;
    node = cluster.start("mgpud", ["--node-id", "n1"]);
  };

  test("a batch job and an srun live through both deaths, with every byte and the right exit code", async () => {
    const batch = await cluster.submit(`#!/bin/sh\n${NUMBERS}\nexit 5\n`, ["-o", "batch.out"]);
    const srun = cluster.start("mgpu-srun", ["--gpus", "1", "sh", "-c", `${NUMBERS}; exit 3`]);
    const waiting = await cluster.submit("#!/bin/sh\necho waited\n", ["--gpus", "4", "-o", "waiting.out"]);
    await cluster.until(() => srun.stdout().includes("line 20\n"), "the srun prints");
    const before = await cluster.ok("mgpu-squeue", ["-h", "-o", "%i %T %j %b"]);
    await restartController();
    expect(await cluster.ok("mgpu-squeue", ["-h", "-o", "%i %T %j %b"])).toBe(before);
    await restartNode();
    await cluster.until(() => srun.stdout().includes("line 120\n"), "the srun goes on");
    await restartNode();
    await restartController();
    const ran = await srun.ended;
    expect(ran.stdout).toBe(EXPECTED);
    expect(ran.code).toBe(3);
    await cluster.untilState(batch, "FAILED");
    expect(cluster.read("batch.out")).toBe(EXPECTED);
    await cluster.untilState(waiting, "COMPLETED");
    expect(cluster.read("waiting.out")).toBe("waited\n");
    expect(await cluster.ok("mgpu-sinfo", ["-h", "-o", "%T"])).toBe("idle\n");
  });

  test("no command takes the place of a controller that was started apart from its node", async () => {
    kill(controller.pid, "SIGKILL");
    await controller.ended;
    const refused = await cluster.run("mgpu-squeue", []);
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toMatch(/hint: mgpuctld ran here apart from its node daemons.*\n$/);
    controller = cluster.start("mgpuctld", []);
    await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller is back");
    await cluster.until(
      async () => (await cluster.ok("mgpu-sinfo", ["-h", "-o", "%N %T"])) === "n1 idle\n",
      "its node",
    );
  });

  test("a batch script that ends while no daemon lives is found with its exit status", async () => {
    const job = await cluster.submit("#!/bin/sh\necho $$ > pid\nwhile [ ! -e go ]; do sleep 0.02; done\nexit 7\n", []);
    await cluster.until(() => cluster.has("pid") && cluster.read("pid").endsWith("\n"), "the script runs");
    const pid = cluster.read("pid").trim();
    kill(controller.pid, "SIGKILL");
    kill(node.pid, "SIGKILL");
    await Promise.all([controller.ended, node.ended]);
    cluster.write("go", "");
    await cluster.until(() => !readdirSync("/proc").includes(pid), "the script is over");
    controller = cluster.start("mgpuctld", []);
    node = cluster.start("mgpud", ["--node-id", "n1"]);
    await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller is back");
    await cluster.untilState(job, "FAILED");
    expect(await cluster.ok("mgpu-squeue", ["-t", "all", "-j", `${job}`, "--json"])).toMatch(
      /"return_code":\s*\{[^}]*7/,
    );
  });

  test("200 acknowledged submissions are there after kill -9 at once", async () => {
    const ids: number[] = [];
    const submitting = Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 25; i++)
        ids.push(await cluster.submit("#!/bin/sh\ntrue\n", ["--gpus", "4", "-o", "/dev/null"]));
    });
    await Promise.all(submitting);
    kill(controller.pid, "SIGKILL");
    await controller.ended;
    expect(new Set(ids).size).toBe(200);
    controller = cluster.start("mgpuctld", []);
    await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller is back");
    const known = (await cluster.ok("mgpu-squeue", ["-h", "-t", "all", "-o", "%i"])).trim().split("\n").map(Number);
    expect(ids.filter((id) => !known.includes(id))).toEqual([]);
    const waiting = (): Promise<string> => cluster.ok("mgpu-squeue", ["-h"]);
    await cluster.until(async () => (await waiting()) === "", "all of them ran", 90_000);
    const states = await cluster.ok("mgpu-squeue", ["-h", "-t", "all", "-o", "%i %T"]);
    for (const id of ids) expect(states).toContain(`${id} COMPLETED`);
  });
});

describe("the embedded default", () => {
  const cluster = new TestCluster();
  afterAll(() => cluster.stop());

  test("the daemon's death under a running srun: the client starts another, and nothing is lost", async () => {
    const srun = cluster.start("mgpu-srun", ["sh", "-c", `${NUMBERS}; exit 4`]);
    await cluster.until(() => srun.stdout().includes("line 10\n"), "the srun prints");
    const first = await cluster.pidOf("mgpuctld");
    kill(first, "SIGKILL");
    const ran = await srun.ended;
    expect(ran.stdout).toBe(EXPECTED);
    expect(ran.code).toBe(4);
    expect(await cluster.pidOf("mgpuctld")).not.toBe(first);
    await cluster.untilState(1, "FAILED");
  });

  test("1,000 jobs from 4 clients at once run exactly once, and the journal replays to the live state", async () => {
    const clients = Array.from({ length: 4 }, (_, client) =>
      cluster.ok("sh", [
        "-c",
        `for i in $(seq 250); do mgpu-sbatch --parsable -o /dev/null --wrap "echo ${client}-$i >> ran"; done`,
      ]),
    );
    const ids = (await Promise.all(clients)).join("").trim().split("\n").map(Number);
    expect(new Set(ids).size).toBe(1000);
    await cluster.until(async () => (await cluster.ok("mgpu-squeue", ["-h"])) === "", "all ran", 120_000);
    const ran = cluster.read("ran").trim().split("\n").sort();
    const expected = [0, 1, 2, 3].flatMap((client) => Array.from({ length: 250 }, (_, i) => `${client}-${i + 1}`));
    expect(ran).toEqual(expected.sort());
    const live = await queue(cluster);
    kill(await cluster.pidOf("mgpuctld"), "SIGKILL");
    expect(await queue(cluster)).toBe(live);
  }, 240_000);

  test("a torn last line is cut off, and what was acknowledged stays", async () => {
    const before = await queue(cluster);
    kill(await cluster.pidOf("mgpuctld"), "SIGKILL");
    const folder = join(cluster.home, "controller/journal");
    const newest =
      readdirSync(folder)
        .filter((name) => name.endsWith(".jsonl"))
        .sort()
        .at(-1) ?? "";
    cluster.append(join(folder, newest), '{"v":1,"seq":999999,"at":17');
    expect(await queue(cluster)).toBe(before);
    expect(cluster.logs()).toContain("nothing acknowledged is lost");
    expect(readFileSync(join(folder, newest), "utf8")).not.toContain("999999");
  });
});

describe("an srun that is killed", () => {
  const cluster = new TestCluster({ env: { MGPU_ORPHAN_WAIT: "1" } });
  afterAll(() => cluster.stop());

  test("its job gives the GPUs back after a while; a client that lives keeps its job", async () => {
    const keep = "while [ ! -e go ]; do sleep 0.05; done; echo kept";
    const kept = cluster.start("mgpu-srun", ["-J", "kept", "-G1", "sh", "-c", keep]);
    const lost = cluster.start("mgpu-srun", ["-J", "lost", "-G3", "sh", "-c", "yes"]);
    await cluster.until(() => lost.stdoutBytes().length > 100_000, "the job floods");
    const queued = cluster.start("mgpu-srun", ["-J", "queued", "-G4", "true"]);
    await cluster.until(() => queued.stderr().includes("queued and waiting"), "the third waits");
    kill(lost.pid, "SIGKILL");
    kill(queued.pid, "SIGKILL");
    const states = (): Promise<string> => cluster.ok("mgpu-squeue", ["-h", "-t", "all", "-S", "j", "-o", "%j %T"]);
    const expected = "kept RUNNING\nlost CANCELLED\nqueued CANCELLED\n";
    await cluster.until(async () => (await states()) === expected, "only the job with a client runs");
    cluster.write("go", "");
    expect(await kept.ended).toMatchObject({ code: 0, stdout: "kept\n" });
  });
});

async function queue(cluster: TestCluster): Promise<string> {
  const text = await cluster.ok("mgpu-squeue", ["-h", "-t", "all", "-o", "%i %T %j %S %e"]);
  return createHash("sha256").update(text).digest("hex");
}
