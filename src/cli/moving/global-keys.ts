/**
 * The keys of slurm.conf that stand by themselves, as of Slurm 22.05 to 24.11, with what becomes of each here: a
 * setting of mgpu's, or why there is none.
 */

/** Settings of mgpu's that mean the same and are written the same. */
export const SAME_SETTINGS: Readonly<Record<string, string>> = {
  clustername: "cluster.name",
  killwait: "limits.kill_wait",
  licenses: "cluster.licenses",
  mailprog: "notifications.mail_program",
  maxjobcount: "limits.max_queued",
  minjobage: "limits.min_job_age",
  preemptexempttime: "scheduler.preempt_exempt_time",
  preempttype: "scheduler.preempt_type",
  privatedata: "security.private_data",
  schedulertype: "scheduler.type",
  slurmdtimeout: "cluster.node_timeout",
};

/** Weights of priorities, which mgpu-sacctmgr keeps: its words for them, and what Slurm takes where none is given. */
export const WEIGHTS: Readonly<Record<string, readonly [word: string, fallback: string]>> = {
  prioritydecayhalflife: ["PriorityDecayHalfLife", "7-0"],
  priorityfavorsmall: ["PriorityFavorSmall", "NO"],
  prioritymaxage: ["PriorityMaxAge", "7-0"],
  priorityweightage: ["PriorityWeightAge", "0"],
  priorityweightfairshare: ["PriorityWeightFairShare", "0"],
  priorityweightjobsize: ["PriorityWeightJobSize", "0"],
  priorityweightpartition: ["PriorityWeightPartition", "0"],
  priorityweightqos: ["PriorityWeightQOS", "0"],
  priorityweighttres: ["PriorityWeightTRES", ""],
};

type Reason = readonly [kind: "left out" | "not needed", why: string, keys: string];

const REASONS: readonly Reason[] = [
  [
    "not needed",
    "mgpu knows its users by the kernel and by keys of its own (mgpu key)",
    `AuthAltParameters AuthAltTypes AuthInfo AuthType CredType JobCredentialPrivateKey JobCredentialPublicCertificate
     CryptoType GroupUpdateForce GroupUpdateTime HashPlugin SlurmUser SlurmdUser UsePAM TLSType TLSParameters`,
  ],
  [
    "not needed",
    "the controller keeps accounting itself, without a database; sacctmgr dump here and mgpu-sacctmgr load there take accounts over",
    `AccountingStorageBackupHost AccountingStorageExternalHost AccountingStorageHost AccountingStorageLoc
     AccountingStorageParameters AccountingStoragePass AccountingStoragePort AccountingStorageTRES AccountingStorageType
     AccountingStorageUser AccountingStoreFlags MaxDBDMsgs TrackWCKey`,
  ],
  ["not needed", "limits hold as soon as there are accounts or QOS", "AccountingStorageEnforce"],
  [
    "not needed",
    "what jobs use is always measured, and memory limits are always kept",
    "JobAcctGatherFrequency JobAcctGatherParams JobAcctGatherType",
  ],
  [
    "left out",
    "energy, interconnects and file systems are not measured",
    `AcctGatherEnergyType AcctGatherFilesystemType AcctGatherInfinibandType AcctGatherInterconnectType AcctGatherNodeFreq
     AcctGatherProfileType ExtSensorsFreq ExtSensorsType`,
  ],
  [
    "not needed",
    "state, sockets and logs lie in mgpu's state folder (MGPU_HOME)",
    `LogTimeFormat PluginDir SlurmSchedLogFile SlurmSchedLogLevel SlurmctldLogFile SlurmctldPidFile
     SlurmctldSyslogDebug SlurmdLogFile SlurmdPidFile SlurmdSpoolDir SlurmdSyslogDebug StateSaveLocation DebugFlags
     SlurmdDebug TmpFS SchedulerLogFile SchedulerLogLevel`,
  ],
  [
    "left out",
    "there is one controller; jobs go on without it, and the next command or systemd starts it again",
    `BackupAddr BackupController SlurmctldPrimaryOffProg SlurmctldPrimaryOnProg SlurmctldTimeout`,
  ],
  [
    "left out",
    "mgpu up --listen HOST:7411 on the controller's machine opens it to the others",
    "ControlAddr ControlMachine SlurmctldAddr SlurmctldHost SlurmctldPort",
  ],
  [
    "not needed",
    "node daemons dial the controller, which finds its own ways and waits",
    `BatchStartTimeout CommunicationParameters EioTimeout EpilogMsgTime GetEnvTimeout MaxNodeCount MessageTimeout
     NoInAddrAny ReconfigFlags ResvOverRun RoutePlugin SlurmctldParameters SlurmctldPlugstack SlurmdParameters SlurmdPort
     SrunPortRange TCPTimeout TreeWidth UnkillableStepProgram UnkillableStepTimeout WaitTime CacheGroups CompleteWait
     CertmgrType CertmgrParameters KeepAliveTime MaxBatchRequeue RequestTimeout ConfigLess`,
  ],
  [
    "left out",
    "no programs of the site are run around jobs; put them into scripts, or use --prolog and --task-prolog of mgpu-srun",
    `Epilog EpilogSlurmctld EpilogTimeout JobContainerType PrEpParameters PrEpPlugins Prolog PrologEpilogTimeout PrologFlags
     PrologSlurmctld PrologTimeout ResvEpilog ResvProlog SrunEpilog SrunProlog TaskEpilog TaskProlog NamespaceType`,
  ],
  [
    "left out",
    "there are no plugins: submissions are as the user wrote them",
    "CliFilterPlugins CliFilterParameters JobSubmitPlugins PlugStackConfig PropagatePrioProcess",
  ],
  [
    "not needed",
    "nodes look after themselves: one on which jobs die at once is drained, and mgpu doctor looks at them",
    "HealthCheckInterval HealthCheckNodeState HealthCheckProgram",
  ],
  [
    "left out",
    "nodes are not switched on and off",
    `PowerParameters PowerPlugin RebootProgram ResumeFailProgram ResumeProgram ResumeRate ResumeTimeout SuspendExcNodes
     SuspendExcParts SuspendExcStates SuspendProgram SuspendRate SuspendTime SuspendTimeout`,
  ],
  [
    "not needed",
    "jobs are kept together by what mgpu's node daemons look at themselves; tasks are bound by mgpu-srun --cpu-bind",
    "ProctrackType TaskPlugin TaskPluginParam CoreSpecPlugin VSizeFactor",
  ],
  [
    "left out",
    "there are no such plugins here",
    `BurstBufferType CpuFreqDef CpuFreqGovernors FederationParameters JobCompHost JobCompLoc JobCompParams JobCompPass
     JobCompPort JobCompType JobCompUser LaunchParameters LaunchType MCSParameters MCSPlugin NodeFeaturesPlugins
     ScronParameters SwitchParameters SwitchType TopologyParam TopologyPlugin X11Parameters InteractiveStepOptions
     BcastExclude BcastParameters DependencyParameters PriorityParameters PrioritySiteFactorParameters
     PrioritySiteFactorPlugin GpuFreqDef DataParserParameters`,
  ],
  ["not needed", "programs for MPI are started by their own launchers or by mgpu-srun", "MpiDefault MpiParams"],
  ["not needed", "usage of the past is reckoned whenever it is looked at", "PriorityCalcPeriod"],
  ["left out", "usage fades by PriorityDecayHalfLife and is never set back", "PriorityUsageResetPeriod"],
  ["left out", "only the factors of the weights count", "FairShareDampeningFactor PriorityWeightAssoc"],
  [
    "left out",
    "mgpu's own limit holds",
    "FirstJobId MaxJobId MaxStepCount MaxTasksPerNode MinJobAgeArray SchedulerTimeSlice SbcastParameters",
  ],
  ["left out", "jobs end at their time limit", "OverTimeLimit"],
  ["left out", "exit codes do not requeue jobs; mgpu-sbatch --retries does", "RequeueExit RequeueExitHold"],
  ["left out", "say it at submission: --open-mode, --kill-on-bad-exit", "JobFileAppend KillOnBadExit"],
  [
    "not needed",
    "the submitter's limits are those of the job",
    "PropagateResourceLimits PropagateResourceLimitsExcept",
  ],
  ["left out", "mail goes to the address that --mail-user names", "MailDomain"],
  ["left out", "CPUs of a node that jobs must not have are left out of its cpus", "AllowSpecResourcesUsage"],
];

/** Why a key is not among mgpu's settings, by the key in lower case. */
export const GLOBAL_REASONS: ReadonlyMap<string, readonly [kind: "left out" | "not needed", why: string]> = new Map(
  REASONS.flatMap(([kind, why, keys]) =>
    keys.split(/\s+/).map((key) => [key.toLowerCase(), [kind, why] as const] as const),
  ),
);

/** Keys that are more than a word for a word; their meaning is in globals.ts. */
export const MEANT_KEYS = [
  ...["DefCpuPerGPU", "DefMemPerCPU", "DefMemPerGPU", "DefMemPerNode", "DisableRootJobs", "EnforcePartLimits"],
  ...[
    "GresTypes",
    "InactiveLimit",
    "JobRequeue",
    "MaxArraySize",
    "MaxMemPerCPU",
    "MaxMemPerNode",
    "PreemptMode",
    "PriorityFlags",
  ],
  ...["PriorityType", "ReturnToService", "SchedulerParameters", "SelectType", "SelectTypeParameters", "SlurmctldDebug"],
] as const;
