/** Commands whose operands depend on those before them, for completion. */

import { ASSOCIATION_LIMITS, QOS_LIMITS } from "../../core/policy/words.ts";
import { type Kind, MAIL } from "./kinds.ts";

/** Rules in order: the words so far, in lower case with a blank after each, against a shell pattern; the first fits. */
export type Grammar = readonly (readonly [pattern: string, kind: Kind])[];

const words = (text: string): Kind => ({ words: text });
const NOTHING: Kind = { is: "nothing" };
const JOBS: Kind = { ask: "jobs" };
const NODES: Kind = { ask: "nodes" };

/** Of a job that waits or runs, as `scontrol update` takes them. */
export const JOB_KEYS =
  "JobId= Account= ArrayTaskThrottle= Comment= Contiguous= CPUsPerTask= Deadline= Dependency= ExcNodeList= Features= Gres= JobName= Licenses= MailType= MailUser= MinCPUsNode= MinMemoryCPU= MinMemoryNode= Name= Nice= NumNodes= NumTasks= OverSubscribe= Partition= Priority= QOS= ReqNodeList= Requeue= ReservationName= StartTime= StdOut= TasksPerNode= TimeLimit= TimeMin= TresPerJob= TresPerNode= TresPerTask= WCKey= WorkDir=";
export const NODE_KEYS = "State= Reason= Weight= Comment= Extra= Features= ActiveFeatures= AvailableFeatures=";
export const PARTITION_KEYS =
  "AllowAccounts= AllowQos= Default= DefaultTime= DefMemPerCPU= DefMemPerNode= DenyAccounts= DenyQos= DisableRootJobs= Hidden= JobDefaults= MaxCPUsPerNode= MaxMemPerCPU= MaxMemPerNode= MaxNodes= MaxTime= MinNodes= Nodes= OverSubscribe= PriorityJobFactor= PriorityTier= QOS= ReqResv= RootOnly= State=";
const RESERVATION_KEYS =
  "StartTime= EndTime= Duration= Nodes= NodeCnt= Users= Accounts= Flags= PartitionName= Features=";

const SCONTROL: Grammar = [
  [
    "",
    words(
      "show update hold uhold release requeue requeuehold suspend resume top create delete notify listpids pidinfo wait_job write completing ping reconfigure shutdown version help",
    ),
  ],
  [
    "show ",
    words(
      "job node partition reservation step hostnames hostlist hostlistsorted config licenses daemons aliases topology",
    ),
  ],
  ["show job*", { ask: "past" }],
  ["show node*", NODES],
  ["show host*", NODES],
  ["show partition*", { ask: "partitions" }],
  ["show reservation*", { ask: "reservations" }],
  ["show step*", { ask: "steps" }],
  ["show *", NOTHING],
  ["update ", words("JobId= NodeName= PartitionName= ReservationName=")],
  ["update *nodename=*", words(NODE_KEYS)],
  ["update *partitionname=*", words(PARTITION_KEYS)],
  ["update *reservationname=*", words(RESERVATION_KEYS)],
  ["update *", words(JOB_KEYS)],
  ["create ", words("reservation partition")],
  ["create res*", words(`ReservationName= ${RESERVATION_KEYS}`)],
  ["create part*", words(`PartitionName= ${PARTITION_KEYS}`)],
  ["delete ", words("ReservationName= PartitionName= reservation partition")],
  ["delete res*", { ask: "reservations" }],
  ["delete part*", { ask: "partitions" }],
  ["write ", words("batch_script")],
  ["write batch_script ", JOBS],
  ["write *", { is: "file" }],
  ["listpids ", JOBS],
  ["[huw]*", JOBS],
  ["re[lqs]*", JOBS],
  ["suspend *", JOBS],
  ["top *", JOBS],
  ["notify ", JOBS],
];

const ASSOCIATION_KEYS = [
  ...ASSOCIATION_LIMITS.map(({ names }) => `${names[0]}=`),
  "FairShare=",
  "DefaultQOS=",
  "QOS=",
].join(" ");
const QOS_KEYS = [
  ...QOS_LIMITS.map(({ names }) => `${names[0]}=`),
  ...["Priority=", "Flags=", "GraceTime=", "Preempt=", "PreemptMode=", "UsageFactor=", "Description="],
].join(" ");
const USER_KEYS = `Accounts= Partitions= DefaultAccount= AdminLevel= ${ASSOCIATION_KEYS}`;
const ACCOUNT_KEYS = `Parent= Description= Organization= ${ASSOCIATION_KEYS}`;

const SACCTMGR: Grammar = [
  ["", words("add modify delete list show version")],
  ["list ", words("account association cluster configuration qos tres user")],
  ["show ", words("account association cluster configuration qos tres user")],
  ["list *", words("format= where")],
  ["show *", words("format= where")],
  ["modify ", words("account user qos cluster")],
  ["add ", words("account user qos")],
  ["delete ", words("account user qos")],
  ["add account *=*", words(ACCOUNT_KEYS)],
  ["add user *=*", words(USER_KEYS)],
  ["add qos *=*", words(QOS_KEYS)],
  ["add account *?", words(ACCOUNT_KEYS)],
  ["add user ", { ask: "users" }],
  ["add user *?", words(USER_KEYS)],
  ["add qos *?", words(QOS_KEYS)],
  ["modify account *set *", words(ACCOUNT_KEYS)],
  ["modify user *set *", words(USER_KEYS)],
  ["modify qos *set *", words(QOS_KEYS)],
  [
    "modify cluster *",
    words(
      "set PriorityWeightAge= PriorityWeightFairShare= PriorityWeightJobSize= PriorityWeightPartition= PriorityWeightQOS= PriorityWeightTRES= PriorityMaxAge= PriorityDecayHalfLife= PriorityFavorSmall= TRESBillingWeights=",
    ),
  ],
  ["modify *where *", words("Accounts= Users= Partitions= set")],
  ["modify account ", { ask: "accounts" }],
  ["delete account ", { ask: "accounts" }],
  ["modify user ", { ask: "users" }],
  ["delete user ", { ask: "users" }],
  ["modify qos ", { ask: "qos" }],
  ["delete qos ", { ask: "qos" }],
  ["modify *", words("set where")],
  ["delete *", words("where Accounts= Users=")],
];

/** By the command as it is typed. */
export const GRAMMARS: Readonly<Record<string, Grammar>> = {
  mgpu: [
    ["", { words: "@subcommands" }],
    ["help ", { words: "@subcommands" }],
  ],
  "mgpu-scontrol": SCONTROL,
  "mgpu-sacctmgr": SACCTMGR,
  "mgpu-sreport": [
    ["", words("cluster user job")],
    ["cluster ", words("Utilization UserUtilizationByAccount AccountUtilizationByUser")],
    ["user ", words("TopUsage")],
    ["job ", words("SizesByAccount")],
    ["*", words("start= end= format= Users= Accounts=")],
  ],
  "mgpu completion": [
    ["", words("bash zsh fish install")],
    ["install *", words("bash zsh fish")],
  ],
  "mgpu feed": [
    ["", { is: "file" }],
    ["list ", NOTHING],
    ["*", { is: "file" }],
  ],
  "mgpu alloc": [
    ["", words("add list pause resume remove log")],
    ["add ", words("slurm")],
    ["*", NOTHING],
  ],
  "mgpu exec": [
    ["", { ask: "running" }],
    ["*", { is: "command" }],
  ],
  "mgpu forward": [["", { ask: "running" }]],
};

/** What may stand behind `key=` in an operand, by the key in lower case. */
export const BY_KEY: Readonly<Record<string, Kind>> = {
  jobid: JOBS,
  ...{ nodename: NODES, nodes: NODES, reqnodelist: NODES, excnodelist: NODES },
  ...{ partition: { ask: "partitions" }, partitions: { ask: "partitions" }, partitionname: { ask: "partitions" } },
  ...{ reservationname: { ask: "reservations" }, reservation: { ask: "reservations" } },
  ...{ account: { ask: "accounts" }, accounts: { ask: "accounts" }, defaultaccount: { ask: "accounts" } },
  ...{ parent: { ask: "accounts" }, allowaccounts: { ask: "accounts" }, denyaccounts: { ask: "accounts" } },
  ...{ qos: { ask: "qos" }, allowqos: { ask: "qos" }, denyqos: { ask: "qos" }, defaultqos: { ask: "qos" } },
  ...{ user: { ask: "users" }, users: { ask: "users" }, preempt: { ask: "qos" } },
  ...{ licenses: { ask: "licenses" }, features: { ask: "features" } },
  ...{ gres: { is: "gres" }, trespernode: { is: "gres" }, tresperjob: { is: "gres" }, trespertask: { is: "gres" } },
  dependency: { is: "dependency" },
  state: words("DRAIN RESUME DOWN IDLE UNDRAIN UP INACTIVE"),
  adminlevel: words("None Operator Administrator"),
  mailtype: words(MAIL),
  flags: words("MAINT IGNORE_JOBS DAILY WEEKLY ALL_NODES PART_NODES FLEX OVERLAP"),
  ...Object.fromEntries(
    ["default", "hidden", "rootonly", "reqresv", "requeue", "contiguous", "disablerootjobs"].map(
      (key) => [key, words("YES NO")] as const,
    ),
  ),
  ...Object.fromEntries(
    ["grptres", "maxtresperjob", "maxtrespernode", "maxtresperuser"].map(
      (key) => [key, words("cpu= mem= node= gres/gpu= billing=")] as const,
    ),
  ),
};
