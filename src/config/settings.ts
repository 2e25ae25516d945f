/**
 * Settings of the daemons: each has a key in the configuration file (file.ts), an environment variable, which goes
 * above it, and a default. Bad values are all reported together. This is the one place that names them.
 */

import { type LicenseWish, parseLicenses } from "../core/licenses.ts";
import { formatModels, type ModelTable, NO_MODELS, parseModels } from "../core/models.ts";
import type { Environment } from "./places.ts";
import { type Key, listenAt, positive, seconds, whole, word, words } from "./setting.ts";
import { ELASTIC_SETTINGS, type ElasticSettings } from "./settings-elastic.ts";
import { FEED_SETTINGS, type FeedSettings } from "./settings-feed.ts";
import { GPU_SETTINGS, type GpuSettings } from "./settings-gpu.ts";
import { PARTITION_SETTINGS, type PartitionSettings } from "./settings-partitions.ts";
import { QUEUE_SETTINGS, type QueueSettings } from "./settings-queue.ts";
import { SAFETY_SETTINGS, type SafetySettings } from "./settings-safety.ts";
import { SCHEDULER_SETTINGS, type SchedulerSettings } from "./settings-scheduler.ts";
import { SECURITY_SETTINGS, type SecuritySettings } from "./settings-security.ts";

export interface Settings
  extends GpuSettings,
    FeedSettings,
    SecuritySettings,
    SafetySettings,
    PartitionSettings,
    SchedulerSettings,
    QueueSettings,
    ElasticSettings {
  readonly clusterName: string;
  /** Seconds between TERM and KILL. */
  readonly killWaitS: number;
  /** Seconds that a finished job stays in the queue's memory. */
  readonly minJobAgeS: number;
  /** Milliseconds between a node's signs of life. */
  readonly heartbeatMs: number;
  /** Seconds without a node after which it is down, and its jobs are lost; 0 for never. */
  readonly nodeTimeoutS: number;
  /** Jobs that die at once on a node, one after the other, before it is drained; 0 for any number. */
  readonly drainAfterDeaths: number;
  /** Seconds within which a death is one at once. */
  readonly deathWithinS: number;
  /** Journal bytes after which a snapshot is made. */
  readonly snapshotBytes: number;
  /** Seconds that a job of srun survives without its client. */
  readonly orphanS: number;
  /** Name of this machine's node; empty for the short host name. */
  readonly nodeName: string;
  /** Name or number at which other nodes reach this machine; empty for what the machine says of itself. */
  readonly nodeAddress: string;
  /** Where clients reach the steps of a node that joined another machine's cluster: `host:port`, `none`, or empty. */
  readonly streamListen: string;
  /** CPUs and memory to offer instead of what the machine has; 0, which nobody can set, for what it has. */
  readonly cpus: number;
  readonly memoryMiB: number;
  /** A count of fake GPUs or the path of a file that lists them; empty for real ones. */
  readonly fakeGpus: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Words that jobs may ask this machine's node for with -C. */
  readonly features: readonly string[];
  /** Nodes of lower weight are filled first. */
  readonly nodeWeight: number;
  /** Absolute path of the socket of the node daemon's controller; empty for that of the state folder. */
  readonly controllerSocket: string;
  /** Where the controller listens for other machines, `host:port`; empty for where it was told to earlier. */
  readonly listen: string;
  /** Slurm's EnforcePartLimits: whether jobs that exceed their partition's limits are refused, or wait (NO). */
  readonly enforcePartLimits: "NO" | "ANY" | "ALL";
  /** How many there are of each license that jobs may ask for with --licenses. */
  readonly licenses: readonly LicenseWish[];
  /** Absolute path of the program that the controller sends mail with; empty for the machine's own. */
  readonly mailProgram: string;
  /** Where Prometheus finds metrics; `null` for nowhere. */
  readonly metricsListen: { readonly host: string; readonly port: number } | null;
  /** Absolute path of a file whose text signs notices to web addresses; empty for unsigned ones. */
  readonly webhookSecretFile: string;
  /** GPUs that jobs get by the name of their model. */
  readonly models: ModelTable;
}

type Keys = { readonly [K in keyof Settings]: Key<Settings[K]> };

const ENFORCE = ["NO", "ANY", "ALL"] as const;
const LEVELS = ["debug", "info", "warn", "error"] as const;

export const SETTINGS: Keys = {
  clusterName: {
    key: "cluster.name",
    about: "name of the cluster in listings and in the variables of jobs",
    variable: "MGPU_CLUSTER_NAME",
    fallback: "mgpu",
    parse: word,
    expected: "a name",
  },
  killWaitS: {
    key: "limits.kill_wait",
    about: "seconds between SIGTERM and SIGKILL",
    variable: "MGPU_KILL_WAIT",
    fallback: 30,
    parse: seconds,
    expected: "seconds",
  },
  minJobAgeS: {
    key: "limits.min_job_age",
    about: "seconds that a job which is over stays in the queue's memory",
    isLive: true,
    variable: "MGPU_MIN_JOB_AGE",
    fallback: 300,
    parse: seconds,
    expected: "seconds",
  },
  heartbeatMs: {
    key: "cluster.heartbeat_ms",
    about: "milliseconds between a node's signs of life",
    variable: "MGPU_HEARTBEAT_MS",
    fallback: 5000,
    parse: positive,
    expected: "milliseconds, at least 1",
  },
  nodeTimeoutS: {
    key: "cluster.node_timeout",
    about:
      "seconds without a sign of life after which a node is down and its jobs are lost or start elsewhere; 0 for never",
    isLive: true,
    variable: "MGPU_NODE_TIMEOUT",
    fallback: 300,
    parse: seconds,
    expected: "seconds, 0 for never",
  },
  drainAfterDeaths: {
    key: "limits.drain_after_deaths",
    about: "a node on which so many jobs in a row die at once, by its own fault, is drained; 0 for never",
    isLive: true,
    variable: "MGPU_DRAIN_AFTER_DEATHS",
    fallback: 5,
    parse: whole,
    expected: "a count, 0 for never",
  },
  deathWithinS: {
    key: "limits.death_within",
    about: "seconds after its start within which a job's death counts for that",
    isLive: true,
    variable: "MGPU_DEATH_WITHIN",
    fallback: 10,
    parse: seconds,
    expected: "seconds",
  },
  snapshotBytes: {
    key: "cluster.snapshot_bytes",
    about: "bytes of journal after which a snapshot is made",
    variable: "MGPU_SNAPSHOT_BYTES",
    fallback: 16 * 1024 * 1024,
    parse: positive,
    expected: "bytes, at least 1",
  },
  orphanS: {
    key: "limits.orphan_wait",
    about: "seconds that a job of srun survives without its client",
    variable: "MGPU_ORPHAN_WAIT",
    fallback: 60,
    parse: seconds,
    expected: "seconds",
  },
  nodeName: {
    key: "node.name",
    about: "name of this machine's node; the short host name otherwise",
    variable: "MGPU_NODE_ID",
    fallback: "",
    parse: word,
    expected: "letters, digits, '.', '_' and '-'",
  },
  nodeAddress: {
    key: "node.address",
    about: "host name or number at which others reach this machine",
    variable: "MGPU_NODE_ADDRESS",
    fallback: "",
    parse: (text) => (/^[A-Za-z0-9][A-Za-z0-9.:_%-]{0,254}$/.test(text) ? text : undefined),
    expected: "a host name or an IP address",
  },
  streamListen: {
    key: "node.listen",
    about:
      "where clients on other machines attach to steps straight, with TLS and a key for each connection; none: only through the controller; port 7412 or any that is free otherwise",
    variable: "MGPU_NODE_LISTEN",
    fallback: "",
    parse: (text) => (/^(none|[A-Za-z0-9.:[\]-]*:\d{1,5})$/.test(text) ? text : undefined),
    expected: "host:port, :port or none",
  },
  cpus: {
    key: "node.cpus",
    about: "CPUs to offer instead of all",
    variable: "MGPU_CPUS",
    fallback: 0,
    parse: positive,
    expected: "a count, at least 1",
  },
  memoryMiB: {
    key: "node.memory",
    about: "MiB of memory to offer instead of all",
    variable: "MGPU_MEMORY",
    fallback: 0,
    parse: positive,
    expected: "MiB, at least 1",
  },
  fakeGpus: {
    key: "node.fake_gpus",
    about: "offer so many fake GPUs, or those that a file lists, instead of the real ones",
    variable: "MGPU_FAKE_GPUS",
    fallback: "",
    parse: (text) => text,
    expected: "a count such as 4 or a100:4,t4:1, or a file",
  },
  logLevel: {
    key: "logging.level",
    about: "least severe messages that are logged",
    isLive: true,
    variable: "MGPU_LOG_LEVEL",
    fallback: "info",
    parse: (text) => LEVELS.find((level) => level === text),
    expected: LEVELS.join(", "),
  },
  enforcePartLimits: {
    key: "limits.enforce_partition_limits",
    about: "whether jobs that exceed their partition's limits are refused (ANY, ALL) or wait (NO)",
    isLive: true,
    variable: "MGPU_ENFORCE_PART_LIMITS",
    fallback: "NO",
    parse: (text) => ENFORCE.find((word) => word === text.toUpperCase()),
    expected: ENFORCE.join(", "),
  },
  features: {
    key: "node.features",
    about: "words that jobs may ask this machine's node for with --constraint",
    variable: "MGPU_FEATURES",
    fallback: [],
    parse: words,
    expected: "words with commas between them",
  },
  nodeWeight: {
    key: "node.weight",
    about: "nodes of lower weight are filled first; mgpu-scontrol update goes above it",
    variable: "MGPU_NODE_WEIGHT",
    fallback: 1,
    parse: (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined),
    expected: "a whole number",
  },
  controllerSocket: {
    key: "cluster.controller_socket",
    about: "path of the controller's socket, for a node daemon of this machine",
    variable: "MGPU_CONTROLLER_SOCKET",
    fallback: "",
    parse: (text) => (text.startsWith("/") ? text : undefined),
    expected: "the absolute path of a socket",
  },
  listen: {
    key: "security.listen",
    about: "where the controller listens for other machines, with TLS and keys only",
    variable: "MGPU_LISTEN",
    fallback: "",
    parse: (text) => (/^[A-Za-z0-9.:[\]-]*:\d{1,5}$/.test(text) ? text : undefined),
    expected: "host:port, for example 0.0.0.0:7411",
  },
  licenses: {
    key: "cluster.licenses",
    about: "licenses and how many there are of each",
    isLive: true,
    variable: "MGPU_LICENSES",
    fallback: [],
    parse(text) {
      const parsed = parseLicenses(text);
      return "problem" in parsed ? undefined : parsed.value;
    },
    expected: "licenses with their counts, such as matlab:10,ansys:2",
  },
  mailProgram: {
    key: "notifications.mail_program",
    about: "program that mail is sent with; the machine's own otherwise",
    variable: "MGPU_MAIL_PROG",
    fallback: "",
    parse: (text) => (text.startsWith("/") ? text : undefined),
    expected: "the absolute path of a program",
  },
  ...SCHEDULER_SETTINGS,
  metricsListen: {
    key: "metrics.listen",
    about:
      "port, or host:port, at which Prometheus finds /metrics and probes /health; this machine only unless a host is named",
    variable: "MGPU_METRICS_LISTEN",
    fallback: null,
    parse: listenAt,
    format: (value) => (value ? `${value.host}:${value.port}` : ""),
    expected: "a port such as 9464, or host:port",
  },
  webhookSecretFile: {
    key: "notifications.webhook_secret_file",
    about: "file with a secret that signs notices to web addresses (X-Mgpu-Signature); unsigned otherwise",
    variable: "MGPU_WEBHOOK_SECRET_FILE",
    fallback: "",
    parse: (text) => (text.startsWith("/") ? text : undefined),
    expected: "the absolute path of a file",
  },
  ...QUEUE_SETTINGS,
  models: {
    key: "models.table",
    about: "GPUs that each model needs",
    isLive: true,
    variable: "MGPU_MODELS",
    fallback: NO_MODELS,
    parse(text) {
      const parsed = parseModels(text);
      return "problem" in parsed ? undefined : parsed.value;
    },
    format: formatModels,
    expected: "models with their GPUs, such as llama-70b=4,mistral=0.5",
  },
  ...GPU_SETTINGS,
  ...FEED_SETTINGS,
  ...ELASTIC_SETTINGS,
  ...SECURITY_SETTINGS,
  ...SAFETY_SETTINGS,
  ...PARTITION_SETTINGS,
};

/** The texts of the settings that an environment gives, by variable. Empty ones count as not given. */
export function givenSettings(env: Environment): Record<string, string> {
  const given: Record<string, string> = {};
  for (const { variable } of Object.values(SETTINGS)) {
    const text = env[variable];
    if (text) given[variable] = text;
  }
  return given;
}

/** Settings from the environment, and one sentence for each variable that can't be read. */
export function settingsFrom(env: Environment): { readonly settings: Settings; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read = <K extends keyof Settings>(name: K): Settings[K] => {
    const { variable, fallback, parse, expected } = SETTINGS[name];
    const text = env[variable];
    if (text === undefined || text === "") return fallback;
    const value = parse(text);
    if (value === undefined) problems.push(`${variable}: expected ${expected}, got "${text}"`);
    return value ?? fallback;
  };
  const names = Object.keys(SETTINGS) as (keyof Settings)[];
  const settings = Object.fromEntries(names.map((name) => [name, read(name)])) as unknown as Settings;
  return { settings, problems };
}
