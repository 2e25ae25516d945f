/** What listings tell of a job beyond its row: made only where a field of it is asked for. */

import { derivedExit, type Job } from "../core/job.ts";
import { type Allocation, formatGpus, type GpuRequest } from "../core/resources.ts";
import type { JobDetails, JobRow, JobShare } from "../protocol/procedures.ts";
import { jobFiles } from "./job-files.ts";
import { allocatedTres, requestedTres } from "./tres.ts";

/** When and where a waiting job should start; `at` is milliseconds since 1970. */
export interface Forecast {
  readonly at: number;
  readonly nodes: string;
}

const NO_SHARES: JobShare[] = [];

/** @param forecast `null` where nothing can be told, and of jobs that do not wait */
export function toJobDetails(job: Job, row: JobRow, forecast: Forecast | null): JobDetails {
  const { spec } = job;
  const { request } = spec;
  const exit = derivedExit(job);
  return {
    gid: spec.user.gid,
    submitHost: spec.submitHost,
    hold: job.state === "PENDING" ? (job.hold ?? "") : "",
    beginAt: spec.beginAt,
    deadlineAt: spec.deadlineAt,
    nodesMin: request.nodes?.min ?? 0,
    nodesMax: request.nodes?.max ?? 0,
    tasksPerNode: request.tasksPerNode,
    cpusMin: request.cpusMin,
    cpusPerGpu: request.cpusPerGpu,
    contiguous: request.contiguous,
    ...wishTexts(request.gpus),
    ...tresTexts(job, row),
    ...fileNames(job, row),
    derivedCode: exit.code,
    derivedSignal: exit.signal,
    arrayLimit: spec.array?.limit ?? 0,
    hetSize: spec.het?.size ?? 0,
    mailTypes: spec.mail?.types.join(",") ?? "",
    mailUser: spec.mail?.user ?? "",
    // The same list each time: who compares rows sees that nothing changed.
    shares: job.state === "PENDING" ? NO_SHARES : sharesOf(job.allocation),
    // Slurm's word for a time that is not reached: no forecast goes that far.
    expectedAt: forecast?.at ?? (row.reason === "BeginTime" ? job.eligibleAt : null),
    expectedNodes: forecast?.nodes ?? "",
  };
}

/** The first name of a folded list: `n001` of `n[001-003],login`. */
export function firstNode(nodeList: string): string {
  const [, prefix = "", digits = ""] = /^([^,[]*)(?:\[(\d+))?/.exec(nodeList) ?? [];
  return prefix + digits;
}

function wishTexts(gpus: GpuRequest | null): Pick<JobDetails, "tresPerJob" | "tresPerNode" | "tresPerTask"> {
  const text = (gpus?.wishes ?? [])
    .map(({ type, thousandths }) => `gres/gpu${type === null ? "" : `:${type}`}:${formatGpus(thousandths)}`)
    .join(",");
  const of = (per: GpuRequest["per"]): string => (gpus?.per === per ? text : "");
  return { tresPerJob: of("job"), tresPerNode: of("node"), tresPerTask: of("task") };
}

function tresTexts(job: Job, row: JobRow): Pick<JobDetails, "tresAlloc" | "tresRequested"> {
  const tresRequested = requestedTres(row);
  const isPlaced = job.state !== "PENDING" && job.allocation.length > 0;
  const tresAlloc = isPlaced ? allocatedTres(job.allocation, job.spec.request) : tresRequested;
  return { tresAlloc, tresRequested };
}

function fileNames(job: Job, row: JobRow): Pick<JobDetails, "stdinFile" | "stdoutFile" | "stderrFile"> {
  if (job.spec.kind !== "batch") return { stdinFile: "", stdoutFile: "", stderrFile: "" };
  const { stdin, stdout, stderr } = jobFiles(job, firstNode(row.nodeList));
  return { stdinFile: stdin, stdoutFile: stdout, stderrFile: stderr };
}

function sharesOf(allocation: Allocation): JobShare[] {
  return allocation.map(({ node, tasks, cpus, memoryMiB, gpus }) => ({
    ...{ node, tasks, cpus, memoryMiB },
    gpus: gpus.reduce((sum, { thousandths }) => sum + thousandths, 0),
    gpuIds: gpus.map(({ index }) => index),
  }));
}
