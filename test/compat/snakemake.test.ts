/** snakemake 7.21 with its slurm executor: a workflow that works, one with a rule that fails, one that is cancelled. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { kill, type Ran } from "../integration/support/cluster.ts";
import { describeWith, SlurmNames } from "./support/slurm-names.ts";

const OPTIONS = ["--slurm", "--jobs", "4", "--max-status-checks-per-second", "20", "--latency-wait", "10"];

describeWith("snakemake", "/usr/bin/snakemake", () => {
  let slurm: SlurmNames;

  beforeEach(async () => {
    slurm = new SlurmNames();
    await slurm.start([{ name: "n1", cpus: 4, gpus: 2 }]);
  });

  afterEach(() => slurm.cluster.stop());

  const snakemake = (): Promise<Ran> => slurm.cluster.run("/usr/bin/snakemake", OPTIONS, { env: slurm.env });

  test("runs a workflow of several rules with resources", async () => {
    const { cluster } = slurm;
    cluster.write(
      "Snakefile",
      `rule all:
    input: "sum.txt"

rule part:
    output: "part-{n}.txt"
    threads: 2
    resources: mem_mb=1000, runtime=5, slurm_extra="'--gres=gpu:1'"
    shell: "echo {wildcards.n} gpus=$CUDA_VISIBLE_DEVICES cpus=$SLURM_CPUS_PER_TASK step=$SLURM_STEP_ID > {output}"

rule join:
    input: expand("part-{n}.txt", n=[1, 2])
    output: "sum.txt"
    shell: "cat {input} > {output}"
`,
    );
    const ran = await snakemake();
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const lines = cluster.read("sum.txt").trim().split("\n");
    expect(lines.map((line) => line.replace(/gpus=[01]/, "gpus=N"))).toEqual(
      [1, 2].map((n) => `${n} gpus=N cpus=2 step=0`),
    );
    expect(await cluster.queue("%j")).toEqual([]);
  }, 300_000);

  test("tells of a rule that fails; of a job that somebody cancels it hears what Slurm says", async () => {
    const { cluster } = slurm;
    cluster.write(
      "Snakefile",
      `rule all:
    input: "bad.txt", "slow.txt"

rule bad:
    output: "bad.txt"
    shell: "echo before the failure; exit 3"

rule slow:
    output: "slow.txt"
    shell: "touch slow.started; sleep 300; touch {output}"
`,
    );
    const running = cluster.start("/usr/bin/snakemake", [...OPTIONS, "--keep-going"], { env: slurm.env });
    await cluster.until(() => cluster.has("slow.started"), "the slow rule runs", 60_000);
    await cluster.until(
      () => / failed, SLURM status is: 'FAILED'/.test(running.stderr()),
      "the failure is told",
      120_000,
    );
    const [slow = ""] = (await cluster.queue("%i %j")).filter((line) => line.includes("slow"));
    const [id = "none"] = slow.split(" ");
    await cluster.ok("mgpu-scancel", [id]);
    await cluster.untilState(Number(id), "CANCELLED");
    // As on real Slurm: snakemake 7.21 knows no state of three words, and asks for ever (trap T4).
    const state = await cluster.run(`${slurm.names}/sacct`, ["-X", "-P", "-n", "--format=JobIdRaw,State", "-j", id]);
    expect(state.stdout).toBe(`${id}|CANCELLED by ${process.getuid?.()}\n`);
    kill(running.pid, "SIGINT");
    expect((await running.ended).code).toBe(1);
    expect(cluster.has("slow.txt")).toBe(false);
  }, 300_000);
});
