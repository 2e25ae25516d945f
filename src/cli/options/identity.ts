/** Options that say what a job is and whose: names, accounts, comments, mail. */

import { parseLicenses } from "../../core/licenses.ts";
import { isMailUser, parseMailTypes } from "../../core/mail-types.ts";
import { parseNotify } from "../../core/notice.ts";
import { expected, type Parsed } from "../../core/parse.ts";
import { anyText, nameText, someText } from "./readers.ts";
import { ALL, ignored, named, RUNNERS, SALLOC, type SubmitOption } from "./record.ts";

const NAME = { argument: "required", metavar: "name", directive: true, of: ALL, read: nameText } as const;

export const IDENTITY = [
  {
    long: "job-name",
    short: "J",
    argument: "required",
    metavar: "name",
    help: "name of the job",
    variables: named("JOB_NAME", RUNNERS),
    directive: true,
    of: ALL,
    read: someText("a name"),
  },
  {
    ...NAME,
    long: "partition",
    short: "p",
    help: "partition to run in, or several (a,b): it starts in the first with room",
    variables: named("PARTITION"),
    read: readPartition,
  },
  { ...NAME, long: "account", short: "A", help: "account to charge the job to", variables: named("ACCOUNT") },
  { ...NAME, long: "qos", short: "q", help: "quality of service of the job", variables: named("QOS") },
  { ...NAME, long: "reservation", help: "use the nodes of this reservation", variables: named("RESERVATION") },
  {
    long: "licenses",
    short: "L",
    argument: "required",
    metavar: "name[:count],...",
    help: "licenses that the job needs while it runs",
    directive: true,
    of: ALL,
    read: parseLicenses,
  },
  {
    long: "comment",
    argument: "required",
    metavar: "text",
    help: "a comment that is kept with the job",
    directive: true,
    of: ALL,
    read: anyText,
  },
  {
    long: "wckey",
    argument: "required",
    metavar: "name",
    help: "a key for accounting that is kept with the job",
    variables: named("WCKEY"),
    directive: true,
    of: ALL,
    read: anyText,
  },
  {
    long: "mail-type",
    argument: "required",
    metavar: "types",
    help: "when to send mail: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL and others; ALL_DONE: when your last job has ended",
    directive: true,
    of: ALL,
    read: parseMailTypes,
  },
  {
    long: "mail-user",
    argument: "required",
    metavar: "user",
    help: "who gets the mail (default: you)",
    directive: true,
    of: ALL,
    read: (text) => (isMailUser(text) ? { value: text } : expected("a user or an address", text)),
  },
  {
    long: "notify",
    argument: "required",
    metavar: "addresses",
    help: "tell web addresses of the same events: https://..., or slack:, discord:, ntfy: before one (default: the job's end); desktop: a notice of this terminal at the end, of an allocation when it is granted",
    variables: { srun: "MGPU_NOTIFY", sbatch: "MGPU_NOTIFY", salloc: "MGPU_NOTIFY" },
    directive: true,
    of: ALL,
    read: parseNotify,
  },
  {
    long: "clusters",
    aliases: ["cluster"],
    short: "M",
    argument: "required",
    metavar: "names",
    help: "this cluster's name or all: there is one",
    variables: named("CLUSTERS"),
    otherVariables: { sbatch: ["SLURM_CLUSTERS"], salloc: ["SLURM_CLUSTERS"] },
    directive: true,
    of: ALL,
    read: someText("a cluster's name"),
  },
  {
    long: "uid",
    argument: "required",
    metavar: "user",
    help: "for root: whose job it is, where mgpu is root's",
    directive: true,
    of: ALL,
    read: someText("a user"),
  },
  {
    long: "gid",
    argument: "required",
    metavar: "group",
    help: "for root: the group that the job works in",
    directive: true,
    of: ALL,
    read: someText("a group"),
  },
  ignored("mcs-label", ALL, "there are no security labels"),
  ignored("cluster-constraint", ALL, "there is one cluster"),
  ignored("extra", ALL, "nothing reads it"),
  ignored("get-user-env", SALLOC, "the command that salloc runs has your environment anyway", { argument: "optional" }),
] as const satisfies readonly SubmitOption[];

/** `a` or `a,b`: it starts in the first of them with room. */
function readPartition(text: string): Parsed<readonly string[]> {
  const names = [...new Set(text.split(",").filter((name) => name !== ""))];
  for (const name of names) {
    const parsed = nameText(name);
    if ("problem" in parsed) return parsed;
  }
  return names.length === 0 ? expected("a name, or several: a,b", text) : { value: names };
}
