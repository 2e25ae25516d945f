/**
 * What listings can ask of a job beyond its row: fields that few readers want, and that watchers never get.
 */

import * as v from "valibot";
import { jobRow } from "./records.ts";
import * as s from "./schemas.ts";

/** More than any reader asks for: longer formats are read where they were written. */
const FORMAT_CHARS_MAX = 2000;
const SEPARATOR_CHARS_MAX = 8;

/** What a job holds on one of its nodes. */
const shareRow = v.object({
  node: s.name,
  tasks: s.count,
  cpus: s.count,
  memoryMiB: s.count,
  /** Thousandths. */
  gpus: s.count,
  /** Positions of its GPUs on their node. */
  gpuIds: v.array(s.count),
});

export const jobDetails = v.object({
  gid: s.count,
  submitHost: s.text,
  /** `user` or `admin` while somebody keeps it waiting, else empty. */
  hold: s.text,
  /** Milliseconds since 1970: not started before, 0 for at once. */
  beginAt: s.count,
  /** Milliseconds since 1970, 0 for none. */
  deadlineAt: s.count,
  /** Fewest and most nodes asked for; 0 where nothing was said. */
  nodesMin: s.count,
  nodesMax: s.count,
  /** 0 where nothing was said. */
  tasksPerNode: s.count,
  cpusMin: s.count,
  cpusPerGpu: s.count,
  contiguous: v.boolean(),
  /** `gres/gpu:a100:2` for the whole job, each node, each task; empty where not asked for so. */
  tresPerJob: s.text,
  tresPerNode: s.text,
  tresPerTask: s.text,
  /** `cpu=4,mem=2G,node=1`: what it holds, else asks for. */
  tresAlloc: s.text,
  tresRequested: s.text,
  /** Files as its node names them; empty where the client has the stream. */
  stdinFile: s.text,
  stdoutFile: s.text,
  stderrFile: s.text,
  /** The worst exit of the steps that srun made. */
  derivedCode: s.count,
  derivedSignal: s.count,
  /** Most tasks of its array that run at the same time, 0 for no limit. */
  arrayLimit: s.count,
  /** Number of components of a heterogeneous job, 0 for none. */
  hetSize: s.count,
  mailTypes: s.text,
  mailUser: s.text,
  shares: v.array(shareRow),
  /** Of a waiting job: when and where it should start, as far as that can be told. */
  expectedAt: v.nullable(s.count),
  expectedNodes: s.text,
});

export const listRow = v.object({ ...jobRow.entries, ...jobDetails.entries });

/**
 * How squeue wants its jobs written: what makes their text besides the jobs themselves. Who answers may leave it to squeue
 * and send rows.
 */
export const listForm = v.object({
  /** `letters` as of --format, `fields` as of --Format, or entries of a JSON document. */
  kind: v.picklist(["letters", "fields", "json"]),
  /** Of a table; a line each. */
  format: v.pipe(v.string(), v.maxLength(FORMAT_CHARS_MAX)),
  /** What stands between two entries of a document. */
  separator: v.pipe(v.string(), v.maxLength(SEPARATOR_CHARS_MAX)),
  /** The reader's clock, in milliseconds since 1970. */
  nowMs: s.count,
  /** Characters of an array's tasks, 0 for all. */
  tasksLengthMax: s.count,
  isUnconverted: v.boolean(),
  clusterName: s.text,
  /** Names of the reader's groups, by number. */
  groups: v.record(s.text, s.text),
  /** A text for each task of an array. */
  isExpanded: v.boolean(),
  /** Only jobs that stand so; all of the filter if empty. */
  states: v.array(s.text),
  /** None of this user's; `null` for everybody's. */
  notUid: v.nullable(s.count),
});

export type ListForm = v.InferOutput<typeof listForm>;
export type JobDetails = v.InferOutput<typeof jobDetails>;
export type JobListRow = v.InferOutput<typeof listRow>;
export type JobShare = v.InferOutput<typeof shareRow>;
