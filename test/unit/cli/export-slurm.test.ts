/** mgpu export slurm: what is written, and that mgpu import slurm reads it back as the same cluster. */

import { expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu-export.ts";
import { exportSlurm } from "../../../src/cli/moving/export.ts";
import { importSlurm } from "../../../src/cli/moving/import.ts";
import { yamlOf } from "../../../src/cli/moving/yaml-text.ts";
import { readConfig } from "../../../src/config/file.ts";
import type { Partition } from "../../../src/core/partition.ts";
import { configuredPartitions, parsePartitions } from "../../../src/core/partition-config.ts";
import { NO_POLICY } from "../../../src/core/policy/records.ts";
import type { NodeRow, PartitionRow } from "../../../src/protocol/procedures.ts";
import { must } from "../../../src/util/assert.ts";
import { clusterPeer, NODE_ROWS } from "../../golden/cluster.ts";
import { runOn } from "../../golden/run.ts";
import { LAB, policyOf } from "../support/policy.ts";

const CONFIG = {
  ...{
    ClusterName: "lab",
    KillWait: "30 sec",
    SlurmdTimeout: "300 sec",
    EnforcePartLimits: "ANY",
    Licenses: "matlab:10",
  },
  ...{
    PreemptType: "preempt/partition_prio",
    PreemptMode: "SUSPEND",
    PreemptExemptTime: "00:10:00",
    PlacementPolicy: "pack",
  },
  ...{
    SchedulerType: "sched/backfill",
    SchedulerParameters: "bf_max_job_part=50,bf_order=shortest",
    MaxJobCount: "500",
  },
  ...{ PriorityType: "priority/multifactor", PriorityWeightAge: "1000", PriorityDecayHalfLife: "604800" },
};

/** Partitions as the controller lists them. */
function rows(partitions: readonly Partition[], nodes: readonly NodeRow[]): PartitionRow[] {
  return partitions.map(({ isConfigured: _, ...partition }) => {
    const members = nodes.map(({ name }) => name).filter((name) => partition.nodes?.includes(name) ?? true);
    return { ...partition, members, cpus: 1, memoryMiB: 1, gpus: 0 } as unknown as PartitionRow;
  });
}

function node(
  name: string,
  over: Partial<Omit<NodeRow, "inventory">> & { inventory?: Partial<NodeRow["inventory"]> } = {},
): NodeRow {
  const [first] = NODE_ROWS;
  const base = must(first, "a node");
  const { inventory, ...rest } = over;
  const plain = { weight: 1, features: [], flags: [], reason: "" };
  return {
    ...base,
    ...plain,
    name,
    ...rest,
    inventory: { ...base.inventory, hostname: name, address: name, ...inventory },
  };
}

const gpu = (index: number, type: string) => ({ index, uuid: `GPU-${index}`, model: type, type, memoryMiB: 1 });

const NOW_MS = 1_795_000_000_000;

const exported = (over: Partial<Parameters<typeof exportSlurm>[0]> = {}) =>
  exportSlurm({
    ...{ nodes: [], partitions: [], config: new Map(Object.entries(CONFIG)), policy: NO_POLICY, accounts: "" },
    ...{ reservations: [], gpuParts: [], now: NOW_MS, controllerHost: "head", ...over },
  });

/** What an import makes of files. */
function back(files: Readonly<Record<string, string>>) {
  const bytes = (path: string) => new TextEncoder().encode(must(files[path.slice(1)], path));
  const stat = (path: string) => ({ isFile: true, size: bytes(path).length, mode: 0o644, atimeMs: 0, mtimeMs: 0 });
  const of = (name: string) => ({ path: `/${name}`, name });
  return importSlurm({ slurm: of("slurm.conf"), gres: of("gres.conf"), qos: null }, { read: bytes, stat });
}

test("an export that is imported is the same cluster", () => {
  const parsed = parsePartitions(
    [
      "gpu nodes=n[01-03] default=YES max_time=2-00:00:00 default_time=30 max_nodes=2 min_nodes=1 allow_qos=normal,high",
      "debug nodes=ALL max_time=30 priority_tier=10 priority_job_factor=5 max_cpus_per_node=4 qos=part state=DRAIN",
      "big nodes=n03 def_mem_per_cpu=2000 max_mem_per_node=64000 job_defaults=DefCpuPerGPU=4,DefMemPerGPU=8000 hidden=YES",
      "night nodes=n[01-02] over_subscribe=EXCLUSIVE req_resv=YES grace_time=60 preempt_mode=CANCEL deny_accounts=a,b",
      "staff nodes=n01 allow_accounts=staff root_only=YES disable_root_jobs=YES deny_qos=low def_mem_per_node=100",
    ].join("; "),
  );
  const partitions = "value" in parsed ? configuredPartitions(parsed.value) : [];
  const twoTypes = [gpu(0, "a100"), gpu(1, "a100"), gpu(2, "t4")];
  const nodes = [
    node("n01", { inventory: { cpus: 16, memoryMiB: 64_000, gpus: twoTypes } }),
    node("n02", { inventory: { cpus: 16, memoryMiB: 64_000, gpus: twoTypes } }),
    node("n03", {
      weight: 9,
      features: ["big", "nvlink"],
      inventory: { cpus: 64, memoryMiB: 512_000, address: "10.0.0.3", gpus: [] },
    }),
  ];
  const { files } = exported({ nodes, partitions: rows(partitions, nodes) });
  const imported = back(files);
  expect(imported.problems).toEqual([]);
  const text = yamlOf(imported, { source: "slurm.conf", fakeGpus: true, hasCommandsFile: false });
  const read = readConfig(text, { name: "c", node: "n03", hostname: "" });
  const texts = "texts" in read ? read.texts : {};
  const again = parsePartitions(texts.MGPU_PARTITIONS ?? "");
  const plain = partitions.map((one) => ({ preemptMode: "off", ...one }));
  expect("value" in again && configuredPartitions(again.value)).toEqual(plain);
  expect(imported.nodes).toEqual([
    ...["n01", "n02"].map((name) => ({
      ...{ name, settings: { cpus: "16", memory: "64000" }, features: [], gpus: { a100: 2, t4: 1 }, mark: null },
    })),
    {
      name: "n03",
      settings: { cpus: "64", memory: "512000", weight: "9", features: "big,nvlink", address: "10.0.0.3" },
      ...{ features: ["big", "nvlink"], gpus: {}, mark: null },
    },
  ]);
  expect(texts).toMatchObject({
    ...{ MGPU_CLUSTER_NAME: "lab", MGPU_KILL_WAIT: "30", MGPU_ENFORCE_PART_LIMITS: "ANY", MGPU_LICENSES: "matlab:10" },
    ...{
      MGPU_PREEMPT_TYPE: "preempt/partition_prio",
      MGPU_PREEMPT_MODE: "SUSPEND",
      MGPU_PREEMPT_EXEMPT_TIME: "00:10:00",
    },
    ...{ MGPU_SCHEDULER_PARAMETERS: "bf_max_job_part=50", MGPU_MAX_QUEUED: "500" },
  });
});

test("nodes that are alike share a line; linked GPUs, several nodes of a machine and drained ones have their own", () => {
  const linked = [
    { ...gpu(0, "a100"), links: ["X", "NV12"] },
    { ...gpu(1, "a100"), links: ["NV12", "X"] },
  ];
  const nodes = [
    ...["a1", "a2"].map((name) =>
      node(name, { inventory: { cpus: 8, memoryMiB: 100, gpus: linked, address: `10.0.0.${name[1]}` } }),
    ),
    node("b", {
      flags: ["DRAIN"],
      reason: 'new "disk" #2',
      inventory: { cpus: 4, memoryMiB: 100, gpus: [gpu(0, "")] },
    }),
    ...["c", "d"].map((name) =>
      node(name, { inventory: { cpus: 4, memoryMiB: 100, gpus: [], hostname: "desk", address: "desk" } }),
    ),
  ];
  const { files, notes } = exported({ nodes });
  const lines = must(files["slurm.conf"], "a file")
    .split("\n")
    .filter((line) => line.startsWith("NodeName="));
  const size = (cpus: number, sockets = 1) =>
    `CPUs=${cpus} Sockets=${sockets} CoresPerSocket=${cpus / sockets} ThreadsPerCore=1 RealMemory=100`;
  expect(lines).toEqual([
    `NodeName=a[1-2] NodeAddr=10.0.0.[1-2] ${size(8, 2)} Gres=gpu:a100:2 State=UNKNOWN`,
    `NodeName=b ${size(4)} Gres=gpu:1 State=DRAIN Reason="new 'disk' '2"`,
    `NodeName=c NodeHostname=desk NodeAddr=desk Port=6821 ${size(4)} State=UNKNOWN`,
    `NodeName=d NodeHostname=desk NodeAddr=desk Port=6822 ${size(4)} State=UNKNOWN`,
  ]);
  expect(files["gres.conf"]).toBe(
    "# GPUs of the nodes.\n" +
      "NodeName=a[1-2] Name=gpu Type=a100 File=/dev/nvidia0 Links=-1,12\n" +
      "NodeName=a[1-2] Name=gpu Type=a100 File=/dev/nvidia1 Links=12,-1\n" +
      "NodeName=b Name=gpu File=/dev/nvidia0\n",
  );
  expect(notes).toContain("c,d: several nodes on one machine need a slurmd that was built for that");
});

test("what people typed breaks no line", () => {
  const config = new Map(Object.entries({ ...CONFIG, MailProg: "/opt/my mail" }));
  const nodes = [node("n1", { flags: ["DRAIN"], reason: 'fan #2\nSlurmUser="root"' })];
  const text = exported({ config, nodes }).files["slurm.conf"];
  expect(text).toContain('\nMailProg="/opt/my mail"\n');
  expect(text).toContain(` State=DRAIN Reason="fan '2?SlurmUser='root'"\n`);
});

test("accounts and QOS are a script of sacctmgr's", () => {
  const { files } = exported({ policy: policyOf(LAB), accounts: "Cluster - 'lab':GrpTRES='gres/gpu=4'\n" });
  const script = must(files["accounts.sh"], "a script");
  expect(script).toContain(`-nP list qos format=name | grep -qxF high || "$sacctmgr" -i add qos high\n`);
  expect(script).toContain(
    `"$sacctmgr" -i modify qos high set Description=high Priority=100 GraceTime=0 PreemptMode=cluster UsageFactor=1 ` +
      "Preempt=normal Flags=DenyOnLimit MaxWallDurationPerJob=01:00:00 MaxJobsPerUser=1\n",
  );
  expect(script.indexOf("grep -q '^gres|gpu'")).toBeLessThan(script.indexOf("modify qos high"));
  expect(files["slurm.conf"]).toContain("AccountingStorageEnforce=associations,limits,qos\n");
  const weights = { weightTres: { cpu: 10, mem: 5 }, billingWeights: { cpu: 2, mem: 0.25 / 1024 } };
  const weighed = exported({ policy: policyOf([...LAB, { put: "config", record: weights }]) }).files["slurm.conf"];
  expect(weighed).toContain("PriorityWeightTRES=cpu=10,mem=5\n");
  expect(weighed).toContain('PartitionName=DEFAULT TRESBillingWeights="cpu=2,mem=0.25G"\n');
  expect(Object.keys(exported().files)).toEqual(["slurm.conf", "gres.conf", "cgroup.conf"]);
});

test("parts of GPUs that jobs use are shards, as many as they need", () => {
  const gpus = [gpu(0, "a100"), gpu(1, "a100")];
  const nodes = [
    node("n1", { inventory: { cpus: 8, memoryMiB: 4000, gpus } }),
    node("n2", { inventory: { cpus: 8, memoryMiB: 4000, gpus: [] } }),
  ];
  const { files, notes } = exported({ nodes, gpuParts: [500, 250] });
  expect(files["slurm.conf"]).toContain("\nGresTypes=gpu,shard\n");
  expect(files["slurm.conf"]).toMatch(/^NodeName=n1 .* Gres=gpu:a100:2,shard:8 /m);
  expect(files["slurm.conf"]).not.toMatch(/^NodeName=n2 .*Gres/m);
  expect(files["gres.conf"]).toContain("NodeName=n1 Name=shard Count=8\n");
  expect(notes).toContain("parts of GPUs: each GPU has 4 shards there; --gres=shard:2 is half of one");
  const of = (...gpuParts: number[]) =>
    /shard:(\d+)/.exec(exported({ nodes, gpuParts }).files["slurm.conf"] ?? "")?.[1];
  expect([of(500), of(200), of(100, 250), of(333), of()]).toEqual(["4", "10", "40", "200", undefined]);
  expect(exported({ nodes }).files["gres.conf"]).not.toContain("shard");
});

test("reservations are a script of scontrol's, whose times hold wherever it runs", () => {
  const hour = 3_600_000;
  const one = (name: string, startAt: number, more: object = {}) =>
    ({
      ...{ name, startAt, endAt: startAt + hour, nodes: ["n1", "n2"], users: ["ada"], accounts: [], partition: null },
      ...{ flags: ["SPEC_NODES"], isActive: false, cpus: 8, ...more },
    }) as never;
  const { files, notes } = exported({
    reservations: [
      one("course", NOW_MS + hour, { accounts: ["vision"], partition: "gpu", flags: ["MAINT", "SPEC_NODES"] }),
      one("now", NOW_MS - 1000),
      one("over", NOW_MS - 2 * hour),
      one("daily", NOW_MS - 1000, { flags: ["DAILY"], users: [] }),
    ],
  });
  const lines = must(files["reservations.sh"], "reservations.sh")
    .split("\n")
    .filter((line) => /^have \w+ /.test(line));
  const at = (ms: number): string => `"$(at ${Math.ceil(ms / 1000)})"`;
  const create = '"$scontrol" create reservation ReservationName=';
  const ada = "Users=ada";
  expect(lines).toEqual([
    `have course || ${create}course StartTime=${at(NOW_MS + hour)} EndTime=${at(NOW_MS + 2 * hour)} 'Nodes=n[1-2]' ${ada} Accounts=vision PartitionName=gpu Flags=MAINT || exit 1`,
    `have now || ${create}now StartTime=now EndTime=${at(NOW_MS + hour - 1000)} 'Nodes=n[1-2]' ${ada} || exit 1`,
    `have daily || ${create}daily StartTime=${at(NOW_MS + 24 * hour - 1000)} EndTime=${at(NOW_MS + 25 * hour - 1000)} 'Nodes=n[1-2]' Users=root Flags=DAILY || exit 1`,
  ]);
  expect(notes).toContainEqual(expect.stringMatching(/^reservation daily: holds now; /));
  expect(notes).toContainEqual(expect.stringMatching(/^reservation daily: nobody may use it here/));
});

test("the command writes all files or none", async () => {
  const files: Record<string, string> = { "/work/out/gres.conf": "mine" };
  const controller = () =>
    clusterPeer({
      script: {
        "config.show": () => ({ values: Object.entries(CONFIG).map(([key, value]) => ({ key, value })), now: 0 }),
        "policy.list": () => ({ policy: NO_POLICY, clusterName: "lab", gpuTypes: [], now: 0 }),
      },
    });
  const run = (...argv: string[]) =>
    runOn(command, argv, { controller: controller(), files, fileQuestions: { exists: (path) => path in files } });
  const refused = await run("slurm", "out");
  expect(refused).toMatchObject({ code: 1, out: "" });
  expect(refused.err).toContain("/work/out/gres.conf is there already");
  expect(Object.keys(files)).toEqual(["/work/out/gres.conf"]);
  const written = await run("slurm", "out/", "--force", "--controller-host=head");
  expect(written.out).toBe("out/: slurm.conf gres.conf cgroup.conf reservations.sh\n");
  expect(written.err).toContain("SchedulerParameters: bf_order=shortest left out: ");
  expect(files["/work/out/slurm.conf"]).toContain("SlurmctldHost=head\n");
  expect((await run("pbs")).code).toBe(2);
  expect((await run("slurm", "x", "--controller-host=a b")).code).toBe(1);
});
