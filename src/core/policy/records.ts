/**
 * Who may use how much: accounts, users, associations and QoS, as sacctmgr keeps them.
 *
 * An association is a user within an account (in one partition, or in all), or an account within its parent. What is
 * not set is absent: an association without limits is three names and a share.
 */

/** Trackable resources by Slurm's names: `cpu`, `mem` (MiB), `node`, `billing`, `gres/gpu`, `gres/gpu:a100`. */
export type Tres = Readonly<Record<string, number>>;

/**
 * Limits by name; absent where there is none. Counts are of jobs, times are in seconds.
 * `grp...` counts all jobs below an association or of a QoS together, `...PU` those of each user, `...PA` of each
 * account; the others hold for one job, or for the association's own jobs.
 */
export interface Limits {
  readonly grpJobs?: number;
  readonly grpSubmit?: number;
  readonly grpWallS?: number;
  readonly grpTres?: Tres;
  /** TRES minutes of the past, which fade as usage does. */
  readonly grpTresMins?: Tres;
  /** TRES minutes that running jobs may still use. */
  readonly grpTresRunMins?: Tres;
  readonly maxJobs?: number;
  readonly maxSubmit?: number;
  readonly maxWallS?: number;
  readonly maxTres?: Tres;
  readonly maxTresPN?: Tres;
  readonly maxTresMins?: Tres;
  readonly maxTresPU?: Tres;
  readonly maxTresPA?: Tres;
  readonly maxJobsPU?: number;
  readonly maxJobsPA?: number;
  readonly maxSubmitPU?: number;
  readonly maxSubmitPA?: number;
  readonly minTres?: Tres;
}

export type LimitName = keyof Limits;

export interface Account {
  readonly name: string;
  readonly description: string;
  readonly organization: string;
  /** Users who see to the users of this account and of those below it; absent for none. */
  readonly coordinators?: readonly string[] | undefined;
}

export type AdminLevel = "None" | "Operator" | "Administrator";

export interface PolicyUser {
  readonly name: string;
  /** What its jobs are charged to that name no account; empty for none. */
  readonly defaultAccount: string;
  readonly adminLevel: AdminLevel;
}

/** Shares of a user who has no part of their own: the account's are everybody's. */
export const PARENT_SHARES = "parent";

export interface Association {
  /** Never given twice. */
  readonly id: number;
  readonly account: string;
  /** Empty for that of the account itself. */
  readonly user: string;
  /** Empty for all partitions. */
  readonly partition: string;
  /** Of an account: the account above it, empty for the root. Of a user: empty. */
  readonly parent: string;
  readonly shares: number | typeof PARENT_SHARES;
  readonly limits: Limits;
  /** QoS that its jobs may have; `null` for what the account above says. */
  readonly qos: readonly string[] | null;
  readonly defaultQos: string;
}

/** Flags that a record may have; NoReserve, OverPartQOS and UsageFactorSafe do nothing, and sacctmgr sets them no more. */
export const QOS_FLAGS = ["DenyOnLimit", "NoDecay", "NoReserve", "OverPartQOS", "UsageFactorSafe"] as const;

export type QosFlag = (typeof QOS_FLAGS)[number];

export type PreemptMode = "cluster" | "cancel" | "requeue" | "suspend" | "off";

export interface Qos {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly priority: number;
  readonly flags: readonly QosFlag[];
  /** Seconds between the word to a preempted job and its end. */
  readonly graceTimeS: number;
  /** Names of the QoS whose jobs may be preempted for this one's. */
  readonly preempt: readonly string[];
  readonly preemptMode: PreemptMode;
  /** What a second of its jobs counts as. */
  readonly usageFactor: number;
  readonly limits: Limits;
}

/** How priorities are made; see the page on Slurm's multifactor plugin for the names. */
export interface PriorityConfig {
  readonly weightAge: number;
  readonly weightFairShare: number;
  readonly weightJobSize: number;
  readonly weightPartition: number;
  readonly weightQos: number;
  readonly weightTres: Tres;
  /** Seconds of waiting after which a job's age counts in full. */
  readonly maxAgeS: number;
  /** Seconds in which past usage loses half of its weight; 0 for never. */
  readonly decayHalfLifeS: number;
  /** Small jobs get the higher size factor. */
  readonly favorSmall: boolean;
  /** What makes up `billing`, in which usage is counted. */
  readonly billingWeights: Tres;
}

/** Used once there are accounts or QoS; a cluster without them orders its queue by submission alone. */
export const PRIORITY_DEFAULTS: PriorityConfig = {
  weightAge: 1000,
  weightFairShare: 10_000,
  weightJobSize: 0,
  weightPartition: 0,
  weightQos: 10_000,
  weightTres: {},
  maxAgeS: 7 * 86_400,
  decayHalfLifeS: 7 * 86_400,
  favorSmall: false,
  billingWeights: { cpu: 1 },
};

/** Seconds of TRES (and of wall clock, as `wall`) used up to a moment, faded by the half-life. */
export interface Usage {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly seconds: Tres;
}

/** One thing that sacctmgr changed; the journal keeps lists of these. */
export type PolicyChange =
  | { readonly put: "account"; readonly record: Account }
  | { readonly put: "user"; readonly record: PolicyUser }
  | { readonly put: "association"; readonly record: Association }
  | { readonly put: "qos"; readonly record: Qos }
  | { readonly put: "config"; readonly record: Partial<PriorityConfig> }
  | { readonly drop: "account" | "user" | "qos"; readonly name: string }
  | { readonly drop: "association"; readonly id: number }
  /** Usage of an association or a QoS is forgotten (RawUsage=0). */
  | { readonly drop: "usage"; readonly key: string };

/** All of it as snapshots and the wire carry it. */
export interface StoredPolicy {
  /** Counts changes: whoever changes something says on which version. */
  readonly version: number;
  readonly nextId: number;
  readonly accounts: readonly Account[];
  readonly users: readonly PolicyUser[];
  readonly associations: readonly Association[];
  readonly qos: readonly Qos[];
  readonly config: Partial<PriorityConfig>;
  /** By `usageKey`. */
  readonly usage: Readonly<Record<string, Usage>>;
}

export const NO_POLICY: StoredPolicy = {
  version: 0,
  nextId: 1,
  accounts: [],
  users: [],
  associations: [],
  qos: [],
  config: {},
  usage: {},
};
