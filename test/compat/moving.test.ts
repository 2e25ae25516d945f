/** mgpu export slurm: Debian's Slurm starts with what it wrote, with the same nodes, partitions, limits, accounts and QOS. */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";
import { SlurmCluster } from "./support/slurm-cluster.ts";

if (!SlurmCluster.isPossible && process.env.CI) throw new Error("slurm is missing: .ci/run installs it");

const CONFIG = `
cluster: {name: lab}
limits: {kill_wait: 5, enforce_partition_limits: ALL}
scheduler: {preempt_type: preempt/qos, preempt_mode: REQUEUE}
partitions:
  gpu: {nodes: n1, default: YES, max_time: 2-00:00:00, default_time: 30, allow_qos: "normal,high", def_mem_per_cpu: 100}
  debug: {nodes: ALL, max_time: 30, priority_tier: 10, max_nodes: 1, qos: part, def_mem_per_node: 200}
  night: {nodes: n2, state: DOWN, hidden: YES, deny_accounts: guests, over_subscribe: EXCLUSIVE, def_mem_per_cpu: 50}
`;

/** Places of Slurm's own, which the test has elsewhere. */
const SITE =
  /^(SlurmctldHost|AuthType|SlurmUser|Slurmc?t?l?d(Port|PidFile|LogFile|SpoolDir)|StateSaveLocation|ProctrackType|TaskPlugin|AccountingStorage(Host|Type))=/;

const cluster = new TestCluster();
let slurm: SlurmCluster | null = null;

afterAll(async () => {
  await slurm?.stop();
  await cluster.stop();
});

async function startLab(): Promise<void> {
  writeFileSync(join(cluster.work, "lab.yaml"), CONFIG);
  const env = { MGPU_CONFIG: join(cluster.work, "lab.yaml"), MGPU_KILL_WAIT: "" };
  cluster.start("mgpuctld", [], { env });
  await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller answers");
  const start = (name: string, more: Record<string, string>) =>
    cluster.start("mgpud", ["--node-id", name, "--memory", "4000"], { env: { ...env, ...more } });
  start("n1", { MGPU_CPUS: "8", MGPU_FAKE_GPUS: "a100:3,t4:1", MGPU_FEATURES: "nvlink,big", MGPU_NODE_WEIGHT: "7" });
  start("n2", { MGPU_CPUS: "4", MGPU_FAKE_GPUS: "t4:2" });
  await cluster.until(async () => {
    const { stdout } = await cluster.run("mgpu-sinfo", ["-ahN", "-o", "%N"]);
    return ["n1", "n2"].every((name) => stdout.includes(name));
  }, "both nodes are there");
  for (const words of [
    "add qos part,high",
    "modify qos part set MaxTRESPerUser=gres/gpu=2",
    "modify qos high set Priority=100 Preempt=normal GraceTime=60 MaxWall=1-00:00:00 Flags=DenyOnLimit GrpTRES=cpu=6,mem=3G",
    "add account vision Description=eyes Fairshare=3 GrpTRES=gres/gpu=4",
    "add user root account=vision MaxJobs=5 QOS=normal,high",
    "modify cluster set PriorityWeightAge=500 PriorityWeightQOS=3000 PriorityDecayHalfLife=3-0",
  ]) {
    await cluster.ok("mgpu-sacctmgr", ["-i", ...words.split(" ")]);
  }
  const course =
    "ReservationName=course StartTime=now+1hour Duration=30 Nodes=n1 Users=root PartitionName=gpu Flags=DAILY";
  await cluster.ok("mgpu-scontrol", ["create", "reservation", ...course.split(" ")]);
  // Half of a GPU: two shards each.
  await cluster.ok("mgpu-sbatch", ["--hold", "--gpus=0.5", "-A", "vision", "--wrap", "true"]);
}

const lines = (name: string): string[] => {
  const text = readFileSync(join(cluster.work, "out", name), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
};

/** The files as they are, but for the places of daemons and files of GPUs. */
async function startSlurm(): Promise<SlurmCluster> {
  for (let gpu = 0; gpu < 4; gpu++) execFileSync("mknod", [join(cluster.folder, `gpu${gpu}`), "c", "1", "3"]);
  const [slurmConf, gres] = [lines("slurm.conf"), lines("gres.conf")];
  const isShape = (line: string): boolean => /^(NodeName|PartitionName)=/.test(line);
  return SlurmCluster.start({
    ...{ gpus: 0, hasAccounting: true },
    lines: slurmConf.filter((line) => !isShape(line) && !SITE.test(line)),
    shape: {
      names: ["n1", "n2"],
      slurm: slurmConf.filter(isShape).map((line) => line.replaceAll(/ (NodeHostname|NodeAddr|Port)=\S+/g, "")),
      gres: gres.map((line) => `${line.replace("/dev/nvidia", `${cluster.folder}/gpu`)}\n`).join(""),
    },
    fillAccounting: async (one) => {
      await one.ok("sh", [join(cluster.work, "out/accounts.sh")]);
    },
  });
}

test.skipIf(!SlurmCluster.isPossible)("Slurm starts with the files, and is the same cluster", async () => {
  await startLab();
  const { stderr } = await cluster.run("mgpu", ["export", "slurm", "out"]);
  expect(stderr).toContain("n[1-2]: the GPUs are pretended");
  await cluster.ok("mgpu-scancel", ["--user=root"]);
  const one = await startSlurm();
  slurm = one;
  // The first time it only made the QOS that partitions have.
  await one.ok("sh", [join(cluster.work, "out/accounts.sh")]);
  const show = async (what: string) => (await one.ok("scontrol", ["-ao", "show", ...what.split(" ")])).trim();
  const nodes = await one.ok("sinfo", ["-ahN", "-o", "%N %P %c %m %G %f %w %l", "--state=idle"]);
  expect(nodes.trim().split("\n").sort()).toEqual([
    "n1 debug 8 4000 gpu:a100:3,gpu:t4:1,shard:a100:6,shard:t4:2 nvlink,big 7 30:00",
    "n1 gpu* 8 4000 gpu:a100:3,gpu:t4:1,shard:a100:6,shard:t4:2 nvlink,big 7 2-00:00:00",
    "n2 debug 4 4000 gpu:t4:2,shard:t4:4 (null) 1 30:00",
    "n2 night 4 4000 gpu:t4:2,shard:t4:4 (null) 1 infinite",
  ]);
  expect(await show("partition gpu")).toMatch(/ AllowQos=normal,high .* DefaultTime=00:30:00 .* DefMemPerCPU=100 /);
  expect(await show("partition debug")).toMatch(/ QoS=part .* MaxNodes=1 MaxTime=00:30:00 .* PriorityTier=10 /);
  expect(await show("partition night")).toMatch(
    /DenyAccounts=guests .* Hidden=YES .* OverSubscribe=EXCLUSIVE .* State=DOWN /,
  );
  for (let time = 0; time < 2; time++) await one.ok("sh", [join(cluster.work, "out/reservations.sh")]);
  const mine = await cluster.ok("mgpu-scontrol", ["-o", "show", "reservation"], { env: { TZ: "UTC" } });
  const [, times = ""] = /(StartTime=\S+ EndTime=\S+ Duration=00:30:00)/.exec(mine) ?? [];
  expect(await show("reservation")).toContain(`ReservationName=course ${times} Nodes=n1 `);
  expect(await show("reservation")).toMatch(/ Flags=DAILY,SPEC_NODES .* Users=root /);
  const qos = await one.ok("sacctmgr", [
    "-nP",
    "show",
    "qos",
    "format=name,priority,preempt,gracetime,maxwall,grptres,maxtrespu,flags",
  ]);
  expect(qos.split("\n")).toEqual(
    expect.arrayContaining([
      "high|100|normal|00:01:00|1-00:00:00|cpu=6,mem=3G||DenyOnLimit",
      "part|0||00:00:00|||gres/gpu=2|",
    ]),
  );
  const associations = ["-nP", "show", "assoc", "cluster=lab", "format=account,user,share,grptres,maxjobs,qos"];
  expect((await one.ok("sacctmgr", associations)).split("\n")).toEqual(
    expect.arrayContaining(["vision||3|gres/gpu=4||normal", "vision|root|1||5|high,normal"]),
  );
  expect(
    await one.ok("srun", [
      "-A",
      "vision",
      "--gres=gpu:a100:2",
      "-C",
      "nvlink",
      "sh",
      "-c",
      "echo $CUDA_VISIBLE_DEVICES",
    ]),
  ).toBe("0,1\n");
  const half = ["-A", "vision", "--gres=shard:1", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"];
  expect(await one.ok("srun", half)).toMatch(/^\d\n$/);
  const beyond = await one.run("srun", ["-p", "debug", "-A", "vision", "--time=60", "true"]);
  expect(beyond.stderr).toContain("Requested time limit is invalid");
  expect(await one.ok("scontrol", ["show", "config"])).toMatch(
    /PreemptType +=? preempt\/qos[\s\S]*PriorityWeightQOS += 3000/,
  );
  await comesBack(one);
});

/** What Slurm's own sacctmgr says of accounts and QOS is read by mgpu, with the files as they were written. */
async function comesBack(one: SlurmCluster): Promise<void> {
  const { work } = cluster;
  writeFileSync(join(work, "qos.txt"), await one.ok("sacctmgr", ["-P", "list", "qos"]));
  await one.ok("sacctmgr", ["-i", "dump", "lab", `file=${join(work, "lab.cfg")}`]);
  const options = ["--qos=qos.txt", "--output=back.yaml", "--commands=then.sh"];
  await cluster.ok("mgpu", ["import", "slurm", "out/slurm.conf", ...options]);
  expect(await cluster.ok("mgpu", ["config", "check", "back.yaml"])).toContain("no problem");
  const then = readFileSync(join(work, "then.sh"), "utf8");
  expect(then).toMatch(/modify qos high set Priority=100 GraceTime=00:01:00 Preempt=normal .*GrpTRES=cpu=6,mem=3G /);
  await cluster.ok("mgpu-sacctmgr", ["-i", "delete", "user", "root"]);
  await cluster.ok("mgpu-sacctmgr", ["-i", "delete", "account", "vision"]);
  await cluster.ok("mgpu-sacctmgr", ["-i", "delete", "qos", "high"]);
  await cluster.ok("sh", [join(work, "then.sh")]);
  await cluster.ok("mgpu-sacctmgr", ["-i", "load", "lab.cfg"]);
  const columns = ["-nP", "list", "assoc", "format=account,user,share,grptres,maxjobs,qos"];
  const lines = (await cluster.ok("mgpu-sacctmgr", columns)).split("\n");
  expect(lines).toEqual(expect.arrayContaining(["vision||3|gres/gpu=4||normal", "vision|root|1||5|high,normal"]));
}
