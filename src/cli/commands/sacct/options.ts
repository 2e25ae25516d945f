/** The options of sacct, those of Slurm 23.11. */

import type { Option } from "../../option.ts";

const flag = (long: string, short: string | null, help: string): Option => ({
  ...{ long, argument: "none", help },
  ...(short === null ? {} : { short }),
});

const list = (long: string, short: string | null, metavar: string, help: string): Option => ({
  ...{ long, argument: "required", metavar, help },
  ...(short === null ? {} : { short }),
});

const NO_COMPLETION = "Slurm job completion is disabled: leave it out, the accounting has the same jobs";

/** By their long names. */
export const SACCT_OPTIONS: readonly Option[] = [
  list("accounts", "A", "accounts", "only jobs of these accounts"),
  flag("allclusters", "L", "jobs of all clusters: mgpu is one, so this changes nothing"),
  flag("allocations", "X", "one row a job, without its steps"),
  flag("allusers", "a", "jobs of all users; only your own if not given, but for root and with --jobs"),
  flag("array", null, "one row for each task of an array that waits; tasks that wait together have one if not given"),
  list("associations", "x", "ids", "only jobs of these associations"),
  flag("batch-script", "B", "print the batch scripts of the jobs of --jobs"),
  flag("brief", "b", "print JobID, State and ExitCode"),
  list("clusters", "M", "clusters", "of these clusters of mgpu login, one after the other; local is this machine"),
  { long: "completion", short: "c", argument: "none", help: "gone in Slurm", refused: NO_COMPLETION },
  list("constraints", "C", "features", "only jobs that asked for all of these features"),
  list("delimiter", null, "text", "what stands between fields with -p and -P, | if not given"),
  flag("duplicates", "D", "also earlier starts of requeued jobs"),
  list("endtime", "E", "time", "only jobs that were there before this time"),
  flag("env-vars", null, "print the environments of the jobs of --jobs"),
  flag("federation", null, "jobs of the federation: there is none, so this changes nothing"),
  { long: "file", short: "f", argument: "required", metavar: "file", help: "", refused: NO_COMPLETION },
  list("flags", "F", "flags", "only jobs with these flags: SchedSubmit, SchedMain, SchedBackfill"),
  {
    ...list("format", "o", "fields", 'what to print: names of fields, a width after %, such as "jobid,state%20"'),
    variables: { sacct: "SACCT_FORMAT" },
  },
  { ...list("group", "g", "groups", "only jobs of these groups, by name or gid"), aliases: ["gid"] },
  flag("helpformat", "e", "print the names of all fields"),
  list("jobs", "j", "ids", "only these jobs or steps, such as 12,12.0,13_4,14.batch,15+1"),
  { long: "json", argument: "optional", metavar: "list", help: "print JSON in the shape of Slurm 23.11" },
  flag("local", null, "jobs of this cluster: there is no other, so this changes nothing"),
  flag("long", "l", "print much of each job and step"),
  list("name", null, "names", "only jobs with these names"),
  list("ncpus", "I", "min[-max]", "only jobs with so many CPUs"),
  list("nnodes", "i", "min[-max]", "only jobs on so many nodes"),
  flag("noconvert", null, "print amounts in the units in which they are kept"),
  list("nodelist", "N", "nodes", "only jobs that ran on any of these nodes, such as n[1-4]"),
  flag("noheader", "n", "print no line of field names"),
  flag("parsable", "p", "fields between bars, with a bar at the end"),
  flag("parsable2", "P", "fields between bars"),
  list("partition", "r", "partitions", "only jobs of these partitions"),
  list("qos", "q", "qos", "only jobs of these QOS"),
  list("reason", "R", "reasons", "only jobs that waited for one of these reasons"),
  list("starttime", "S", "time", "only jobs that were there after this time: since midnight if not given"),
  list(
    "state",
    "s",
    "states",
    "only jobs that had one of these states in the window of time, which is now if not given",
  ),
  list("timelimit-max", "K", "time", "the highest time limit, with --timelimit-min"),
  list("timelimit-min", "k", "time", "only jobs with this time limit, or from it on with --timelimit-max"),
  flag("truncate", "T", "cut starts and ends to the window of time"),
  { ...list("user", "u", "users", "only jobs of these users, by name or uid"), aliases: ["uid"] },
  list("units", null, "unit", "print amounts in K, M, G, T or P"),
  flag("use-local-uid", null, "uids as this machine knows them: they always are"),
  flag("verbose", "v", "say which window of time is looked at"),
  list("wckeys", "W", "wckeys", "only jobs with these wckeys"),
  { long: "whole-hetjob", argument: "optional", metavar: "yes|no", help: "all components of a heterogeneous job: yes" },
  { long: "yaml", argument: "optional", metavar: "list", help: "print YAML in the shape of Slurm 23.11" },
];
