/** The columns of sacctmgr's lists. Names, headers and widths are Slurm's. */

import type { Account, Association, LimitName, Limits, PolicyUser, Qos } from "../core/policy/records.ts";
import { formatLimit, type LimitKind, longDuration } from "../core/policy/words.ts";
import type { AccountColumn } from "./account-table.ts";

/** A row of accounts, users or associations. */
export interface PolicyRow {
  readonly cluster: string;
  readonly account: Account | null;
  readonly user: PolicyUser | null;
  readonly association: Association | null;
  /** Levels below the root: the indent of a tree. */
  readonly depth: number;
  /** QoS that the association may use, inherited ones too. */
  readonly qos: readonly string[] | null;
  /** Of an account: who coordinates it; of a user: the accounts that they coordinate. */
  readonly coordinators: readonly string[];
}

type Column = AccountColumn<PolicyRow>;

const of = (header: string, width: number, text: (row: PolicyRow) => string): Column => ({ header, width, text });

const limit = (header: string, width: number, name: LimitName, kind: LimitKind): Column =>
  of(header, width, ({ association }) => formatLimit(kind, association?.limits[name]));

/** One TRES of a limit, as Slurm's older columns have it. */
const part = (header: string, width: number, name: LimitName, tres: string): Column =>
  of(header, width, ({ association }) => {
    const value = association?.limits[name];
    return typeof value === "object" && value[tres] !== undefined ? String(value[tres]) : "";
  });

export const POLICY_COLUMNS: Readonly<Record<string, Column>> = {
  account: of("Account", 10, ({ association, account }) => association?.account ?? account?.name ?? ""),
  adminlevel: of("Admin", 9, ({ user }) => user?.adminLevel ?? ""),
  cluster: of("Cluster", 10, ({ cluster, association }) => (association ? cluster : "")),
  coordinators: of("Coord Accounts", 20, ({ coordinators }) => coordinators.join(",")),
  defaultaccount: of("Def Acct", 10, ({ user }) => user?.defaultAccount ?? ""),
  defaultqos: of("Def QOS", 9, ({ association }) => association?.defaultQos ?? ""),
  description: of("Descr", 20, ({ account }) => account?.description ?? ""),
  fairshare: of("Share", 9, ({ association }) => (association ? String(association.shares) : "")),
  grpcpumins: part("GrpCPUMins", 11, "grpTresMins", "cpu"),
  grpcpus: part("GrpCPUs", 8, "grpTres", "cpu"),
  grpjobs: limit("GrpJobs", 7, "grpJobs", "count"),
  grpmemory: part("GrpMem", 7, "grpTres", "mem"),
  grpnodes: part("GrpNodes", 8, "grpTres", "node"),
  grpsubmitjobs: limit("GrpSubmit", 9, "grpSubmit", "count"),
  grptres: limit("GrpTRES", 13, "grpTres", "tres"),
  grptresmins: limit("GrpTRESMins", 13, "grpTresMins", "tres"),
  grptresrunmins: limit("GrpTRESRunMins", 13, "grpTresRunMins", "tres"),
  grpwall: limit("GrpWall", 11, "grpWallS", "time"),
  id: of("ID", 6, ({ association }) => (association ? String(association.id) : "")),
  maxcpumins: part("MaxCPUMins", 11, "maxTresMins", "cpu"),
  maxcpus: part("MaxCPUs", 8, "maxTres", "cpu"),
  maxjobs: limit("MaxJobs", 7, "maxJobs", "count"),
  maxnodes: part("MaxNodes", 8, "maxTres", "node"),
  maxsubmitjobs: limit("MaxSubmit", 9, "maxSubmit", "count"),
  maxtres: limit("MaxTRES", 13, "maxTres", "tres"),
  maxtresmins: limit("MaxTRESMins", 13, "maxTresMins", "tres"),
  maxtrespernode: limit("MaxTRESPerNode", 14, "maxTresPN", "tres"),
  maxtrespn: limit("MaxTRESPerNode", 14, "maxTresPN", "tres"),
  maxwall: limit("MaxWall", 11, "maxWallS", "time"),
  name: of("Name", 10, ({ user, account }) => user?.name ?? account?.name ?? ""),
  organization: of("Org", 20, ({ account }) => account?.organization ?? ""),
  parentname: of("ParentName", 10, ({ association }) => association?.parent ?? ""),
  partition: of("Partition", 10, ({ association }) => association?.partition ?? ""),
  priority: of("Priority", 10, () => ""),
  qos: of("QOS", 20, ({ qos }) => (qos ?? []).join(",")),
  qoslevel: of("QOS", 20, ({ qos }) => (qos ?? []).join(",")),
  shares: of("Share", 9, ({ association }) => (association ? String(association.shares) : "")),
  user: of("User", 10, ({ association, user }) => association?.user ?? user?.name ?? ""),
};

/** The account's column of a tree. */
export const TREE_ACCOUNT: Column = {
  header: "Account",
  width: 20,
  isLeft: true,
  text: ({ association, depth }) => " ".repeat(depth) + (association?.account ?? ""),
};

/** What is listed where no format is given. */
export const POLICY_FORMATS = {
  account: "account,description,organization",
  accountWithAssoc:
    "account,description,organization,cluster,parentname,user,fairshare,priority,grpjobs,grpnodes,grpcpus,grpmemory," +
    "grpsubmitjobs,grpwall,grpcpumins,maxjobs,maxnodes,maxcpus,maxsubmitjobs,maxwall,maxcpumins,qos,defaultqos",
  user: "user,defaultaccount,adminlevel",
  userWithAssoc:
    "user,defaultaccount,adminlevel,cluster,account,partition,fairshare,priority,maxjobs,maxnodes,maxcpus," +
    "maxsubmitjobs,maxwall,maxcpumins,qos,defaultqos",
  association:
    "cluster,account,user,partition,fairshare,priority,grpjobs,grptres,grpsubmitjobs,grpwall,grptresmins,maxjobs," +
    "maxtres,maxtrespernode,maxsubmitjobs,maxwall,maxtresmins,qos,defaultqos,grptresrunmins",
  cluster:
    "cluster,controlhost,controlport,rpc,fairshare,grpjobs,grptres,grpsubmitjobs,maxjobs,maxtres,maxsubmitjobs," +
    "maxwall,qos,defaultqos",
  qos:
    "name,priority,gracetime,preempt,preemptexempttime,preemptmode,flags,usagethreshold,usagefactor,grptres," +
    "grptresmins,grptresrunmins,grpjobs,grpsubmitjobs,grpwall,maxtres,maxtrespernode,maxtresmins,maxwall," +
    "maxtresperuser,maxjobsperuser,maxsubmitjobsperuser,maxtresperaccount,maxjobsperaccount," +
    "maxsubmitjobsperaccount,mintres",
} as const;

const qosOf = (header: string, width: number, text: (qos: Qos) => string): AccountColumn<Qos> => ({
  header,
  width,
  text,
});

const qosLimit = (header: string, width: number, name: keyof Limits, kind: LimitKind): AccountColumn<Qos> =>
  qosOf(header, width, ({ limits }) => formatLimit(kind, limits[name]));

export const QOS_COLUMNS: Readonly<Record<string, AccountColumn<Qos>>> = {
  description: qosOf("Descr", 20, ({ description }) => description),
  flags: qosOf("Flags", 40, ({ flags }) => flags.join(",")),
  gracetime: qosOf("GraceTime", 10, ({ graceTimeS }) => longDuration(graceTimeS)),
  grpjobs: qosLimit("GrpJobs", 7, "grpJobs", "count"),
  grpsubmitjobs: qosLimit("GrpSubmit", 9, "grpSubmit", "count"),
  grptres: qosLimit("GrpTRES", 13, "grpTres", "tres"),
  grptresmins: qosLimit("GrpTRESMins", 13, "grpTresMins", "tres"),
  grptresrunmins: qosLimit("GrpTRESRunMins", 13, "grpTresRunMins", "tres"),
  grpwall: qosLimit("GrpWall", 11, "grpWallS", "time"),
  id: qosOf("ID", 6, ({ id }) => String(id)),
  maxjobspa: qosLimit("MaxJobsPA", 9, "maxJobsPA", "count"),
  maxjobsperaccount: qosLimit("MaxJobsPA", 9, "maxJobsPA", "count"),
  maxjobsperuser: qosLimit("MaxJobsPU", 9, "maxJobsPU", "count"),
  maxjobspu: qosLimit("MaxJobsPU", 9, "maxJobsPU", "count"),
  maxsubmitjobsperaccount: qosLimit("MaxSubmitPA", 11, "maxSubmitPA", "count"),
  maxsubmitjobsperuser: qosLimit("MaxSubmitPU", 11, "maxSubmitPU", "count"),
  maxsubmitpa: qosLimit("MaxSubmitPA", 11, "maxSubmitPA", "count"),
  maxsubmitpu: qosLimit("MaxSubmitPU", 11, "maxSubmitPU", "count"),
  maxtres: qosLimit("MaxTRES", 13, "maxTres", "tres"),
  maxtresmins: qosLimit("MaxTRESMins", 13, "maxTresMins", "tres"),
  maxtrespa: qosLimit("MaxTRESPA", 13, "maxTresPA", "tres"),
  maxtresperaccount: qosLimit("MaxTRESPA", 13, "maxTresPA", "tres"),
  maxtrespernode: qosLimit("MaxTRESPerNode", 14, "maxTresPN", "tres"),
  maxtresperuser: qosLimit("MaxTRESPU", 13, "maxTresPU", "tres"),
  maxtrespn: qosLimit("MaxTRESPerNode", 14, "maxTresPN", "tres"),
  maxtrespu: qosLimit("MaxTRESPU", 13, "maxTresPU", "tres"),
  maxwall: qosLimit("MaxWall", 11, "maxWallS", "time"),
  mintres: qosLimit("MinTRES", 13, "minTres", "tres"),
  name: qosOf("Name", 10, ({ name }) => name),
  preempt: qosOf("Preempt", 10, ({ preempt }) => preempt.join(",")),
  preemptexempttime: qosOf("PreemptExemptTime", 19, () => ""),
  preemptmode: qosOf("PreemptMode", 11, ({ preemptMode }) => preemptMode),
  priority: qosOf("Priority", 10, ({ priority }) => String(priority)),
  usagefactor: qosOf("UsageFactor", 11, ({ usageFactor }) => usageFactor.toFixed(6)),
  usagethreshold: qosOf("UsageThres", 10, () => ""),
};

/** Columns of a cluster: its root association's, and where its controller is. */
export const CLUSTER_COLUMNS: Readonly<Record<string, Column>> = {
  ...POLICY_COLUMNS,
  cluster: of("Cluster", 10, ({ cluster }) => cluster),
  controlhost: of("ControlHost", 15, () => ""),
  controlport: of("ControlPort", 12, () => "0"),
  rpc: of("RPC", 5, () => "0"),
};

/** A trackable resource, as `list tres` shows it. */
export interface TresRow {
  readonly type: string;
  readonly name: string;
  readonly id: number;
}

export const TRES_COLUMNS: Readonly<Record<string, AccountColumn<TresRow>>> = {
  id: { header: "ID", width: 6, text: ({ id }) => String(id) },
  name: { header: "Name", width: 15, text: ({ name }) => name },
  type: { header: "Type", width: 8, text: ({ type }) => type },
};
