/** The present cluster as Slurm's files. */

import { fold } from "../../core/hostlist.ts";
import { PRIORITY_DEFAULTS, type StoredPolicy } from "../../core/policy/records.ts";
import { policyFrom } from "../../core/policy/state.ts";
import { formatBillingWeights, longDuration } from "../../core/policy/words.ts";
import { formatSchedulerParameters, SCHEDULER_PARAMETERS } from "../../core/scheduler-parameters.ts";
import type { NodeRow, PartitionRow, ReservationRow } from "../../protocol/procedures.ts";
import { weightTexts } from "../commands/sacctmgr/cluster.ts";
import { nodeLines, shardsPerGpu } from "./export-nodes.ts";
import { ACCOUNTS_FILE, hasParts, policyScript } from "./export-policy.ts";
import { reservationScript } from "./export-reservations.ts";
import { ADDED_BY_EXPORT } from "./globals.ts";

/** What the controller says of itself. */
export interface ExportedCluster {
  readonly nodes: readonly NodeRow[];
  readonly partitions: readonly PartitionRow[];
  readonly reservations: readonly ReservationRow[];
  /** Parts of GPUs that jobs of the queue have or want, thousandths. */
  readonly gpuParts: readonly number[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Keys of slurm.conf with what is true of this cluster. */
  readonly config: ReadonlyMap<string, string>;
  readonly policy: StoredPolicy;
  /** Accounts and users as sacctmgr dumps them. */
  readonly accounts: string;
  /** The machine on which slurmctld is to run. */
  readonly controllerHost: string;
}

export interface Exported {
  /** Texts by file name. */
  readonly files: Readonly<Record<string, string>>;
  /** What was not said, or is to be looked at. */
  readonly notes: readonly string[];
}

const CGROUP_CONF = `# Jobs are held to the cores, memory and GPUs that they were given.
ConstrainCores=yes
ConstrainDevices=yes
ConstrainRAMSpace=yes
`;

/** Makes them. */
export function exportSlurm(cluster: ExportedCluster): Exported {
  const { nodes, policy, config } = cluster;
  const perGpu = shardsPerGpu(cluster.gpuParts, hasParts(policy));
  const lines = nodeLines(nodes, perGpu);
  const name = config.get("ClusterName") ?? "mgpu";
  const limits = qosLimits(config);
  const isOn = hasPolicy(policy);
  const usesQos = isOn || limits.length > 0;
  const reservations = reservationScript(cluster.reservations, cluster.now);
  const files = {
    "slurm.conf": slurmConf(cluster, lines.slurm, isOn, perGpu > 0),
    "gres.conf": `# GPUs of the nodes.\n${lines.gres.map((line) => `${line}\n`).join("")}`,
    "cgroup.conf": CGROUP_CONF,
    ...(usesQos
      ? {
          "accounts.sh": policyScript(policy, { cluster: name, accounts: cluster.accounts, limits }),
          [ACCOUNTS_FILE]: cluster.accounts,
        }
      : {}),
    ...reservations.files,
  };
  return {
    files,
    notes: [...lines.notes, ...notesOf(cluster, limits, isOn), ...shardNotes(perGpu), ...reservations.notes],
  };
}

function shardNotes(perGpu: number): string[] {
  if (perGpu === 0) return [];
  return [`parts of GPUs: each GPU has ${perGpu} shards there; --gres=shard:${Math.ceil(perGpu / 2)} is half of one`];
}

const hasPolicy = ({ accounts, qos }: StoredPolicy): boolean => accounts.length > 0 || qos.length > 0;

function slurmConf(cluster: ExportedCluster, nodes: readonly string[], isOn: boolean, hasShards: boolean): string {
  const { config, partitions, controllerHost } = cluster;
  const name = config.get("ClusterName") ?? "mgpu";
  return [
    `# slurm.conf of ${name}, written by mgpu export slurm. The same file belongs on all machines.`,
    `ClusterName=${name}`,
    `SlurmctldHost=${controllerHost}`,
    "",
    "# Places and users of Slurm's own: as Debian has them.",
    ...SITE,
    ...(cluster.nodes.some(({ inventory }) => inventory.gpus.length > 0)
      ? [`GresTypes=gpu${hasShards ? ",shard" : ""}`]
      : []),
    "",
    "# Accounts, QOS and their limits: in Slurm's database, which accounts.sh fills.",
    ...accountingLines(cluster, isOn),
    "",
    "# Jobs and limits.",
    ...sameKeys(config),
    ...memoryLine(cluster),
    "",
    "# Order and preemption.",
    ...priorityLines(cluster, isOn),
    "",
    "# Nodes.",
    ...nodes,
    "",
    "# Partitions.",
    ...billingLine(cluster),
    ...partitions.map((partition) => partitionLine(partition, config)),
    "",
  ].join("\n");
}

const SITE = [
  ...["AuthType=auth/munge", "SlurmUser=slurm", "SlurmctldPort=6817", "SlurmdPort=6818"],
  ...["StateSaveLocation=/var/lib/slurm/slurmctld", "SlurmdSpoolDir=/var/lib/slurm/slurmd"],
  ...["SlurmctldPidFile=/run/slurmctld.pid", "SlurmdPidFile=/run/slurmd.pid"],
  ...["SlurmctldLogFile=/var/log/slurm/slurmctld.log", "SlurmdLogFile=/var/log/slurm/slurmd.log"],
  ...["ProctrackType=proctrack/cgroup", "TaskPlugin=task/cgroup,task/affinity", "ReturnToService=1"],
  ...["JobAcctGatherType=jobacct_gather/linux", "MpiDefault=none"],
  ...["SelectType=select/cons_tres", "SelectTypeParameters=CR_CPU_Memory"],
];

function accountingLines({ nodes, controllerHost }: ExportedCluster, isOn: boolean): string[] {
  if (!isOn) return ["AccountingStorageType=accounting_storage/none"];
  const types = [...new Set(nodes.flatMap(({ inventory }) => inventory.gpus.map(({ type }) => type)))].filter(Boolean);
  return [
    "AccountingStorageType=accounting_storage/slurmdbd",
    `AccountingStorageHost=${controllerHost}`,
    "AccountingStorageEnforce=associations,limits,qos",
    ...(types.length > 0
      ? [`AccountingStorageTRES=${["gres/gpu", ...types.map((type) => `gres/gpu:${type}`)].join(",")}`]
      : []),
  ];
}

/** Keys that mean the same, where they say something. */
function sameKeys(config: ReadonlyMap<string, string>): string[] {
  const keys = ["KillWait", "MinJobAge", "SlurmdTimeout", "InactiveLimit", "EnforcePartLimits", "Licenses", "MailProg"];
  return [...keys, "PrivateData", "MaxJobCount", "DefMemPerNode"].flatMap((key) => {
    const value = (config.get(key) ?? "").replace(/ sec$/, "");
    if (/^(|\(null\)|none|unlimited)$/i.test(value)) return [];
    // Slurm counts whole seconds, and 0 is a node's silence without end here, but not there.
    const rounded = /^\d+\.\d+$/.test(value) ? String(Math.ceil(Number(value))) : value;
    return key === "SlurmdTimeout" && rounded === "0"
      ? ["SlurmdTimeout=65533"]
      : [`${key}=${/[\s#]/.test(rounded) ? `"${rounded}"` : rounded}`];
  });
}

/** Without a default a job of Slurm's gets all memory of its nodes, and no other fits beside it. */
function memoryLine({ nodes, partitions, config }: ExportedCluster): string[] {
  const isSaid =
    /^\d+$/.test(config.get("DefMemPerNode") ?? "") || partitions.every(({ defaultMemory }) => defaultMemory);
  const each = nodes.map(({ inventory }) => Math.floor(inventory.memoryMiB / inventory.cpus));
  if (isSaid || each.length === 0) return [];
  return [
    `DefMemPerCPU=${Math.max(1, Math.min(...each))} # ${ADDED_BY_EXPORT}: without it a job gets all memory of its nodes`,
  ];
}

/** Parameters of the scheduler that Slurm has under the same names. */
const SHARED_PARAMETERS = /^(bf_max_job_part|bf_job_part_count_reserve)=/;

const DEFAULT_PARAMETERS = formatSchedulerParameters(SCHEDULER_PARAMETERS).split(",");

/** Those that are set. */
const parametersOf = (config: ReadonlyMap<string, string>): string[] => {
  const all = (config.get("SchedulerParameters") ?? "").split(",");
  return all.filter((one) => one !== "" && !DEFAULT_PARAMETERS.includes(one));
};

function priorityLines({ config, policy }: ExportedCluster, isOn: boolean): string[] {
  const type = config.get("PreemptType") ?? "preempt/none";
  const mode = config.get("PreemptMode") ?? "OFF";
  const isNone = type === "preempt/none" || mode === "OFF";
  const parameters = parametersOf(config).filter((one) => SHARED_PARAMETERS.test(one));
  return [
    `SchedulerType=${config.get("SchedulerType") ?? "sched/backfill"}`,
    ...(parameters.length > 0 ? [`SchedulerParameters=${parameters.join(",")}`] : []),
    `PriorityType=${isOn ? "priority/multifactor" : "priority/basic"}`,
    ...(isOn ? weightTexts(policyFrom(policy).config).flatMap(weightLine) : []),
    `PreemptType=${isNone ? "preempt/none" : type}`,
    `PreemptMode=${isNone ? "OFF" : mode === "SUSPEND" ? "SUSPEND,GANG" : mode}`,
    ...(isNone ? [] : [`PreemptExemptTime=${config.get("PreemptExemptTime") ?? "00:00:00"}`]),
  ];
}

/** Weights of billing belong to partitions; one of memory is a plain number here. */
function weightLine([key, value]: readonly [string, string]): string[] {
  if (key === BILLING || value === "") return [];
  return [`${key}=${value.replace("NONE", "0").replace(/(mem=\d+)M/, "$1")}`];
}

const BILLING = "TRESBillingWeights";

/** What every partition has: nothing where usage is counted as Slurm counts it. */
function billingLine({ policy }: ExportedCluster): string[] {
  const { billingWeights } = policyFrom(policy).config;
  const text = formatBillingWeights(billingWeights);
  return text === formatBillingWeights(PRIORITY_DEFAULTS.billingWeights)
    ? []
    : [`PartitionName=DEFAULT ${BILLING}="${text}"`];
}

const time = (seconds: number): string => (seconds === 0 ? "UNLIMITED" : longDuration(seconds));

/** What differs from Slurm's defaults. */
function partitionLine(partition: PartitionRow, config: ReadonlyMap<string, string>): string {
  // Otherwise the row tells what holds for all of them.
  const hasMode = config.get("PreemptType") === "preempt/partition_prio" && config.get("PreemptMode") !== "OFF";
  const { name, isDefault, nodes, members, state, maxTimeS, defaultTimeS, defaultMemory, maxMemory } = partition;
  const pairs: readonly (readonly [key: string, value: string | number, isSaid: boolean])[] = [
    ["Nodes", nodes === null ? "ALL" : fold(members) || '""', true],
    ["Default", "YES", isDefault],
    ["State", state, true],
    ["MaxTime", time(maxTimeS), true],
    ["DefaultTime", time(defaultTimeS), defaultTimeS > 0],
    ["MinNodes", partition.minNodes, partition.minNodes > 0],
    ["MaxNodes", partition.maxNodes, partition.maxNodes > 0],
    ["MaxCPUsPerNode", partition.maxCpusPerNode, partition.maxCpusPerNode > 0],
    [defaultMemory?.per === "cpu" ? "DefMemPerCPU" : "DefMemPerNode", defaultMemory?.mib ?? 0, defaultMemory !== null],
    [maxMemory?.per === "cpu" ? "MaxMemPerCPU" : "MaxMemPerNode", maxMemory?.mib ?? 0, maxMemory !== null],
    ["DefCpuPerGPU", partition.cpusPerGpu, partition.cpusPerGpu > 0],
    ["DefMemPerGPU", partition.memoryPerGpuMiB, partition.memoryPerGpuMiB > 0],
    ["PriorityTier", partition.priorityTier, partition.priorityTier !== 1],
    ["PriorityJobFactor", partition.priorityJobFactor, partition.priorityJobFactor !== 1],
    ["AllowAccounts", partition.allowAccounts?.join(",") ?? "", partition.allowAccounts !== null],
    ["DenyAccounts", partition.denyAccounts.join(","), partition.denyAccounts.length > 0],
    ["AllowQos", partition.allowQos?.join(",") ?? "", partition.allowQos !== null],
    ["DenyQos", partition.denyQos.join(","), partition.denyQos.length > 0],
    ["QOS", partition.qos ?? "", partition.qos !== null],
    ["Hidden", "YES", partition.isHidden],
    ["RootOnly", "YES", partition.isRootOnly],
    ["DisableRootJobs", "YES", partition.refusesRoot],
    ["ReqResv", "YES", partition.needsReservation],
    ["OverSubscribe", "EXCLUSIVE", partition.isExclusive],
    ["GraceTime", partition.graceTimeS, partition.graceTimeS > 0],
    ["PreemptMode", (partition.preemptMode ?? "off").toUpperCase(), hasMode],
  ];
  const words = pairs.filter(([, , isSaid]) => isSaid).map(([key, value]) => `${key}=${value}`);
  return `PartitionName=${name} ${words.join(" ")}`;
}

/** Limits of mgpu's configuration, as those of the QOS that every job has. */
function qosLimits(config: ReadonlyMap<string, string>): string[] {
  const words = {
    MaxRunningJobs: "GrpJobs",
    MaxRunningJobsPerUser: "MaxJobsPerUser",
    MaxQueuedJobsPerUser: "MaxSubmitJobsPerUser",
  };
  return Object.entries(words).flatMap(([key, word]) => (config.has(key) ? [`${word}=${config.get(key)}`] : []));
}

function notesOf({ partitions, config, policy }: ExportedCluster, limits: readonly string[], isOn: boolean): string[] {
  const empty = partitions.filter(({ nodes, members }) => nodes !== null && members.length < nodes.length);
  const own = parametersOf(config).filter((one) => !SHARED_PARAMETERS.test(one));
  return [
    ...empty.map(({ name, nodes, members }) => {
      const gone = (nodes ?? []).filter((one) => !members.includes(one));
      return `partition ${name}: ${fold(gone)} left out: no such node has come, and Slurm takes only those that it knows`;
    }),
    ...(own.length > 0
      ? [`SchedulerParameters: ${own.join(", ")} left out: Slurm's scheduler has no such parameters`]
      : []),
    ...(limits.length > 0 && !isOn
      ? [
          "accounts.sh sets limits of the configuration on QOS normal: they hold with AccountingStorageEnforce=limits,qos",
        ]
      : []),
    ...(hasParts(policy) ? ["limits that name parts of GPUs are rounded up: Slurm counts whole ones"] : []),
    ...(config.get("PlacementPolicy") === "pack"
      ? []
      : [`placement ${config.get("PlacementPolicy") ?? ""} left out: Slurm places by Weight`]),
  ];
}
