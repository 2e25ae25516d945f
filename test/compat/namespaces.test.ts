/**
 * Two machines on one: each node daemon in a network namespace and under a host name of its own, joined by a pair of
 * virtual Ethernet devices. Only the file system, and so the controller's socket, is shared.
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";

const PROGRAM = join(import.meta.dirname, "support/ring.py");
const IP = "/usr/sbin/ip";

const canMakeThem = process.getuid?.() === 0 && existsSync(IP);
const isNeeded = process.env.CI === "true";

const ip = (...args: string[]): void => void execFileSync(IP, args, { stdio: "pipe" });

/** Names of the namespaces, which the whole machine shares; devices live inside and may have plain ones. */
const name = (letter: string): string => `mgt-${process.pid}-${letter}`;
const MACHINES = [
  { letter: "a", device: "va", address: "10.213.7.1" },
  { letter: "b", device: "vb", address: "10.213.7.2" },
];

function makeNamespaces(): void {
  for (const { letter } of MACHINES) ip("netns", "add", name(letter));
  ip("link", "add", "va", "netns", name("a"), "type", "veth", "peer", "name", "vb", "netns", name("b"));
  for (const { letter, device, address } of MACHINES) {
    ip("-n", name(letter), "address", "add", `${address}/24`, "dev", device);
    for (const one of ["lo", device]) ip("-n", name(letter), "link", "set", one, "up");
  }
}

describe.skipIf(!canMakeThem && !isNeeded)("two network namespaces (needs root and iproute2)", () => {
  const cluster = new TestCluster({ env: { MGPU_FAKE_GPUS: "2" } });

  /** A node daemon on one of the machines, under a name that the other can't resolve. */
  const startNode = (letter: string, ...args: string[]): void => {
    const script = `hostname mgt-host-${letter} && exec mgpud --node-id ${letter} --cpus 4 --memory 1000 "$@"`;
    cluster.start(IP, ["netns", "exec", name(letter), "unshare", "--uts", "sh", "-c", script, "sh", ...args]);
  };

  beforeAll(async () => {
    makeNamespaces();
    cluster.start("mgpuctld", []);
    await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller answers");
    startNode("a");
    startNode("b", "--address", "10.213.7.2");
    const nodes = async () => (await cluster.run("mgpu-sinfo", ["-h", "-N", "-o", "%N %t"])).stdout;
    await cluster.until(async () => (await nodes()) === "a idle\nb idle\n", "both nodes are there");
  });

  afterAll(async () => {
    try {
      await cluster.stop();
    } finally {
      for (const { letter } of MACHINES) ip("netns", "del", name(letter));
    }
  });

  test("each node tells the address at which the other reaches it", async () => {
    expect(await cluster.ok("mgpu-sinfo", ["-h", "-N", "-o", "%N %n %o"])).toBe(
      "a mgt-host-a 10.213.7.1\nb mgt-host-b 10.213.7.2\n",
    );
  });

  test("tasks of both meet at MASTER_ADDR and MASTER_PORT", async () => {
    const output = await cluster.ok("mgpu-srun", ["-N2", "--ntasks-per-node=2", "python3", PROGRAM]);
    expect(output).toBe("4 tasks met at 10.213.7.1: a a b b\n");
  });

  test("a batch script's steps do, too, and a node alone needs no network", async () => {
    const job = await cluster.submit(
      `#!/bin/sh\nsrun() { mgpu-srun "$@"; }\nsrun -N2 -n2 python3 ${PROGRAM}\nsrun -N1 -n2 -w b python3 ${PROGRAM}\n`,
      ["-N2", "--ntasks-per-node=2", "-o", "out.txt"],
    );
    await cluster.untilState(job, "COMPLETED", "FAILED");
    expect(cluster.read("out.txt")).toMatch(/^2 tasks met at 10.213.7.1: a b\n2 tasks met at \S+: b b\n$/);
  });
});
