/** A controller and eight nodes, each a machine of its own in a network namespace, and what networks do to them. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Terminal } from "../integration/support/terminal.ts";
import { LAB_PORT, Lab } from "./support/lab.ts";

/** n8 is far away: it joins through a relay that hands on everything 50 ms later. */
const NODES = ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"];
const LATE_MS = 50;
const STREAMS = 7412;
const TIMEOUT_S = 5;

/** The prompt, behind what bash says to the terminal. */
const FAR = /(?<!')far> $/;

describe.skipIf(!Lab.isPossible)("nine machines (needs root and iproute2)", () => {
  let lab: Lab;
  /** The controller as seen through the relay. */
  let relay: string;

  beforeAll(async () => {
    const env = { MGPU_FAKE_GPUS: "1", MGPU_HEARTBEAT_MS: "1000", MGPU_NODE_TIMEOUT: `${TIMEOUT_S}` };
    lab = new Lab({ machines: ["ctl", ...NODES, "wire", "laptop"], env });
    const line = await lab.startCluster("ctl", NODES.slice(0, -1));
    relay = await lab.relay("wire", { machine: "ctl", port: LAB_PORT }, LATE_MS);
    await lab.machine("n8").ok("mgpu", ["join", line.replace(/^[^#]*/, relay)]);
    await lab.untilNodes("ctl", { n8: "idle" });
  }, 120_000);

  afterAll(() => lab?.stop(), 120_000);

  test("one job over all of them", async () => {
    const output = await lab.machine("ctl").ok("mgpu-srun", ["-N8", "hostname"]);
    expect(output.split("\n").sort()).toEqual(["", ...NODES]);
  });

  test("50 ms away: a client and a node, tasks with their streams, and a session", async () => {
    const laptop = lab.machine("laptop");
    const issued = await lab.machine("ctl").ok("mgpu", ["key", "issue", "ada", "--user", "root", "--role", "operator"]);
    const key = /#(\S+)$/m.exec(issued)?.[1];
    await laptop.ok("mgpu", ["login", `far=${relay}#${key}`]);
    // Straight to the node it would be too near.
    const mend = lab.drop({ from: "laptop", to: "n8", port: STREAMS });
    const input = "x".repeat(300_000);
    const ran = await laptop.run("mgpu-srun", ["-w", "n8", "sh", "-c", "cat; hostname >&2; exit 3"], { input });
    expect([ran.code, ran.stdout === input, ran.stderr]).toEqual([3, true, expect.stringContaining("n8\n")]);
    const terminal = new Terminal(laptop, ["mgpu-srun", "-w", "n8", "--pty", "bash", "--norc"]);
    terminal.enter("PS1='far> '");
    await terminal.shows(FAR);
    terminal.enter("echo $((6 * 7)) on $(hostname); stty size");
    await terminal.shows(/42 on n8\r\n24 80\r\n.*far> $/);
    terminal.enter("sleep 1000");
    await terminal.shows("sleep 1000");
    terminal.type("\x03");
    await terminal.shows(FAR);
    terminal.enter("exit 5");
    expect((await terminal.ended).code).toBe(5);
    mend();
    expect(await laptop.ok("mgpu-sinfo", ["-h", "-N", "-n", "n8", "-o", "%t %E"])).toBe("idle none\n");
  }, 120_000);

  test.each([
    ["n7", "ctl"],
    ["ctl", "n6"],
  ])(
    "a one-way cut from %s to %s: the node is down in time, and back when it is mended",
    async (from, to) => {
      const ctl = lab.machine("ctl");
      const node = from === "ctl" ? to : from;
      const mend = lab.cut(from, to);
      const cutMs = performance.now();
      await lab.untilNodes("ctl", { [node]: "down*" }, 60_000);
      const downS = (performance.now() - cutMs) / 1000;
      expect(await ctl.ok("mgpu-sinfo", ["-h", "-N", "-n", node, "-o", "%E"])).toBe("Not responding\n");
      mend();
      const mendedMs = performance.now();
      await lab.untilNodes("ctl", { [node]: "idle" }, 60_000);
      const backS = (performance.now() - mendedMs) / 1000;
      expect(await ctl.ok("mgpu-srun", ["-w", node, "hostname"])).toBe(`${node}\n`);
      // From the last sign of life on; the rest is for a machine that is busy with other tests.
      expect(downS).toBeLessThan(3 * TIMEOUT_S);
      const told = `cluster.node_timeout is ${TIMEOUT_S} s`;
      console.log(
        `cut from ${from} to ${to}: down after ${downS.toFixed(1)} s (${told}), back after ${backS.toFixed(1)} s`,
      );
    },
    150_000,
  );

  /** The code with which a TCP connection fails, "" if it is made, "silence" if nothing is heard for 5 seconds. */
  const knock = (from: string, host: string): Promise<string> => {
    const script = `const s = require("net").connect(${LAB_PORT}, process.argv[1]);
      s.on("error", (e) => end(e.code)).on("connect", () => end(""));
      setTimeout(() => end("silence"), 5000);
      function end(text) { process.stdout.write(text, () => process.exit()); }`;
    return lab.machine(from).ok(process.execPath, ["-e", script, host]);
  };

  test("the lab's faults are what they are called", async () => {
    expect(await knock("n1", "ctl")).toBe("");
    expect(await knock("ctl", "n1")).toBe("ECONNREFUSED");
    expect(await knock("n1", "nobody")).toBe("ENOTFOUND");
    const faults = [() => lab.drop({ from: "wire", to: "ctl", port: LAB_PORT }), () => lab.cut("ctl", "wire")];
    for (const plant of faults) {
      const mend = plant();
      expect(await knock("wire", "ctl")).toBe("silence");
      expect(await knock("n1", "ctl")).toBe("");
      mend();
      expect(await knock("wire", "ctl")).toBe("");
    }
    const mend = lab.unroute({ from: "wire", to: "ctl" });
    expect(await knock("wire", "ctl")).toBe("ENETUNREACH");
    mend();
    const before = lab.machine("wire").address;
    expect(lab.move("wire")).not.toBe(before);
    expect(await knock("wire", "ctl")).toBe("");
    expect(await knock("ctl", "wire")).toBe("ECONNREFUSED");
  });
});
