/** Several machines with clocks, folders and addresses of their own: streams, files, and what moves while jobs run. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LAB_OWN, Lab, type LabMachine } from "./support/lab.ts";

const NODES = ["n1", "n2", "n3", "n4"];
const STREAMS = 7412;
const HOUR_MS = 3_600_000;

const GLOO = join(import.meta.dirname, "support/gloo.py");
const hasTorch = existsSync("/usr/lib/python3/dist-packages/torch/distributed/run.py") || process.env.CI === "true";

/** A file's text; empty if there is none. */
const readSoft = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** What a machine has in the folder of its own. */
const own = (machine: LabMachine, name: string): string => join(machine.folder, "own", name);

describe.skipIf(!Lab.isPossible)("machines with nothing in common (needs root and iproute2)", () => {
  let lab: Lab;
  let laptop: LabMachine;
  let ctl: LabMachine;

  beforeAll(async () => {
    lab = new Lab({
      machines: ["ctl", ...NODES, "laptop"],
      env: { MGPU_FAKE_GPUS: "1", MGPU_HEARTBEAT_MS: "1000" },
      clockShiftMs: { n3: HOUR_MS, n4: -90_000 },
    });
    ctl = lab.machine("ctl");
    laptop = lab.machine("laptop");
    await lab.startCluster("ctl", NODES);
    const issued = await ctl.ok("mgpu", ["key", "issue", "ada", "--user", "root", "--role", "operator"]);
    const secret = /^mgpu login \S+?=[^#]*#(\S+)$/m.exec(issued)?.[1];
    await laptop.ok("mgpu", ["login", `lab=${ctl.address}:7411#${secret}`]);
  }, 120_000);

  afterAll(() => lab?.stop(), 120_000);

  const cat = (node: string, input: string) => laptop.run("mgpu-srun", ["-v", "-w", node, "cat"], { input });

  test("a client's streams go straight to the node, and through the controller where a firewall drops them", async () => {
    const at = lab.machine("n1").address;
    // A machine with too much to do may be slower than the controller.
    const straight = async (): Promise<boolean> => {
      const { stdout, stderr } = await cat("n1", "one");
      expect(stdout).toBe("one");
      return stderr.includes(`streams of n1: straight to ${at}:${STREAMS}\n`);
    };
    await laptop.until(straight, "the node is reached straight");
    const mend = lab.drop({ from: "laptop", to: "n1", port: STREAMS });
    const relayed = await cat("n1", "two");
    const way = `streams of n1: through the controller at ${ctl.address}:7411: ${at}:${STREAMS} has not answered yet\n`;
    expect([relayed.stdout, relayed.stderr]).toEqual(["two", expect.stringContaining(way)]);
    mend();
    await laptop.until(straight, "the node is reached straight again");
  }, 60_000);

  test("a stream that a firewall cuts in the middle goes on through the controller, without loss", async () => {
    const script = "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); sleep 0.5; done";
    const running = laptop.start("mgpu-srun", ["-v", "-w", "n2", "sh", "-c", script]);
    await laptop.until(() => running.stdout().includes("line 2\n"), "the job writes");
    const mend = lab.drop({ from: "laptop", to: "n2", port: STREAMS });
    const ended = await running.ended;
    mend();
    expect(ended.stdout).toBe(Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join(""));
    expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining("streams of n2: through the controller")]);
  }, 90_000);

  test("clocks that differ are shown, and no time of a job is wrong for it", async () => {
    const clocks = async () =>
      Object.fromEntries(
        (await ctl.ok("mgpu", ["nodes"]))
          .split("\n")
          .slice(1, -1)
          .map((line) => [line.split(/ +/)[0], line.split(/ {2,}/)[7]]),
      );
    await ctl.until(async () => JSON.stringify(await clocks()).includes("-9"), "the clocks are known");
    expect(await clocks()).toEqual({
      n1: "same",
      n2: "same",
      n3: expect.stringMatching(/^\+3(600|599)\.\ds$/),
      n4: expect.stringMatching(/^-(90|89|91)\.\ds$/),
    });
    for (const node of ["n3", "n4"]) {
      const job = await ctl.submit("#!/bin/sh\nsleep 1\n", ["-w", node, "-o", "/dev/null", "--time=10"]);
      await ctl.untilState(job, "COMPLETED");
      const fields = await ctl.ok("mgpu-sacct", ["-n", "-P", "-X", "-j", `${job}`, "-o", "ElapsedRaw,State"]);
      expect(fields).toMatch(/^\d{1,2}\|COMPLETED\n$/);
      const record = await ctl.ok("mgpu-scontrol", ["show", "node", node]);
      expect(record).toMatch(node === "n3" ? /ClockOffset=\+3[56]\d\d\.\ds/ : /ClockOffset=-[89]\d\.\ds/);
    }
  }, 60_000);

  test("files and programs get to machines that share no folder", async () => {
    writeFileSync(own(laptop, "data.bin"), "payload ".repeat(100_000));
    writeFileSync(own(laptop, "tool"), "#!/bin/sh\nexec md5sum < $1\n", { mode: 0o755 });
    const job = await laptop.submit("#!/bin/sh\nsleep 600\n", ["-N4", "-D", "/tmp", "-o", "/dev/null"]);
    await laptop.untilState(job, "RUNNING");
    await laptop.ok("mgpu-sbcast", ["-j", `${job}`, `${LAB_OWN}/data.bin`, `${LAB_OWN}/data.bin`]);
    await laptop.ok("mgpu-scancel", [`${job}`]);
    for (const name of NODES) expect(readFileSync(own(lab.machine(name), "data.bin"))).toHaveLength(800_000);
    const args = ["-N4", `--bcast=${LAB_OWN}/tool.sent`, `${LAB_OWN}/tool`, `${LAB_OWN}/data.bin`];
    const sums = await laptop.ok("mgpu-srun", args);
    expect(new Set(sums.trim().split("\n"))).toEqual(new Set(["6b70813d651a95ef971ceb0bac1bc353  -"]));
  }, 60_000);

  test.skipIf(!hasTorch)(
    "torchrun joins four machines by gloo (python3-torch)",
    async () => {
      const recipe = [
        "#!/bin/bash",
        `mgpu-srun /usr/bin/python3 -m torch.distributed.run --nnodes 4 --nproc_per_node 1 --rdzv_id "$SLURM_JOB_ID" \\`,
        // Debian's torch 1.13 knows no "0" for these with Python 3.11: stdout goes through torchrun's own files.
        `  -r 1 -t 1 --log_dir ${LAB_OWN} --rdzv_backend c10d --rdzv_endpoint "$MASTER_ADDR:$MASTER_PORT" ${GLOO}`,
        "",
      ];
      const job = await ctl.submit(recipe.join("\n"), [
        ...["-N4", "--ntasks-per-node=1", "--gpus-per-node=1", "-D", "/tmp", "-o", `${LAB_OWN}/torch.out`],
      ]);
      await ctl.until(async () => /COMPLETED|FAILED/.test(await ctl.state(job)), "the job is over", 120_000);
      const text = NODES.map((name) => readSoft(own(lab.machine(name), "torch.out"))).join("");
      const ranks = [...text.matchAll(/rank (\d) of 4 on (n\d) sees GPUs \[0\]: sum 10/g)];
      expect(ranks.map(([, rank]) => rank).sort(), text).toEqual(["0", "1", "2", "3"]);
      expect(ranks.map(([, , node]) => node).sort()).toEqual(NODES);
    },
    180_000,
  );

  test("a node whose address changes is found at the new one, and goes on with what it runs", async () => {
    const job = await ctl.submit("#!/bin/sh\nwhile ! test -e go; do sleep 0.1; done\n", [
      ...["-w", "n1", "-D", lab.machine("n1").work, "-o", "/dev/null"],
    ]);
    await ctl.untilState(job, "RUNNING");
    const address = lab.move("n1");
    await ctl.until(
      async () => (await ctl.ok("mgpu-sinfo", ["-h", "-N", "-n", "n1", "-o", "%o %t"])) === `${address} mix\n`,
      "the node is back",
    );
    const isStraight = async () => (await cat("n1", "x")).stderr.includes(`straight to ${address}:${STREAMS}`);
    await laptop.until(isStraight, "it is reached straight at its new address");
    lab.machine("n1").write("go", "");
    await ctl.untilState(job, "COMPLETED");
    const where = await ctl.ok("mgpu-srun", ["-w", "n1,n2", "-N2", "sh", "-c", "echo $MASTER_ADDR"]);
    expect(where).toBe(`${address}\n`.repeat(2));
  }, 60_000);
});
