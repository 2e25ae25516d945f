/** A controller and eight nodes, each a machine of its own in a network namespace, and what networks do to them. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LAB_PORT, Lab } from "./support/lab.ts";

const NODES = ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"];

describe.skipIf(!Lab.isPossible)("nine machines (needs root and iproute2)", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = new Lab({ machines: ["ctl", ...NODES, "wire"], env: { MGPU_FAKE_GPUS: "1" } });
    await lab.startCluster("ctl", NODES);
  }, 120_000);

  afterAll(() => lab?.stop(), 120_000);

  test("one job over all of them", async () => {
    const output = await lab.machine("ctl").ok("mgpu-srun", ["-N8", "hostname"]);
    expect(output.split("\n").sort()).toEqual(["", ...NODES]);
  });

  /** The code with which a TCP connection fails, "" if it is made, "silence" if nothing is heard for a second. */
  const knock = (from: string, host: string): Promise<string> => {
    const script = `const s = require("net").connect(${LAB_PORT}, process.argv[1]);
      s.on("error", (e) => end(e.code)).on("connect", () => end(""));
      setTimeout(() => end("silence"), 1000);
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
