/** mgpu-sinfo on one machine with four GPUs, idle and busy. */

import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HeldJob, TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_MEMORY: "16000" } });
beforeAll(() => cluster.ok("mgpu-sinfo", []));
afterAll(() => cluster.stop());

const sinfo = (...args: string[]) => cluster.ok("mgpu-sinfo", args);

/** Runs `body` while a job has some of the node. */
async function whileHeld(args: readonly string[], body: () => Promise<void>): Promise<void> {
  const held: HeldJob = await cluster.hold(args);
  try {
    await body();
  } finally {
    await held.release();
  }
}

describe("an idle node", () => {
  test("the usual table", async () => {
    expect(await sinfo()).toBe(
      "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\nmain*        up   infinite      1   idle n1\n",
    );
    expect(await sinfo("-h")).toBe("main*        up   infinite      1   idle n1\n");
  });

  test("load and free memory, as the node daemon tells them", async () => {
    await cluster.until(
      async () => /^\d+\.\d\d [1-9]\d*\n$/.test(await sinfo("-h", "-N", "-o", "%O %e")),
      "the node tells how it is doing",
    );
    const { sinfo: rows } = JSON.parse(await sinfo("--json"));
    expect(rows).toMatchObject([
      { node: { state: ["IDLE"] }, nodes: { nodes: ["n1"], total: 1 }, memory: { free: { minimum: { set: true } } } },
    ]);
  });

  test("-N, -l, -s", async () => {
    expect(await sinfo("-N")).toBe("NODELIST   NODES PARTITION STATE \nn1             1     main* idle  \n");
    const [date, header, row] = (await sinfo("-N", "-l")).split("\n");
    expect(date).toMatch(/^\w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}$/);
    expect(header?.split(/ +/).slice(0, 7)).toEqual([
      "NODELIST",
      "NODES",
      "PARTITION",
      "STATE",
      "CPUS",
      "S:C:T",
      "MEMORY",
    ]);
    expect(row?.split(/ +/).slice(0, 7)).toEqual(["n1", "1", "main*", "idle", "8", "1:8:1", "16000"]);
    expect(await sinfo("-s")).toMatch(
      /^PARTITION AVAIL {2}TIMELIMIT +NODES\(A\/I\/O\/T\) NODELIST\nmain\* .* 0\/1\/0\/1 n1\n$/,
    );
  });

  test("formats: the partition, plain and starred; what the node has", async () => {
    expect(await sinfo("-o", "%P")).toBe("PARTITION\nmain*\n");
    expect(await sinfo("-h", "-o", "%R")).toBe("main\n");
    expect(await sinfo("-h", "-o", "%N|%n|%D|%T|%t|%C|%F|%G|%l|%c|%m|%f")).toBe(
      `n1|${hostname().split(".")[0]}|1|idle|idle|0/8/0/8|0/1/0/1|gpu:fake:4|infinite|8|16000|(null)\n`,
    );
    expect(await sinfo("-hNo%N,%t")).toBe("n1,idle\n");
    expect(await sinfo("--noheader", "--Node", "--form=[%.6N]")).toBe("[    n1]\n");
  });

  test("--gpus: a row for each node", async () => {
    const [header, row] = (await sinfo("--gpus")).split("\n");
    expect(header).toMatch(/^NODELIST +STATE +CPUS\(A\/T\) +GPUS\(A\/T\) +GPU_TYPE +GPU_IDS_FREE$/);
    expect(row).toMatch(/^n1 +idle +0\/8 +0\/4 +\S+ +0,1,2,3$/);
  });
});

describe("a busy node", () => {
  test("is mixed while some of it is free, and shows what is taken", async () => {
    await whileHeld(["--gpus", "1", "-c", "2"], async () => {
      expect(await sinfo("-h", "-o", "%t %T %C %F")).toBe("mix mixed 2/6/0/8 1/0/0/1\n");
      expect(await sinfo("--gpus", "-h")).toMatch(/^n1 +mixed +2\/8 +1\/4 +\S+ +1,2,3\n$/);
    });
    expect(await sinfo("-h", "-o", "%t %C")).toBe("idle 0/8/0/8\n");
  });

  test("is allocated when all CPUs are", async () => {
    await whileHeld(["-n", "1", "-c", "8"], async () => {
      expect(await sinfo("-h", "-o", "%t %T %C")).toBe("alloc allocated 8/0/0/8\n");
    });
  });
});

describe("filters", () => {
  test("nodes, partitions, states", async () => {
    expect(await sinfo("-h", "-o", "%N", "-n", "n1,n2")).toBe("n1\n");
    expect(await sinfo("-h", "-N", "-o", "%N", "-n", "n[2-9]")).toBe("");
    expect(await sinfo("-h", "-o", "%P", "-p", "main")).toBe("main*\n");
    expect(await sinfo("-h", "-p", "nope")).toBe("");
    expect(await sinfo("-h", "-N", "-o", "%N", "-t", "idle,mix")).toBe("n1\n");
    expect(await sinfo("-h", "-N", "-o", "%N", "--state=down")).toBe("");
    expect(await sinfo("-h", "-N", "-p", "main", "-o", "%N|%t", "-e")).toBe("n1|idle\n");
  });

  test.each<[string[], string]>([
    [["-t", "asleep"], 'mgpu-sinfo: error: Bad state string: "asleep"\n'],
    [["-n", "n["], "mgpu-sinfo: error: Invalid node list: n[\n"],
    [["--frob"], "mgpu-sinfo: error: unrecognized option '--frob'\n"],
    [["word"], "mgpu-sinfo: error: Unrecognized option: word\n"],
  ])("%s is refused", async (args, message) => {
    const { code, stdout, stderr } = await cluster.run("mgpu-sinfo", args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.slice(0, message.length)).toBe(message);
  });
});
