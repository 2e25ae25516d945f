/** mgpu import slurm: what slurm.conf files come to, what is left out, and what is wrong with them. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu-import.ts";
import { importSlurm } from "../../../src/cli/moving/import.ts";
import { noteText } from "../../../src/cli/moving/notes.ts";
import { commandsScript, yamlOf } from "../../../src/cli/moving/yaml-text.ts";
import { readConfig } from "../../../src/config/file.ts";
import { runOn } from "../../golden/run.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures/slurm");

const DISK = {
  read: (path: string) => new Uint8Array(readFileSync(path)),
  stat(path: string) {
    const { size } = statSync(path);
    return { isFile: true, size, mode: 0o644, atimeMs: 0, mtimeMs: 0 };
  },
};

/** Files of a fixture, as a user in its folder names them. */
function fixture(name: string) {
  const of = (file: string) => ({ path: join(FIXTURES, name, file), name: file });
  const gres = existsSync(of("gres.conf").path) ? of("gres.conf") : null;
  const imported = importSlurm({ slurm: of("slurm.conf"), gres, qos: null }, DISK);
  const text = yamlOf(imported, { source: "slurm.conf", fakeGpus: true, hasCommandsFile: false });
  return { imported, text, notes: imported.notes.map(noteText) };
}

/** Files by name, in a folder /etc/slurm. */
function importing(slurm: string, others: Readonly<Record<string, string>> = {}) {
  const files: Record<string, string> = { "slurm.conf": slurm, ...others };
  const bytes = (path: string) => {
    const text = files[path.slice("/etc/slurm/".length)];
    if (text === undefined) throw Object.assign(new Error("no"), { code: "ENOENT" });
    return new TextEncoder().encode(text);
  };
  const stat = (path: string) => ({ isFile: true, size: bytes(path).length, mode: 0o644, atimeMs: 0, mtimeMs: 0 });
  const of = (name: string) => ({ path: `/etc/slurm/${name}`, name });
  const gres = files["gres.conf"] === undefined ? null : of("gres.conf");
  return importSlurm({ slurm: of("slurm.conf"), gres, qos: null }, { read: bytes, stat });
}

const config = (text: string, node: string) => {
  const read = readConfig(text, { name: "c.yaml", node, hostname: "head" });
  if ("problems" in read) throw new Error(read.problems.join("\n"));
  return read.texts;
};

test("a small lab", () => {
  const { imported, text, notes } = fixture("lab");
  expect(imported.problems).toEqual([]);
  expect(config(text, "ws2")).toMatchObject({
    ...{ MGPU_CLUSTER_NAME: "lab", MGPU_CPUS: "16", MGPU_MEMORY: "64000", MGPU_FEATURES: "ws" },
    ...{ MGPU_FAKE_GPUS: "rtx3090:2", MGPU_PREEMPT_TYPE: "preempt/none", MGPU_KILL_WAIT: "30" },
    MGPU_PARTITIONS:
      "main nodes=ALL default=YES state=UP max_time=INFINITE def_mem_per_cpu=2000; " +
      "short nodes=ws[1-3] state=UP default_time=30 max_time=2:00:00 def_mem_per_cpu=2000 priority_tier=10",
  });
  expect(config(text, "server")).toMatchObject({
    ...{ MGPU_NODE_ADDRESS: "10.0.0.9", MGPU_NODE_WEIGHT: "10", MGPU_FEATURES: "server,bigmem" },
    MGPU_FAKE_GPUS: "a6000:4",
  });
  expect(notes).toContainEqual(
    expect.stringMatching(/^slurm.conf:5: ProctrackType=proctrack\/linuxproc: not needed: /),
  );
  expect(notes).toContainEqual(expect.stringMatching(/^slurm.conf:19: SlurmctldTimeout=120: left out: there is one /));
  expect(notes).toContainEqual(expect.stringMatching(/^slurm.conf:25: DefMemPerCPU=2000: changed: def_mem_per_cpu of/));
});

test("a GPU cluster with includes, typed GPUs, MIG, QOS, sets of nodes and defaults", () => {
  const { imported, text, notes } = fixture("centre");
  expect(imported.problems).toEqual([]);
  expect(imported.nodes.map(({ name }) => name)).toHaveLength(14);
  expect(config(text, "gpu003")).toMatchObject({
    ...{ MGPU_CPUS: "62", MGPU_MEMORY: "1023000", MGPU_FAKE_GPUS: "a100:4", MGPU_NODE_WEIGHT: "50" },
    ...{ MGPU_PREEMPT_TYPE: "preempt/qos", MGPU_PREEMPT_MODE: "REQUEUE", MGPU_PREEMPT_EXEMPT_TIME: "00:10:00" },
    ...{ MGPU_SCHEDULER_PARAMETERS: "bf_max_job_part=200", MGPU_LICENSES: "matlab:20,ansys:5" },
    MGPU_ENFORCE_PART_LIMITS: "ALL",
  });
  expect(config(text, "mig2").MGPU_FAKE_GPUS).toBe("1g.10gb:7");
  expect(config(text, "cpu03")).toMatchObject({ MGPU_NODE_ADDRESS: "10.1.2.3", MGPU_MEMORY: "257000" });
  const partitions = (config(text, "gpu001").MGPU_PARTITIONS ?? "").split("; ");
  expect(partitions).toEqual([
    "gpu nodes=mig[1-2],gpu[001-008] default=YES state=UP default_time=01:00:00 max_time=2-00:00:00 " +
      "job_defaults=DefCpuPerGPU=8,DefMemPerGPU=120000 qos=part_gpu",
    "cpu nodes=cpu[01-04] state=UP default_time=01:00:00 max_time=2-00:00:00 def_mem_per_cpu=4000 max_mem_per_cpu=8000",
    "interactive nodes=gpu[001-002],mig[1-2] state=UP default_time=01:00:00 max_time=8:00:00 max_nodes=1 " +
      "priority_tier=20 deny_accounts=guest allow_qos=normal,high",
    "staff nodes=ALL state=UP default_time=01:00:00 max_time=2-00:00:00 allow_accounts=staff,root hidden=YES " +
      "root_only=NO grace_time=120",
  ]);
  expect(imported.commands).toEqual([
    "mgpu-sacctmgr -i modify cluster set PriorityDecayHalfLife=14-0 PriorityFavorSmall=NO PriorityMaxAge=3-0 " +
      "PriorityWeightAge=2000 PriorityWeightFairShare=20000 PriorityWeightJobSize=0 PriorityWeightPartition=0 " +
      "PriorityWeightQOS=100000 PriorityWeightTRES=CPU=1000,GRES/gpu=4000 TRESBillingWeights=CPU=1.0,Mem=0.25G,GRES/gpu=16",
    "mgpu-sacctmgr -i add qos part_gpu,high",
    "mgpu-scontrol update NodeName=cpu04 State=DRAIN 'Reason=new disk'",
  ]);
  for (const told of [
    /^slurm.conf:12: TaskPlugin=/,
    /^slurm.conf:28: SchedulerParameters=.*left out: bf_window=4320, bf_resolution=300, defer:/,
    /^slurm.conf:35: GresTypes=gpu,mps: left out: mps:/,
    /^conf.d\/nodes.conf:5: NodeName=cloud\[1-9\]: left out: State=CLOUD/,
    /^conf.d\/partitions-centre.conf:3: OverSubscribe=FORCE:2: left out: two jobs never share a CPU/,
    /^conf.d\/partitions-centre.conf:5: AllowGroups=staff: left out: /,
    /^conf.d\/partitions-centre.conf:5: LLN=NO: not needed/,
    /^gres.conf:1: AutoDetect=nvml: not needed/,
  ]) {
    expect(notes).toContainEqual(expect.stringMatching(told));
  }
});

test("everything that is wrong is told at once, with file and line", () => {
  const { problems } = importing(
    [
      "ClusterName=lab",
      "KillWait=soon",
      "SlurmdTimout=30",
      "just words",
      "Include missing.conf",
      "NodeName=n[1-4] CPUs=many Gres=gpu:4",
      "NodeName=n[5-6",
      "NodeName=n7 Gres=gpu:a100:2 RealMemry=4",
      "NodeName=n7 CPUs=4",
      "PartitionName=a Nodes=n7,n[90-91] MaxTime=often",
      "PartitionName=a Nodes=n7 MinNodes=4 MaxNodes=2",
    ].join("\n"),
    { "gres.conf": "NodeName=n7 Name=gpu Type=a100 File=/dev/nvidia[0-3]\nName=gpu Fil=/dev/nvidia0" },
  );
  expect(problems).toEqual([
    'slurm.conf:4: expected Key=Value, got "just words"',
    "slurm.conf:5: Include missing.conf: No such file or directory",
    'slurm.conf:2: KillWait: expected seconds, got "soon"',
    "slurm.conf:3: SlurmdTimout: slurm.conf has no such key; did you mean slurmdtimeout?",
    "gres.conf:2: Fil: Name has no such key; did you mean file?",
    'slurm.conf:6: CPUs: expected a count, got "many"',
    'slurm.conf:7: NodeName: expected node names such as n[01-10], got "n[5-6"',
    "slurm.conf:8: RealMemry: NodeName has no such key; did you mean realmemory?",
    "slurm.conf:8: Gres=gpu:a100:2: 2 GPUs, but 4 in gres.conf:1",
    "slurm.conf:9: NodeName n7 is named twice",
    expect.stringMatching(/^slurm.conf:10: MaxTime: expected a time such as .*, got "often"$/),
    "slurm.conf:10: Nodes: no NodeName line has n[90-91]",
    "slurm.conf:11: PartitionName a is named twice",
    "slurm.conf:11: PartitionName=a: min_nodes 4 is above max_nodes 2",
  ]);
});

test("a line goes on behind a backslash, within a value too; keys and words are read in any case", () => {
  const { settings, problems, notes } = importing(
    "clustername = big # the name\nSCHEDULERPARAMETERS=defer,\\\nbf_max_job_part=7\npartitionname=p nodes=ALL\n" +
      'Epilog="/a b#c\n',
  );
  expect([...settings]).toEqual([
    ["scheduler.preempt_type", "preempt/none"],
    ["cluster.name", "big"],
    ["scheduler.parameters", "bf_max_job_part=7"],
  ]);
  expect(notes.map(noteText)).toEqual([expect.stringMatching(/^slurm.conf:2: .* left out: defer: /)]);
  expect(problems).toEqual(['slurm.conf:5: expected Key=Value, got "Epilog="/a b"']);
});

test("three thousand nodes in many files", () => {
  const racks = Array.from({ length: 40 }, (_, rack) => [
    `racks/r${rack}.conf`,
    `NodeName=r${rack}n[001-075] NodeAddr=10.${rack}.0.[1-75] CPUs=96 RealMemory=384000 Feature=rack${rack},v100 Gres=gpu:v100:4`,
  ]);
  const files = Object.fromEntries(racks);
  const all = Object.keys(files).map((name) => `Include ${name}\n`);
  const imported = importing(
    "ClusterName=big\nInclude racks/all.conf\nNodeSet=every Feature=v100\nPartitionName=p Nodes=every\n",
    {
      ...files,
      "racks/all.conf": all.join(""),
    },
  );
  expect(imported.problems).toEqual([]);
  const text = yamlOf(imported, { source: "slurm.conf", fakeGpus: false, hasCommandsFile: false });
  expect(config(text, "r17n033")).toMatchObject({ MGPU_NODE_ADDRESS: "10.17.0.33", MGPU_FEATURES: "rack17,v100" });
  expect(config(text, "x").MGPU_PARTITIONS).toMatch(/^p nodes=r0n\[001-075\],r1n/);
});

test("nothing in the files is a command to the shell that runs what is to be done once", () => {
  const { commands } = importing(
    'NodeName=n[1-2]\nPartitionName=main Nodes=ALL QOS=q;date\nDownNodes="n1;date" Reason="it\'s $(date)"\n',
  );
  const echoed = execFileSync("/bin/sh", ["-s"], {
    input: `say() { printf '%s\\n' "$@"; }\nalias mgpu-scontrol=say mgpu-sacctmgr=say\n${commands.join("\n")}\n`,
    encoding: "utf8",
  });
  expect(echoed.split("\n")).toEqual([
    ...["-i", "add", "qos", "q;date"],
    ...["update", "NodeName=n1;date", "State=DOWN", "Reason=it's $(date)", ""],
  ]);
  const script = commandsScript(commands, "a\ntouch came");
  expect(script.split("\n")[1]).toBe("# Made of a?touch came by mgpu import slurm: run it once, when mgpu is up.");
});

test("files that include one another are told", () => {
  const { problems } = importing("Include a.conf", { "a.conf": "Include slurm.conf" });
  expect(problems[0]).toMatch(/files include one another in a circle$/);
});

test("the command writes files only where none are, and says what it left out", async () => {
  const files: Record<string, string> = {
    "/work/slurm.conf":
      "ClusterName=a\nTaskPlugin=task/none\nTmpFS=/tmp\nNodeName=n1 CPUs=4\nPartitionName=p Nodes=n1\n",
    "/work/there.yaml": "mine\n",
  };
  const run = (...argv: string[]) =>
    runOn(command, argv, { files, cwd: "/work", fileQuestions: { exists: (path) => path in files } });
  const shown = await run("slurm", "slurm.conf");
  expect(shown.code).toBe(0);
  expect(shown.out).toContain("partitions:\n  p:\n    nodes: n1\n");
  expect(shown.err).toContain("slurm.conf:2: TaskPlugin=task/none: not needed: ");
  expect(shown.err).toMatch(/1 nodes and 1 partitions; 0 left out, 0 changed, 2 not needed\n$/);
  const refused = await run("slurm", "slurm.conf", "--output=there.yaml");
  expect(refused).toMatchObject({ code: 1, out: "" });
  expect(refused.err).toContain("--output: /work/there.yaml is there already; --force writes over it");
  expect(files["/work/there.yaml"]).toBe("mine\n");
  expect((await run("slurm", "slurm.conf", "--output=there.yaml", "--force", "--quiet")).code).toBe(0);
  expect(files["/work/there.yaml"]).toContain("  n1: {cpus: 4}\n");
  expect((await run("pbs", "x")).code).toBe(2);
  expect((await run("slurm", "nowhere.conf")).err).toContain("nowhere.conf: No such file or directory");
});

test("QOS come with what sacctmgr printed of them", async () => {
  const table = [
    "Name|Priority|GraceTime|Preempt|PreemptExemptTime|PreemptMode|Flags|UsageThres|UsageFactor|GrpTRES|MaxWall|MaxTRESPU|MaxJobsPU",
    "normal|0|00:00:00||00:00:00|cluster||0.000000|1.000000||||",
    "High|100|00:02:00|normal|00:10:00|requeue|DenyOnLimit,OverPartQOS||2.000000|cpu=64,gres/gpu:a100=8|1-00:00:00|gres/gpu=4,license/x=1|3",
    "",
  ];
  const files: Record<string, string> = {
    "/work/slurm.conf": "ClusterName=a\nNodeName=n1\nPartitionName=p Nodes=n1 QOS=part AllowQos=normal,high\n",
    "/work/qos.txt": table.join("\n"),
    "/work/other.txt": "QOS|x\n",
  };
  const run = (...argv: string[]) => runOn(command, argv, { files, cwd: "/work" });
  const { out, err, code } = await run("slurm", "slurm.conf", "--qos=qos.txt");
  expect(code).toBe(0);
  expect(out.slice(out.indexOf("#   "))).toBe(
    [
      "#   mgpu-sacctmgr -i add qos high,part",
      "#   mgpu-sacctmgr -i modify qos normal set Priority=0 GraceTime=00:00:00 PreemptMode=cluster UsageFactor=1.000000",
      "#   mgpu-sacctmgr -i modify qos High set Priority=100 GraceTime=00:02:00 Preempt=normal PreemptMode=requeue " +
        "Flags=DenyOnLimit UsageFactor=2.000000 GrpTRES=cpu=64,gres/gpu:a100=8 MaxWallDurationPerJob=1-00:00:00 " +
        "MaxTRESPerUser=gres/gpu=4 MaxJobsPerUser=3",
      "",
    ].join("\n"),
  );
  expect(err).toContain("qos.txt:3: High PreemptExemptTime=00:10:00: left out: mgpu has no such limit\n");
  expect(err).toContain("qos.txt:3: High Flags=OverPartQOS: left out: mgpu has DenyOnLimit and NoDecay\n");
  expect(err).toContain("qos.txt:3: High MaxTRESPerUser=license/x=1: left out: no TRES known by type license/x\n");
  expect((await run("slurm", "slurm.conf", "--qos=other.txt")).err).toContain(
    "other.txt:1: no column Name: expected what",
  );
});
