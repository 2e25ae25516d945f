/** The files of a batch script, as its node will name them. */

import { firstTask, taskCount } from "../core/array-spec.ts";
import type { Job } from "../core/job.ts";
import { defaultOutput, fillPattern, type PatternFacts } from "../core/patterns.ts";

/** Absolute paths. */
export interface JobFiles {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param nodeName the first node of the job; empty while it has none */
export function jobFiles(job: Job, nodeName: string): JobFiles {
  const { io } = job.spec;
  const stdout = io.stdout ?? defaultOutput(job.array !== null);
  return {
    stdin: io.stdin === "none" ? "/dev/null" : filled(io.stdin, job, nodeName),
    stdout: filled(stdout, job, nodeName),
    stderr: filled(io.stderr ?? stdout, job, nodeName),
  };
}

function filled(pattern: string, { id, spec, array }: Job, nodeName: string): string {
  const taskId = array && taskCount(array.tasks) === 1 ? firstTask(array.tasks) : undefined;
  const facts: PatternFacts = {
    jobId: id,
    array: array && taskId !== undefined ? { jobId: array.jobId, taskId } : null,
    stepId: "batch",
    jobName: spec.name,
    userName: spec.user.name,
    nodeName,
    nodeId: 0,
    task: 0,
  };
  return fillPattern(pattern, facts, spec.workDir);
}
