/** The fields of sstat: each with the width of Slurm's column and its text for a running step. */

import { fold } from "../../core/hostlist.ts";
import type { StepUsage } from "../../core/usage.ts";
import type { Units } from "./amounts.ts";
import { USAGE_WIDTHS } from "./fields.ts";
import { USAGE_FIELDS } from "./usage-fields.ts";

/** A running step. */
export interface StatRow {
  /** `12.0`, `12_3.batch`. */
  readonly id: string;
  readonly isBatch: boolean;
  readonly parts: readonly {
    readonly node: string;
    readonly tasks: readonly number[];
    readonly pids: readonly number[];
    readonly usage?: StepUsage | undefined;
  }[];
}

/** One column. */
export interface StatField {
  readonly name: string;
  readonly width: number;
  text(row: StatRow, units: Units): string;
}

const frequency = ({ isBatch }: StatRow): string => (isBatch ? "0" : "Unknown");

const OWN: readonly (readonly [name: string, width: number, text: StatField["text"]])[] = [
  ["AveCPUFreq", 10, () => "0"],
  ["ConsumedEnergy", 14, () => "0"],
  ["ConsumedEnergyRaw", 17, () => "0"],
  ["JobID", -12, ({ id }) => id],
  ["Nodelist", 20, ({ parts }) => fold(parts.map(({ node }) => node))],
  ["NTasks", 8, ({ parts }) => String(parts.reduce((sum, { tasks }) => sum + tasks.length, 0))],
  ["Pids", 20, ({ parts }) => parts.flatMap(({ pids }) => pids).join(",")],
  ["ReqCPUFreq", 10, frequency],
  ["ReqCPUFreqMin", 13, frequency],
  ["ReqCPUFreqMax", 13, frequency],
  ["ReqCPUFreqGov", 13, frequency],
];

/** All fields, in the order of their names. */
export const SSTAT_FIELDS: readonly StatField[] = [
  ...OWN.map(([name, width, text]) => ({ name, width, text })),
  ...Object.entries(USAGE_FIELDS).map(([name, text]) => ({
    ...{ name, width: USAGE_WIDTHS[name] ?? 10 },
    text: ({ parts }: StatRow, units: Units) => text(parts, units),
  })),
].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));

/** What sstat shows unless told otherwise, and with --pidformat. */
export const SSTAT_FORMAT = [
  "jobid,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,maxrssnode,maxrsstask,averss,maxpages,maxpagesnode",
  "maxpagestask,avepages,mincpu,mincpunode,mincputask,avecpu,ntasks,avecpufreq,reqcpufreqmin,reqcpufreqmax",
  "reqcpufreqgov,consumedenergy,maxdiskread,maxdiskreadnode,maxdiskreadtask,avediskread,maxdiskwrite,maxdiskwritenode",
  "maxdiskwritetask,avediskwrite,tresusageinave,tresusageinmax,tresusageinmaxnode,tresusageinmaxtask,tresusageinmin",
  "tresusageinminnode,tresusageinmintask,tresusageintot,tresusageoutave,tresusageoutmax,tresusageoutmaxnode",
  "tresusageoutmaxtask,tresusageoutmin,tresusageoutminnode,tresusageoutmintask,tresusageouttot",
].join(",");
export const SSTAT_FORMAT_PIDS = "jobid,nodelist,pids";
