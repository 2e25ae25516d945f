/**
 * The same questions to a cluster of mgpu's own and to Slurm (Debian's), from one table: submission, queries, control, the
 * terminal UI. What differs is listed in the manual page mgpu-slurm, and nowhere else.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";
import { Terminal } from "../integration/support/terminal.ts";
import { openTui } from "../integration/support/tui.ts";
import { SlurmCluster } from "./support/slurm-cluster.ts";

interface Backend {
  readonly name: "mgpu" | "slurm";
  cluster: TestCluster;
  start(hasAccounting?: boolean): Promise<void>;
  stop(): Promise<void>;
}

let slurm: SlurmCluster | null = null;

/** Longest until a screen has noticed that Slurm's controller is away, or back. */
const RETURN_MS = 100_000;

const BACKENDS: readonly Backend[] = [
  {
    name: "mgpu",
    cluster: null as never,
    async start() {
      this.cluster = new TestCluster();
      await this.cluster.startNodes([{ name: "n1", cpus: 8, gpus: 4 }]);
    },
    async stop() {
      await this.cluster.stop();
    },
  },
  {
    name: "slurm",
    cluster: null as never,
    async start(hasAccounting = false) {
      const lines = ["MessageTimeout=5", "KillWait=10"];
      slurm = await SlurmCluster.start({ nodes: 1, gpus: 4, shards: 16, lines, hasAccounting });
      this.cluster = new TestCluster({ env: { SLURM_CONF: slurm.env.SLURM_CONF ?? "", MGPU_BACKEND: "slurm" } });
    },
    async stop() {
      await slurm?.stop();
      await this.cluster.stop();
    },
  },
];

describe.each(BACKENDS)("a cluster of $name", (backend) => {
  beforeAll(() => backend.start());
  afterAll(() => backend.stop());

  test("runs a program in the foreground, with its output, input and exit code", async () => {
    const { cluster } = backend;
    const ran = await cluster.run("mgpu-srun", ["-n2", "sh", "-c", "echo $SLURM_PROCID; exit 7"]);
    expect(ran.stdout.split("\n").sort()).toEqual(["", "0", "1"]);
    expect(ran.code).toBe(7);
    expect((await cluster.run("mgpu-srun", ["cat"], { input: "typed\n" })).stdout).toBe("typed\n");
  });

  test("has sessions that are left, listed and come back to, with their screen and exit code", async () => {
    const { cluster } = backend;
    const argv = ["mgpu-srun", "--pty", "--gpus=1", "-J", "seat", "bash", "--norc"];
    const first = new Terminal(cluster, argv, { columns: 90, rows: 20 });
    await first.shows(/bash-\d/);
    first.enter("echo gpu=$CUDA_VISIBLE_DEVICES job=$SLURM_JOB_ID.$SLURM_STEP_ID; stty size");
    const [, id] = await first.shows(/gpu=0 job=(\d+)\.0\r\n20 90/);
    first.type("\x1cd");
    await first.shows(`mgpu-srun: detached from job ${id}; attach again with: mgpu-sattach ${id}`);
    expect((await first.ended).code).toBe(0);
    expect(await cluster.ok("mgpu", ["screens"])).toMatch(
      new RegExp(`^JOBID .*\\n${id} +\\S+ +n1 +\\S+ +90x20 +no, for \\S+ +\\S+ +bash --norc\\n$`),
    );
    const second = new Terminal(cluster, ["mgpu-sattach", `${id}`], { columns: 70, rows: 20 });
    await second.shows(/gpu=0 job=\d+\.0/);
    second.enter("stty size; exit 7");
    await second.shows("20 70");
    expect((await second.ended).code).toBe(7);
    await cluster.untilState(Number(id), "FAILED");
    expect(await cluster.ok("mgpu", ["screens"])).toMatch(/^no sessions/);
  });

  test("queues a script with directives, shows it in the queue and in words, and its output", async () => {
    const { cluster } = backend;
    const script = "#!/bin/sh\n#SBATCH --job-name=table --gpus=2\n#SBATCH -c 2\necho it ran; exec sleep 600\n";
    const id = await cluster.submit(script, ["--time=10", "--comment=a remark"]);
    await cluster.untilState(id, "RUNNING");
    expect(await cluster.queue("%i|%j|%T|%C|%N|%l|%k|%r", "-j", `${id},${id}`)).toEqual([
      `${id}|table|RUNNING|2|n1|10:00|a remark|None`,
    ]);
    const [job] = JSON.parse(await cluster.ok("mgpu-squeue", ["--json", "-j", `${id},${id}`])).jobs;
    expect(job).toMatchObject({ job_id: id, name: "table", nodes: "n1" });
    await cluster.until(async () => (await cluster.run("mgpu", ["logs", `${id}`])).stdout === "it ran\n", "its output");
    expect(await cluster.ok("mgpu", ["why", `${id}`])).toMatch(
      /^Job \d+ \(table, \w+\) runs for .* on n1 \(GPUs n1:0,1\)/,
    );
    expect(await cluster.ok("mgpu", ["queue"])).toMatch(
      /table +running on n1:gpu0,gpu1\n[\s\S]*n1: 4 GPUs \(2 free, 2 busy\)/,
    );
    expect(await cluster.ok("mgpu", ["status"])).toMatch(/jobs +1 running, 0 waiting/);
    await cluster.ok("mgpu-scancel", [`${id}`]);
    await cluster.untilState(id, "CANCELLED");
    expect(await cluster.ok("mgpu", ["why", `${id}`])).toContain("was cancelled");
  });

  test("says why a job waits, and what it lacks", async () => {
    const { cluster } = backend;
    const first = await cluster.submit("#!/bin/sh\nexec sleep 600\n", ["--gpus=3", "-J", "big"]);
    await cluster.untilState(first, "RUNNING");
    const late = await cluster.submit("#!/bin/sh\ntrue\n", ["--gpus=2", "-J", "late"]);
    const held = await cluster.submit("#!/bin/sh\ntrue\n", ["--hold", "-J", "held"]);
    await cluster.until(
      async () => (await cluster.queue("%r", "-j", `${late},${late}`))[0] === "Resources",
      "it waits",
    );
    const why = await cluster.ok("mgpu", ["why", `${late}`]);
    expect(why).toMatch(/waits: Resources/);
    expect(why).toMatch(/n1 +busy .*1\/4.*lacks 1 GPU more/);
    expect(why).toMatch(new RegExp(`Held by[\\s\\S]*${first} .* n1 +3 `));
    expect((await cluster.queue("%i %r", "-t", "PD", "-n", "held"))[0]).toBe(`${held} JobHeldUser`);
    await cluster.ok("mgpu-scontrol", ["release", `${held}`]);
    await cluster.untilState(held, "COMPLETED");
    await cluster.ok("mgpu", ["cancel", `${first}`, `${late}`]);
    await cluster.untilState(first, "CANCELLED");
    await cluster.untilState(late, "CANCELLED");
  });

  test("runs the tasks of an array, and each is found by its name", async () => {
    const { cluster } = backend;
    const script =
      "#!/bin/sh\necho task $SLURM_ARRAY_TASK_ID\n[ $SLURM_ARRAY_TASK_ID = 2 ] && exec sleep 600\nexit 3\n";
    const id = await cluster.submit(script, ["--array=1-2"]);
    const rows = () => cluster.queue("%i %T", "-t", "all", "-j", `${id}`);
    const isSeen = (row: string) => async () => (await rows()).includes(row);
    await cluster.until(isSeen(`${id}_1 FAILED`), "the first task fails");
    await cluster.until(isSeen(`${id}_2 RUNNING`), "the second task runs");
    expect(await cluster.ok("mgpu", ["logs", `${id}_1`])).toContain("task 1");
    expect(await cluster.ok("mgpu", ["why", `${id}_1`])).toContain("failed with exit code 3");
    await cluster.ok("mgpu-scancel", [`${id}_2`]);
    await cluster.until(isSeen(`${id}_2 CANCELLED`), "the second task is cancelled");
  });

  test("shows jobs on the whole screen, where they are looked at and cancelled", async () => {
    const { cluster } = backend;
    const id = await cluster.submit("#!/bin/sh\necho hello from the job\nexec sleep 600\n", ["-J", "talker"]);
    await cluster.untilState(id, "RUNNING");
    const { terminal, sees } = openTui(cluster, ["mgpu-squeue"]);
    await sees(new RegExp(`${id} .*talker .* R `));
    terminal.type("/talker\r");
    await sees(/1\/1/);
    terminal.type("l");
    await sees(/following[\s\S]*hello from the job/);
    terminal.type("q");
    terminal.type("\r");
    await sees(/How it goes[\s\S]*runs for/);
    terminal.type("qc");
    await sees(/Cancel job \d+ \(talker, \w+\)\? \[y\/N\]/);
    terminal.type("y");
    await cluster.untilState(id, "CANCELLED");
    await sees(/no job matches "talker"/);
    terminal.type("q");
    expect((await terminal.ended).code).toBe(0);
  });

  test("refuses what nobody knows in the same words", async () => {
    const { cluster } = backend;
    const why = await cluster.run("mgpu", ["why", "999999"]);
    expect([why.code, why.stderr]).toEqual([1, expect.stringContaining("Invalid job id specified: 999999")]);
    const listed = await cluster.run("mgpu-squeue", ["-j", "999999"]);
    expect([listed.code, listed.stderr]).toEqual([1, "slurm_load_jobs error: Invalid job id specified\n"]);
    const refused = await cluster.run("mgpu-sbatch", ["--partition=nowhere", "--wrap", "true"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("invalid partition specified: nowhere");
  });
});

describe("a cluster of slurm", () => {
  const backend = BACKENDS[1] ?? expect.unreachable();
  let centre: SlurmCluster;
  beforeAll(async () => {
    await backend.start(true);
    centre = slurm ?? expect.unreachable();
  });
  afterAll(() => backend.stop());

  test("is told in its own words what only mgpu has, or it is refused, all at once", async () => {
    const { cluster } = backend;
    const half = await cluster.run("mgpu-srun", ["--gpus=0.5", "sh", "-c", "scontrol show job $SLURM_JOB_ID"]);
    expect([half.code, half.stdout]).toEqual([0, expect.stringContaining("TresPerNode=gres:shard:2")]);
    const model = { env: { MGPU_MODELS: "llama=2" } };
    expect(
      (await cluster.run("mgpu-srun", ["--model=llama", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"], model)).stdout,
    ).toBe("0,1\n");
    await cluster.ok("sh", ["-c", "mkdir -p venv/bin; ln -s /bin/true venv/bin/python"]);
    const words = ["--venv", `${cluster.work}/venv`];
    expect(await cluster.ok("mgpu-srun", [...words, "sh", "-c", "echo $VIRTUAL_ENV"])).toBe(`${cluster.work}/venv\n`);
    const refused = await cluster.run("mgpu-srun", [
      "--allowed-gpus=0",
      "--gpu-mem=20G",
      "--inactivity-timeout=5",
      "true",
    ]);
    expect(refused.code).toBe(1);
    expect(refused.stderr.match(/error: --[a-z-]+ can't be said to Slurm: /g)).toHaveLength(3);
  });

  test("starts a batch job again that failed, with its words and its output", async () => {
    const { cluster } = backend;
    cluster.write(
      "fails.sh",
      "#!/bin/sh\n#SBATCH -o fails.out --open-mode=append\n#MGPU --retries=1\necho got $1; exit 3\n",
    );
    const id = Number((await cluster.ok("mgpu-sbatch", ["--parsable", "fails.sh", "a word"])).trim());
    const seen = async () => (await cluster.queue("%j %T %r", "-j", `${id},${id}`))[0];
    await cluster.until(async () => (await seen()) === "fails.sh PENDING BeginTime", "it is to start again");
    // Slurm leaves it two minutes.
    await cluster.ok("mgpu-scontrol", ["update", `JobId=${id}`, "StartTime=now"]);
    await cluster.untilState(id, "FAILED");
    expect(cluster.read("fails.out").match(/got a word/g)).toHaveLength(2);
  });

  test("keeps the terminal, signals and exit codes of Slurm's own commands", async () => {
    const { cluster } = backend;
    const terminal = new Terminal(cluster, ["mgpu-srun", "--pty", "sh", "-c", "tty; read line; exit 5"]);
    await terminal.shows(/\/dev\/pts\//);
    terminal.type("go\r");
    expect((await terminal.ended).code).toBe(5);
    const running = cluster.start("mgpu-srun", ["-J", "signalled", "sh", "-c", "echo up; exec sleep 600"]);
    await cluster.until(() => running.stdout() === "up\n", "it runs");
    running.child.kill("SIGTERM");
    expect((await running.ended).code).not.toBe(0);
    await cluster.until(async () => (await cluster.queue("%i", "-n", "signalled")).length === 0, "its job is gone");
  });

  test("is a profile of mgpu login, that -M names; the library speaks to it", async () => {
    const { cluster } = backend;
    const conf = centre.env.SLURM_CONF ?? "";
    const env = { MGPU_BACKEND: "", SLURM_CONF: "/nowhere" };
    const login = await cluster.run("mgpu", ["login", "--no-default", `centre=slurm:${conf}`], { env });
    expect([login.code, login.stdout]).toEqual([0, `centre: Slurm of ${conf}; commands take -M centre\n`]);
    expect((await cluster.run("mgpu-srun", ["-M", "centre", "hostname"], { env })).stdout).toBe("n1\n");
    expect((await cluster.run("mgpu-squeue", ["-M", "centre", "-h"], { env })).code).toBe(0);
    expect((await cluster.run("mgpu", ["login"], { env })).stdout).toMatch(/centre +Slurm of \/tmp/);
    const none = await cluster.run("mgpu", ["login", "none=slurm:/nowhere"], { env });
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("/nowhere can't be read: No such file")]);
    cluster.write(
      "library.mjs",
      `import { connect, submit, wait, nodes } from "${join(import.meta.dirname, "../../dist/library.cjs")}";
const on = await connect({ cluster: "centre" });
const id = await submit({ command: "exit 4", options: { output: "/dev/null" } }, on);
const { state, exitCode } = await wait(id, on);
console.log(state, exitCode, (await nodes(on))[0].name);
on.close();
`,
    );
    expect((await cluster.run("node", ["library.mjs"], { env })).stdout).toBe("FAILED 4 n1\n");
  });

  test("is chosen in the configuration, by a variable or by a profile: each way means the same one", async () => {
    const { cluster } = backend;
    cluster.write("slurm.yaml", "# the centre\nbackend: slurm\n");
    cluster.write("wrong.yaml", "backend: slurmm\n");
    const at = (name: string) => join(cluster.work, name);
    await cluster.run("mgpu", ["login", "--no-default", "here=slurm"], { env: { MGPU_BACKEND: "" } });
    const ways: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
      ["MGPU_BACKEND=slurm", { MGPU_BACKEND: "slurm" }, []],
      [`backend at ${at("slurm.yaml")}:2:10`, { MGPU_CONFIG: at("slurm.yaml") }, []],
      ["-M here", { MGPU_CONTROLLER: "unix:/nowhere/s" }, ["-M", "here"]],
      ["the profile here", {}, []],
    ];
    for (const [source, own, words] of ways) {
      const env = { MGPU_BACKEND: "", ...own };
      if (source === "the profile here") await cluster.run("mgpu", ["use", "here"], { env });
      expect([source, await cluster.run("mgpu-srun", [...words, "hostname"], { env })]).toMatchObject([
        source,
        { code: 0, stdout: "n1\n" },
      ]);
      expect((await cluster.run("mgpu", ["status", ...words], { env })).stdout).toContain("slurmctld");
      const bundle = join(import.meta.dirname, "../../dist/mgpu-squeue.cjs");
      const bare = await cluster.run(process.execPath, [bundle, ...words], { env: { ...env, PATH: "/nowhere" } });
      expect([bare.code, bare.stderr]).toEqual([
        1,
        expect.stringContaining(`Slurm is the cluster that is meant (${source}`),
      ]);
    }
    await cluster.run("mgpu", ["use", "local"], { env: { MGPU_BACKEND: "" } });
    const wrong = { MGPU_BACKEND: "", MGPU_CONFIG: at("wrong.yaml") };
    expect(await cluster.run("mgpu-squeue", [], { env: wrong })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('wrong.yaml:1:10: backend: expected mgpu or slurm, got "slurmm"'),
    });
  });

  test("keeps the past in its accounting, and tells what running jobs use", async () => {
    const { cluster } = backend;
    // Slurm counts whole seconds.
    const lines = "echo first\nsrun -n2 timeout 2 sh -c 'while :; do :; done'\nexit 3";
    const id = Number((await cluster.ok("mgpu-sbatch", ["--parsable", "-n2", "--gpus=1", "--wrap", lines])).trim());
    await cluster.untilState(id, "FAILED");
    const seff = async (job: number) => (await cluster.run("mgpu", ["seff", `${job}`])).stdout;
    const isWhole = /State: FAILED \(exit code 3\)\nCores: 2\n[\s\S]*CPU Efficiency: (?!0.00%)[\s\S]*GPUs: 1 for/;
    // Slurm tells its accounting a moment later.
    let told = "";
    const isTold = async () => {
      told = await seff(id);
      return isWhole.test(told);
    };
    await cluster.until(isTold, () => `seff has its CPU time: ${told}`);
    expect(await cluster.ok("mgpu-sacct", ["-n", "-P", "-o", "jobid,exitcode", "-j", `${id}`])).toContain(
      `${id}|3:0\n`,
    );
    const spin = await cluster.submit("#!/bin/sh\nwhile :; do :; done\n", ["-J", "spin"]);
    await cluster.untilState(spin, "RUNNING");
    const runs = /State: RUNNING[\s\S]*CPU Utilized: (?!00:00:00)[\s\S]*Memory Utilized: [\d.]+ [KMG]B/;
    await cluster.until(async () => runs.test(await seff(spin)), "sstat tells what it uses");
    const { terminal, sees } = openTui(cluster, ["mgpu-squeue"]);
    await sees(new RegExp(`${spin} .*spin`));
    terminal.type("h");
    await sees(new RegExp(`now +1 running[\\s\\S]*${spin} .*spin`));
    terminal.type("\r");
    await sees(/What it used[\s\S]*CPU Utilized: (?!00:00:00)/);
    terminal.type("qqq");
    await terminal.ended;
    await cluster.ok("mgpu-scancel", [`${spin}`]);
    await cluster.untilState(spin, "CANCELLED");
  });

  test("keeps a session whose window is closed; it may be a step, and its end is told before Slurm kills all", async () => {
    const { cluster } = backend;
    const alone = new Terminal(cluster, ["mgpu-srun", "--pty", "-J", "alone", "bash", "--norc"]);
    await alone.shows(/bash-\d/);
    alone.enter("echo job=$SLURM_JOB_ID");
    const [, id = ""] = await alone.shows(/job=(\d+)/);
    alone.close();
    await cluster.until(async () => /no, for/.test(await cluster.ok("mgpu", ["screens"])), "nobody is at the session");
    const onlooker = new Terminal(cluster, ["mgpu-sattach", "--read-only", id]);
    await onlooker.shows(`job=${id}`);
    const step = new Terminal(cluster, [
      "mgpu-srun",
      "--pty",
      `--jobid=${id}`,
      "--overlap",
      "sh",
      "-c",
      "echo in=$SLURM_STEP_ID; exit 5",
    ]);
    await step.shows(/in=[1-9]/);
    expect((await step.ended).code).toBe(5);
    await cluster.ok("mgpu-scancel", [id]);
    await onlooker.shows(`*** STEP ${id}.0 ON n1 CANCELLED AT`);
    expect((await onlooker.ended).code).toBe(137);
    expect((await cluster.run("mgpu-sattach", [id])).stderr).toBe(
      `mgpu-sattach: error: job ${id} has no session with a terminal that runs\nmgpu-sattach: hint: mgpu screens lists those there are\n`,
    );
    expect(readdirSync(join(cluster.home, "slurm-sessions"))).toEqual([]);
  });

  test("may be without its controller for a while: screens say so, wait, and go on", async () => {
    const { cluster } = backend;
    const id = await cluster.submit("#!/bin/sh\nexec sleep 600\n", ["-J", "lasting"]);
    await cluster.untilState(id, "RUNNING");
    const { terminal, sees, seen } = openTui(cluster, ["mgpu", "top"]);
    // Slurm's commands wait for their controller for a while, and are not asked again at once.
    const shows = (what: RegExp) =>
      cluster.until(async () => what.test(await seen()), `the screen shows ${what}`, RETURN_MS);
    await sees(new RegExp(`${id} .*lasting .* R `));
    await centre.stopController();
    await shows(/no contact, trying again: .*Slurm's controller does not answer/);
    const listed = await cluster.run("mgpu-squeue", ["-h"]);
    expect([listed.code, listed.stderr]).toEqual([1, expect.stringContaining("Slurm's controller does not answer")]);
    await centre.startController();
    const late = await cluster.submit("#!/bin/sh\nexec sleep 600\n", ["-J", "latecomer"]);
    // Slurm itself starts nothing before its nodes have answered it again.
    await shows(new RegExp(`${late} .*latecom`));
    terminal.type("q");
    expect((await terminal.ended).code).toBe(0);
  }, 300_000);
});

test("nothing is guessed: a word that names no engine, and one without its commands, are refused", async () => {
  const cluster = new TestCluster({ env: { MGPU_BACKEND: "slum" } });
  try {
    const wrong = await cluster.run("mgpu-squeue", []);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      'mgpu-squeue: error: MGPU_BACKEND: expected mgpu or slurm, got "slum"\n',
    ]);
    const env = { MGPU_BACKEND: "slurm", PATH: "/nowhere" };
    const bundle = join(import.meta.dirname, "../../dist/mgpu-srun.cjs");
    const bare = await cluster.run(process.execPath, [bundle, "true"], { env });
    expect(bare.code).toBe(1);
    expect(bare.stderr).toMatch(
      /error: Slurm is the cluster that is meant \(MGPU_BACKEND=slurm\), but its command srun is not there along PATH/,
    );
  } finally {
    await cluster.stop();
  }
});
