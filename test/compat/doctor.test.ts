/**
 * mgpu doctor on machines of a lab with planted faults: each is named, with what to do about it. At the end the table
 * of faults and findings is printed.
 */

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LAB_PORT, Lab } from "./support/lab.ts";
import { otherVersion } from "./support/other-version.ts";

const HOUR_MS = 3_600_000;

/** Where the system's PATH leads for python3, links resolved: a mount covers the file. */
function systemPython(): string {
  const PATH = "/usr/local/bin:/usr/bin:/bin";
  return execFileSync("sh", ["-c", "readlink -f $(command -v python3)"], { env: { PATH }, encoding: "utf8" }).trim();
}

interface Finding {
  readonly where: string;
  readonly what: string;
  readonly verdict: string;
  readonly text: string;
  readonly fix: string;
}

describe.skipIf(!Lab.isPossible)("mgpu doctor (needs root and iproute2)", () => {
  const folder = mkdtempSync(join(tmpdir(), "mgd-"));
  const tools = join(folder, "tools");
  const table: string[][] = [];
  let lab: Lab;

  const makeProgram = (path: string, says: string): string => {
    writeFileSync(path, `#!/bin/sh\n${says}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  /** The nvidia-smi and the system's python3 of a machine, as mounts; `null` for one that it lacks. */
  const machineTools = (name: string, python: string, smi: string | null): Record<string, string> => {
    const path = join(folder, name);
    mkdirSync(path);
    if (smi !== null) makeProgram(join(path, "nvidia-smi"), smi);
    // The doctor of root looks at the system's python3 alone, whatever PATH says.
    return { [tools]: path, [systemPython()]: makeProgram(join(folder, `${name}-python3`), python) };
  };

  beforeAll(async () => {
    const python = "echo version 3.11.2; echo torch 2.5.1; echo cuda 12.1";
    const smi = "echo 550.54, Enabled";
    mkdirSync(tools);
    const mismatch = "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18";
    const pci = join(folder, "pci");
    mkdirSync(join(pci, "0000:01:00.0"), { recursive: true });
    writeFileSync(join(pci, "0000:01:00.0/vendor"), "0x10de\n");
    writeFileSync(join(pci, "0000:01:00.0/class"), "0x030200\n");
    const path = `${tools}:${process.env.PATH}`;
    lab = new Lab({
      machines: ["ctl", "n1", "n2", "n3", "n4", "cli", "old"],
      env: { MGPU_FAKE_GPUS: "", PATH: `${join(import.meta.dirname, "../../bin")}:${path}` },
      clockShiftMs: { n2: -HOUR_MS },
      binds: {
        n1: machineTools("n1", python.replace("3.11.2", "3.9.1"), smi),
        n2: machineTools("n2", python, smi),
        n3: { ...machineTools("n3", "echo version 3.11.2", null), "/sys/bus/pci/devices": pci },
        n4: machineTools("n4", python, mismatch),
      },
    });
    // A disk of its own, which is to be full.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "none", makeHome("n3")]);
    await lab.startCluster("ctl", ["n1", "n2", "n3", "n4"]);
    await lab.machine("cli").ok("mgpu", ["login", `lab=${await keyOf("cli")}`]);
  }, 120_000);

  afterAll(async () => {
    const n3 = lab.machine("n3");
    rmSync(join(n3.home, "filler"), { force: true });
    try {
      await n3.run("mgpu", ["leave", "--force"]);
      execFileSync("umount", ["-l", n3.home]);
      await lab.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const width = Math.max(...table.map(([fault = ""]) => fault.length));
    console.log(table.map(([fault = "", found]) => `${fault.padEnd(width)}  ${found}`).join("\n"));
  }, 120_000);

  function makeHome(name: string): string {
    mkdirSync(lab.machine(name).home, { recursive: true });
    return lab.machine(name).home;
  }

  /** `ctl:7411#user/NAME/1:...` */
  async function keyOf(name: string): Promise<string> {
    const text = await lab.machine("ctl").ok("mgpu", ["key", "issue", name, "--user", "root", "--role", "operator"]);
    const line = /^mgpu login (?:\S+=)?\S+#(\S+)$/m.exec(text)?.[1];
    if (!line) throw new Error(`no key in: ${text}`);
    return `ctl:${LAB_PORT}#${line}`;
  }

  /** What a doctor on a machine finds. The exit code says whether anything fails. */
  async function ask(machine: string, args: readonly string[] = [], env: Record<string, string> = {}) {
    const ran = await lab.machine(machine).run("mgpu", ["doctor", "--json", ...args], { env });
    const { findings, verdict } = JSON.parse(ran.stdout || "{}") as { findings: Finding[]; verdict: string };
    expect(ran.code, ran.stderr).toBe(verdict === "fail" ? 1 : 0);
    return findings;
  }

  /** Notes the finding that names a fault; every one of them comes with what to do. */
  function named(fault: string, findings: readonly Finding[], what: string, text: RegExp, verdict = "fail"): void {
    const found = findings.filter((one) => one.what === what && text.test(one.text));
    expect(found, `${fault}: ${JSON.stringify(findings.filter((one) => one.verdict !== "ok"))}`).toHaveLength(1);
    const [finding] = found;
    expect(finding).toMatchObject({ verdict, fix: expect.stringMatching(/\S/) });
    table.push([fault, `${verdict === "fail" ? "FAIL" : verdict}  ${what}: ${finding?.text} -> ${finding?.fix}`]);
  }

  test("nothing fails on the way while nothing is planted there", async () => {
    const findings = await ask("cli", ["ctl"]);
    const way = findings.filter(({ where }) => where === `the way to ctl:${LAB_PORT}`);
    expect(way.map(({ what, verdict }) => `${what} ${verdict}`)).toEqual([
      ...["name ok", "route ok", "port ok", "key ok", "version ok"],
    ]);
  });

  test("faults of the way", async () => {
    const target = `ctl:${LAB_PORT}`;
    const text = (await lab.machine("cli").run("mgpu", ["doctor", "ctl:7999"])).stdout;
    expect(text).toMatch(/^ {2}FAIL {2}port +nobody listens there \(connection refused\)\n +fix: on ctl: mgpu status/m);
    named("port closed", await ask("cli", ["ctl:7999"]), "port", /nobody listens there/);
    named("wrong name", await ask("cli", ["nobody"]), "name", /the name nobody is unknown here/);
    const faults: [string, () => () => void, string, RegExp][] = [
      [
        "firewall drops the controller's port",
        () => lab.drop({ from: "cli", to: "ctl", port: LAB_PORT }),
        "firewall",
        /ctl answers, but port 7411 is silent/,
      ],
      ["one-way cut, there", () => lab.cut("cli", "ctl"), "port", /no answer at port 7411 or any other/],
      ["one-way cut, back", () => lab.cut("ctl", "cli"), "port", /no answer at port 7411 or any other/],
      ["no route", () => lab.unroute({ from: "cli", to: "ctl" }), "port", /there is no route to it/],
    ];
    for (const [fault, plant, what, words] of faults) {
      const mend = plant();
      named(fault, await ask("cli", [target]), what, words);
      mend();
    }
  }, 120_000);

  test("every command says the same of them, with the doctor as the next step", async () => {
    const mend = lab.unroute({ from: "cli", to: "ctl" });
    for (const [program, ...args] of [["mgpu-squeue"], ["mgpu-srun", "true"], ["mgpu", "status"], ["mgpu-sinfo"]]) {
      const { code, stderr } = await lab.machine("cli").run(program ?? "", args);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(
        /can't reach the controller at ctl:7411: there is no route to it\n.*; mgpu doctor ctl:7411/,
      );
    }
    mend();
  });

  test("keys: wrong, unknown here, revoked", async () => {
    const wrong = `ctl:${LAB_PORT}#operator/cli/1:${"0".repeat(64)}`;
    named("wrong key", await ask("cli", [], { MGPU_CONTROLLER: wrong }), "key", /operator\/cli\/1: wrong key/);
    named(
      "no key",
      await ask("n1", [`ctl:${LAB_PORT}`], { MGPU_HOME: join(folder, "none") }),
      "key",
      /no key for it here/,
    );
    const MGPU_CONTROLLER = await keyOf("visitor");
    await lab.machine("ctl").ok("mgpu", ["key", "revoke", "visitor"]);
    named("revoked key", await ask("cli", [], { MGPU_CONTROLLER }), "key", /it does not know this key/);
  }, 60_000);

  test("a controller of another version", async () => {
    const old = lab.machine("old");
    const PATH = `${otherVersion(join(folder, "other"))}:${process.env.PATH}`;
    const mgpu = join(folder, "other/bin/mgpu");
    await old.ok(mgpu, ["up", "--listen", `0.0.0.0:${LAB_PORT}`], { env: { PATH } });
    const text = await old.ok(mgpu, ["key", "issue", "cli", "--user", "root", "--role", "operator"], { env: { PATH } });
    const key = /#(\S+)$/m.exec(text)?.[1];
    const findings = await ask("cli", [], { MGPU_CONTROLLER: `old:${LAB_PORT}#${key}` });
    named("version differs", findings, "version", /client speaks protocol 1\.0 .* mgpuctld speaks protocol 9\.0/);
    await old.ok(mgpu, ["down", "--force"], { env: { PATH } });
  }, 60_000);

  test("faults of the client's own machine", async () => {
    const sealed = join(folder, "sealed");
    mkdirSync(sealed);
    execFileSync("mount", ["--bind", sealed, sealed]);
    try {
      execFileSync("mount", ["-o", "remount,ro,bind", sealed]);
      const findings = await ask("cli", [], { MGPU_HOME: sealed });
      named("read-only state", findings, "state folder", /can't be written: Read-only file system/);
    } finally {
      execFileSync("umount", [sealed]);
    }
    const env = { NODE_OPTIONS: `--require=${join(import.meta.dirname, "support/shifted-clock.cjs")}` };
    const findings = await ask("cli", [], { ...env, LAB_CLOCK_SHIFT_MS: "90000" });
    named("clock of the client off", findings, "clock", /the controller's clock is (89|9\d)\.\d s behind/, "warn");
  }, 60_000);

  test("faults of nodes, told from both ends", async () => {
    execFileSync("sh", ["-c", `head -c 9000000 /dev/zero >${lab.machine("n3").home}/filler || true`], {
      stdio: "ignore",
    });
    const mendWay = lab.drop({ from: "n1", to: "n2" });
    const findings = await ask("cli");
    mendWay();
    named("clock of a node off", findings, "n2", /its clock is (3599|360[0-5])\.\d s behind/, "warn");
    named("full disk", findings, "n3", /state folder: .* can't be written: No space left on device/);
    named("another python", findings, "python", /n1 has 3\.9\.1; n2, n3, n4 3\.11\.2/, "warn");
    named("node without torch", findings, "torch", /n3 has none; n1, n2, n4 2\.5\.1/);
    named("nvidia-smi missing", findings, "n3", /GPU driver: 1 NVIDIA GPU is on the bus, but nvidia-smi is missing/);
    named("driver and library differ", findings, "n4", /GPU driver: nvidia-smi: .*version mismatch/);
    named("one node can't reach another", findings, "n1", /n2 can't be reached from there: no answer/, "warn");
    const { stdout } = await lab.machine("cli").run("mgpu", ["doctor"]);
    expect(stdout).toMatch(/^ {2}NODE +MGPU +PYTHON +TORCH +DRIVER/m);
    expect(stdout).toMatch(/^ {2}n1 +\S+ +3\.9\.1 +2\.5\.1 +550\.54/m);
  }, 60_000);

  test("a node whose words do not arrive, asked on both sides", async () => {
    const mend = lab.cut("n4", "ctl");
    const [seen, own] = await Promise.all([ask("cli"), ask("n4")]);
    mend();
    named("one-way cut of a node", seen, "n4", /its mgpud did not answer within 12 s|not connected/);
    named("one-way cut, on that node", own, "port", /no answer at port 7411 or any other/);
  }, 60_000);

  test("a controller that was killed, and one that listens for itself only", async () => {
    const ctl = lab.machine("ctl");
    await ctl.ok("mgpu", ["up", "--listen", `127.0.0.1:${LAB_PORT}`]);
    named(
      "listens at loopback only",
      await ask("ctl"),
      "listening",
      /which only programs of that machine reach/,
      "warn",
    );
    await ctl.ok("mgpu", ["up", "--listen", `0.0.0.0:${LAB_PORT}`]);
    const pid = await ctl.pidOf("mgpuctld");
    process.kill(pid, "SIGKILL");
    named("controller killed", await ask("ctl"), "running", /has ended, and not by mgpu down/);
    named("controller killed, from a node", await ask("n1"), "port", /nobody listens there/);
  }, 60_000);
});
