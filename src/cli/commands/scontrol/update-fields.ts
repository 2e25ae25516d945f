/** What `scontrol update` may change of a job: each field's text becomes a change of the job's wishes. */

import { parseMoment } from "../../../core/begin-time.ts";
import { formatConstraint, parseConstraint } from "../../../core/constraint.ts";
import { parseDependency } from "../../../core/dependency.ts";
import { parseGresWishes } from "../../../core/gres.ts";
import { expand } from "../../../core/hostlist.ts";
import { type JobSpec, UNLIMITED } from "../../../core/jobspec.ts";
import { parseLicenses } from "../../../core/licenses.ts";
import { isMailUser, parseMailTypes } from "../../../core/mail-types.ts";
import { expected, type Parsed, parseCount, parseMemory, parseNodeRange } from "../../../core/parse.ts";
import type { GpuRequest, ResourceRequest } from "../../../core/resources.ts";
import { parseTimeLimit, roundUpToMinute, type UtcOffset } from "../../../core/time.ts";
import type { Params } from "../../../protocol/procedures.ts";
import { type Operator, refused } from "./assignments.ts";

/** Wishes to be changed, as jobs.steer takes them. */
export type Changes = Extract<Params<"jobs.steer">["action"], { type: "update" }>["changes"];

/** The job as it is, and where and when the command runs. */
export interface FieldContext {
  readonly spec: JobSpec;
  /** The job's present limit in seconds, 0 for none. */
  readonly limitS: number;
  readonly nowMs: number;
  readonly utcOffset: UtcOffset;
  /** Slurm keeps limits in whole minutes. */
  readonly wholeMinutes: boolean;
  readonly userName: string;
}

export interface Field {
  readonly takesSteps?: true;
  /** Means the tasks of an array that wait, whatever those that run. */
  readonly ofWaiting?: true;
  readonly read: (text: string, context: FieldContext, operator: Operator) => Parsed<Changes>;
}

/** Highest priority and nice value that Slurm takes. */
const PRIORITY_MAX = 2 ** 32 - 2;
const NICE_MAX = 2_147_483_645;
const NICE_DEFAULT = 100;

const text = (change: (text: string) => Changes): Field => ({ read: (given) => ({ value: change(given) }) });

/** A field whose empty text takes the wish away. */
const name = (key: "account" | "qos" | "reservation"): Field =>
  text((given) => ({ [key]: given === "" ? null : given }));

const geometry = (read: (text: string, request: ResourceRequest) => Parsed<Partial<ResourceRequest>>): Field => ({
  read(given, { spec }) {
    const parsed = read(given, spec.request);
    return "problem" in parsed ? parsed : { value: { request: { ...spec.request, ...parsed.value } } };
  },
});

const parsedAs = <T, R>(parsed: Parsed<T>, change: (value: T) => R): Parsed<R> =>
  "problem" in parsed ? parsed : { value: change(parsed.value) };

const nodeNames = (key: "nodeList" | "excluded"): Field =>
  geometry((given) => {
    const names = expand(given);
    return names ? { value: { [key]: names } } : expected("node names such as n[1-3], or nothing", given);
  });

const memory = (per: "node" | "cpu"): Field =>
  geometry((given) => parsedAs(parseMemory(given), (mib) => ({ memory: mib === 0 ? null : { per, mib } })));

/** `gres:gpu:2` as show job prints it, or `gres/gpu:2`, `gpu:2`, `gpu:a100:2`; nothing or `none` for no GPUs. */
const gpus = (per: GpuRequest["per"]): Field =>
  geometry((given) =>
    parsedAs(parseGresWishes(given.replace(/^gres[:/]/, "") || "none"), (wishes) => ({
      gpus: wishes.length === 0 ? null : { per, wishes },
    })),
  );

const yesNo = (given: string): Parsed<boolean> => {
  if (/^(yes|1)$/i.test(given)) return { value: true };
  return /^(no|0)$/i.test(given) ? { value: false } : expected("yes or no", given);
};

const begin: Field = {
  read: (given, { nowMs, utcOffset }) => parsedAs(parseMoment(given, nowMs, utcOffset), (beginAt) => ({ beginAt })),
};

/** By lower-case name. Keys that Slurm has and that mean the same have the same value. */
const NAMED = text((given) => ({ name: given }));
const NODES = geometry((given) => parsedAs(parseNodeRange(given), (nodes) => ({ nodes })));
const TASKS = geometry((given) => parsedAs(parseCount(given), (tasks) => ({ tasks })));
const SHARED = geometry((given) => parsedAs(yesNo(given), (shared) => ({ exclusive: !shared })));
const REQUEUE: Field = { read: (given) => parsedAs(yesNo(given), (requeue) => ({ requeue })) };

/** Keys of Slurm's that can't be kept here, with what to do instead. */
const refusedField = (why: string): Field => ({ read: refused(why) });

const NO_SOCKETS = refusedField("CPUs are counted, not chosen by socket, core or thread");
const NO_SUCH = refusedField("there is none of it here");

export const FIELDS: Readonly<Record<string, Field>> = {
  admincomment: refusedField("write Comment="),
  burstbuffer: NO_SUCH,
  clusterfeatures: refusedField("there is one cluster"),
  clusters: refusedField("there is one cluster"),
  corespec: NO_SOCKETS,
  delayboot: refusedField("nodes are not switched on and off"),
  endtime: refusedField("write TimeLimit="),
  numcpus: refusedField("write NumTasks= or CPUsPerTask="),
  mintmpdisknode: refusedField("disks are not counted"),
  network: NO_SUCH,
  prefer: refusedField("write Features="),
  reboot: refusedField("nodes are not switched on and off"),
  reqcores: NO_SOCKETS,
  reqsockets: NO_SOCKETS,
  reqthreads: NO_SOCKETS,
  sitefactor: refusedField("write Nice="),
  stderr: refusedField("write StdOut="),
  stdin: refusedField("a script's input is settled when it is submitted"),
  switches: NO_SUCH,
  threadspec: NO_SOCKETS,
  waitforswitch: NO_SUCH,
  account: name("account"),
  arraytaskthrottle: {
    ofWaiting: true,
    read(given, { spec: { array } }) {
      if (array === null) return { problem: "the job is no array" };
      return parsedAs(parseCount(given, 0), (limit) => ({ array: { tasks: [...array.tasks], limit } }));
    },
  },
  comment: text((comment) => ({ comment })),
  contiguous: geometry((given) => parsedAs(yesNo(given), (contiguous) => ({ contiguous }))),
  cpuspertask: geometry((given) => parsedAs(parseCount(given), (cpusPerTask) => ({ cpusPerTask }))),
  deadline: {
    read: (given, { nowMs, utcOffset }) =>
      parsedAs(parseMoment(given, nowMs, utcOffset), (deadlineAt) => ({ deadlineAt })),
  },
  dependency: {
    read: (given) => (given === "" ? { value: { dependency: null } } : parsedAs(parseDependency(given), toDependency)),
  },
  eligibletime: begin,
  excnodelist: nodeNames("excluded"),
  features: geometry((given) =>
    given === ""
      ? { value: { constraint: "" } }
      : parsedAs(parseConstraint(given), (one) => ({ constraint: formatConstraint(one) })),
  ),
  gres: gpus("node"),
  irequeue: REQUEUE,
  jobname: NAMED,
  licenses: {
    read: (given) =>
      given === "" ? { value: { licenses: [] } } : parsedAs(parseLicenses(given), (all) => ({ licenses: [...all] })),
  },
  mailtype: {
    read: (given, { spec, userName }) =>
      parsedAs(parseMailTypes(given), (types) => ({
        mail: types.length === 0 ? null : { types: [...types], user: spec.mail?.user ?? userName },
      })),
  },
  mailuser: {
    read(given, { spec, userName }) {
      if (spec.mail === null) return { problem: "set MailType first: the job sends no mail" };
      if (given !== "" && !isMailUser(given)) return expected("a user or an address", given);
      return { value: { mail: { types: [...spec.mail.types], user: given || userName } } };
    },
  },
  mincpusnode: geometry((given) => parsedAs(parseCount(given), (cpusMin) => ({ cpusMin }))),
  minmemorycpu: memory("cpu"),
  minmemorynode: memory("node"),
  name: NAMED,
  nice: { read: readNice },
  numnodes: NODES,
  numtasks: TASKS,
  oversubscribe: SHARED,
  // A list of one takes back a longer one.
  partition: text((given) => {
    const partitions = given.split(",").filter((one) => one !== "");
    return { partition: partitions[0] ?? null, partitions };
  }),
  priority: {
    read(given) {
      const priority = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN;
      return priority <= PRIORITY_MAX ? { value: { priority } } : expected("a priority", given);
    },
  },
  qos: name("qos"),
  reqnodelist: nodeNames("nodeList"),
  reqnodes: NODES,
  reqprocs: TASKS,
  requeue: REQUEUE,
  reservationname: name("reservation"),
  shared: SHARED,
  starttime: begin,
  stdout: { read: (given, { spec }) => ({ value: { io: { ...spec.io, stdout: given === "" ? null : given } } }) },
  taskspernode: geometry((given) => parsedAs(parseCount(given), (tasksPerNode) => ({ tasksPerNode }))),
  timelimit: { takesSteps: true, read: readLimit },
  timemin: {
    read: (given) => parsedAs(parseTimeLimit(given), (limitS) => ({ timeMinS: limitS === 0 ? null : limitS })),
  },
  tresperjob: gpus("job"),
  trespernode: gpus("node"),
  trespertask: gpus("task"),
  wckey: text((wckey) => ({ wckey })),
  workdir: {
    read: (given) => (given.startsWith("/") ? { value: { workDir: given } } : expected("an absolute path", given)),
  },
};

function toDependency({ any, terms }: NonNullable<JobSpec["dependency"]>): Changes {
  return { dependency: { any, terms: [...terms] } };
}

/** `Nice` alone lowers the priority by 100. */
function readNice(given: string): Parsed<Changes> {
  if (given === "") return { value: { nice: NICE_DEFAULT } };
  const nice = /^[+-]?\d{1,10}$/.test(given) ? Number(given) : Number.NaN;
  return Math.abs(nice) <= NICE_MAX ? { value: { nice } } : expected("a nice value", given);
}

/** A new limit, or a change of the present one. */
function readLimit(given: string, context: FieldContext, operator: Operator): Parsed<Changes> {
  const parsed = parseTimeLimit(given);
  if ("problem" in parsed) return parsed;
  const exact = parsed.value;
  const timeS = context.wholeMinutes ? roundUpToMinute(exact) : exact;
  if (operator === "=") return { value: { timeLimitS: timeS } };
  if (context.limitS === UNLIMITED) return { problem: "the job has no limit that could be changed by an amount" };
  const sum = context.limitS + (operator === "+=" ? timeS : -timeS);
  return sum > 0 ? { value: { timeLimitS: sum } } : { problem: `${given} is more than the job's limit` };
}
