/**
 * Memory limits as the kernel keeps them, where this machine lets root make control groups; elsewhere that the node looks
 * for itself, and says why.
 */

import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openMemoryGroups } from "../../src/platform/memory-groups.ts";
import { TestCluster } from "./support/cluster.ts";
import { isRoot, type TestUser, UserLab } from "./support/users.ts";

/** What a daemon of these tests finds. */
const allowed = openMemoryGroups("mgpu-tests", false);

/** Keeps so many MiB for a while; the text is in memory once, and no more. */
const hog = (mib: number): string => `perl -e 'my $x = ""; $x .= "x" x 1048576 for 1..${mib}; sleep 60'`;

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
afterAll(() => cluster.stop());

const node = async (): Promise<string> => (await cluster.run("mgpu-scontrol", ["show", "node", "n1"])).stdout;
const told = (id: string, words: string): string =>
  `slurmstepd: error: Detected 1 oom_kill event in StepId=${id}. Some of the step tasks have been OOM Killed.\n` +
  `slurmstepd: error: ${words}\n`;

test("the node says who keeps jobs within their memory, and why", async () => {
  await cluster.run("mgpu", ["up"]);
  const words = "problem" in allowed ? `looked at once a second: ${allowed.problem}` : `cgroup v${allowed.version}, `;
  expect(await node()).toContain(`MemoryLimits=${words}`);
});

test("a job above its limit is ended either way, with its limit in words", async () => {
  const ran = await cluster.run("mgpu-srun", ["--mem=50", "sh", "-c", hog(120)]);
  expect(ran.code).toBe(137);
  const words = "problem" in allowed ? /used \d+ MiB of memory and may use 50 MiB/ : /reached its limit of 50 MiB/;
  expect(ran.stderr).toMatch(words);
});

describe.runIf("folder" in allowed)("where the kernel does", () => {
  /** Groups of jobs of any cluster of this folder. */
  const groups = async (): Promise<string[]> => {
    const folder = /MemoryLimits=cgroup v\d, (\S+)/.exec(await node())?.[1] ?? "";
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith("job_")) : [];
  };

  test("many small processes are too much together", async () => {
    const text = `for i in 1 2 3 4 5 6 7 8; do (exec ${hog(20)}) & done; wait; exec sleep 60`;
    const ran = await cluster.run("mgpu-srun", ["--mem=60", "sh", "-c", text]);
    expect(ran).toMatchObject({ code: 137, stderr: expect.stringContaining("It reached its limit of 60 MiB") });
  });

  test("a child that clears its environment and leaves its session still counts, and goes with its job", async () => {
    const text = `(env -i setsid ${hog(120)}; echo "$?") & wait; exec sleep 60`;
    const ran = await cluster.run("mgpu-srun", ["--mem=60", "sh", "-c", text]);
    expect(ran).toMatchObject({ code: 137, stdout: "137\n", stderr: expect.stringContaining("OOM Killed") });
    // Within its limit, and of no parent: nothing but its group tells of it.
    const hidden = "(env -i setsid sleep 600 >/dev/null 2>&1 & echo $! >hidden.pid); sleep 0.2";
    expect(await cluster.run("mgpu-srun", ["--mem=60", "sh", "-c", hidden])).toMatchObject({ code: 0 });
    const pid = cluster.read("hidden.pid").trim();
    await cluster.until(() => !existsSync(`/proc/${pid}`), "the hidden process is gone");
  });

  test("all steps of a job count together, the largest goes, and the job's other steps run on", async () => {
    const script = [
      "#!/bin/sh",
      `mgpu-srun --overlap -n1 sh -c ${quoted(`: >first; ${hog(60)}`)} & first=$!`,
      "while [ ! -e first ]; do sleep 0.1; done",
      `mgpu-srun --overlap -n1 sh -c ${quoted(hog(400))}; echo second $?`,
      "kill -0 $first && echo first runs; mgpu-scancel $SLURM_JOB_ID.0; wait",
    ].join("\n");
    const id = await cluster.submit(`${script}\n`, ["--mem=400", "-o", "steps.txt"]);
    await cluster.untilState(id, "COMPLETED");
    const states = await cluster.ok("mgpu-sacct", ["-nP", "-j", `${id}`, "-o", "jobid,state"]);
    expect(states).toContain(`${id}.1|OUT_OF_MEMORY\n`);
    const out = cluster.read("steps.txt");
    expect(out).toContain(told(`${id}.1`, "Its job reached its limit of 400 MiB of memory on this node."));
    expect(out).toMatch(/second 137\nfirst runs\n/);
  });

  test("a batch script runs on without its daemons, and is kept within its memory all the same", async () => {
    const script = `#!/bin/sh\n: >ready; while [ ! -e go ]; do sleep 0.1; done; ${hog(120)}\necho survived; sleep 60\n`;
    const id = await cluster.submit(script, ["--mem=50", "-o", "alone.txt"]);
    await cluster.until(() => cluster.has("ready"), "the script runs");
    for (const pid of new Set((await cluster.daemons()).map((one) => one.pid))) process.kill(pid, "SIGKILL");
    cluster.write("go", "");
    await cluster.untilState(id, "OUT_OF_MEMORY");
    expect(cluster.read("alone.txt")).toContain(`Detected 1 oom_kill event in StepId=${id}.batch`);
  });

  test("groups go with their jobs", async () => {
    await cluster.until(async () => (await groups()).length === 0, "no group is left");
  });
});

describe("node.memory_enforcement", () => {
  test("poll leaves control groups alone", async () => {
    const other = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_MEMORY_ENFORCEMENT: "poll" } });
    try {
      const ran = await other.run("mgpu-srun", ["--mem=50", "sh", "-c", `cat /proc/self/cgroup; ${hog(120)}`]);
      expect(ran.stdout).not.toContain("/mgpu/");
      expect(ran).toMatchObject({
        code: 137,
        stderr: expect.stringMatching(/used \d+ MiB of memory and may use 50 MiB/),
      });
      const { stdout } = await other.run("mgpu-scontrol", ["show", "node", "n1"]);
      expect(stdout).toContain("MemoryLimits=looked at once a second: node.memory_enforcement is poll");
    } finally {
      await other.stop();
    }
  });
});

describe.runIf(isRoot && "folder" in allowed)("jobs of other users than root", () => {
  let lab: UserLab;
  let ada: TestUser;
  beforeAll(async () => {
    lab = new UserLab({ MGPU_NODE_ID: "n1" });
    ada = lab.add("ada");
    expect(await lab.root("mgpu", ["up"])).toMatchObject({ code: 0 });
  });
  afterAll(() => lab.stop());

  test("are in groups of root's, which they can't leave or change", async () => {
    const text = [
      `group=$(sed -n 's,^[0-9]*:[a-z]*:\\(/mgpu/.*\\),\\1,p' /proc/self/cgroup | head -1); echo "$group"`,
      "for top in /sys/fs/cgroup /sys/fs/cgroup/memory; do",
      '  for file in $top$group/cgroup.procs $top/cgroup.procs; do [ -w "$file" ] && echo "may leave"; done',
      '  for file in $top$group/memory.max $top$group/memory.limit_in_bytes; do [ -w "$file" ] && echo "may change"; done',
      "done",
      hog(120),
    ].join("\n");
    const ran = await lab.as(ada, "mgpu-srun", ["--mem=50", "sh", "-c", text]);
    expect(ran.stdout).toMatch(/^\/mgpu\/n1-[0-9a-f]+\/job_1\.1\/step_0\n$/);
    expect(ran).toMatchObject({
      code: 137,
      stderr: expect.stringContaining("It reached its limit of 50 MiB of memory"),
    });
  });
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
