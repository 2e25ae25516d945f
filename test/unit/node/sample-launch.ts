/** Orders to launch, as the controller gives them, for tests to vary. */

import type { JobRequest } from "../../../src/core/jobspec.ts";
import type { NodeShare } from "../../../src/core/resources.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";
import * as samples from "../support/samples.ts";

type Part = NodeLaunch["layout"][number];

/** A share of a node. */
export function share(node: string, tasks = 1, gpus: readonly number[] = [], cpus = tasks): NodeShare {
  return { node, tasks, cpus, memoryMiB: 0, gpus: grants(node, gpus) };
}

/** A step's part with these tasks. */
export function part(node: string, tasks: readonly number[], gpus: readonly number[] = [], cpus = tasks.length): Part {
  return { node, tasks: [...tasks], cpus, memoryMiB: 0, gpus: grants(node, gpus) };
}

/** What a user asked for: `srun python train.py` with one task. */
export function request(change: Partial<JobRequest> = {}): JobRequest {
  return {
    ...samples.jobRequest(),
    kind: "run",
    workDir: "/home/ann/work",
    io: { stdin: "all", stdout: null, stderr: null, openMode: "truncate", label: false },
    argv: ["python", "train.py"],
    requeue: false,
    submitHost: "login",
    submitLine: "srun python train.py",
    ...change,
  };
}

/** A step of job 7 on node `n1`. What it runs, and where, follows from the job unless it is given. */
export function runLaunch(change: Partial<NodeLaunch> = {}): NodeLaunch {
  const job = change.job ?? request();
  const allocation = change.allocation ?? [share("n1")];
  return {
    key: { jobId: 7, attempt: 1, stepId: 0 },
    token: "secret",
    job,
    program: programOf(job),
    request: job.request,
    layout: layoutOf(allocation),
    array: null,
    user: { uid: 1001, gid: 100, name: "ann" },
    partition: "main",
    submitAt: 1_700_000_000_000,
    allocation,
    limitS: 0,
    startAt: 1_700_000_001_500,
    clusterName: "lab",
    script: null,
    environment: { HOME: "/home/ann", PATH: "/usr/bin" },
    ...change,
  };
}

/** The batch script of job 7 on node `n1`. */
export function batchLaunch(change: Partial<NodeLaunch> = {}): NodeLaunch {
  const io = { stdin: "none", stdout: null, stderr: null, openMode: "truncate", label: false } as const;
  const [first] = layoutOf(change.allocation ?? [share("n1")]);
  return runLaunch({
    key: { jobId: 7, attempt: 1, stepId: "batch" },
    job: request({ kind: "batch", io, argv: ["job.sh", "a"] }),
    layout: first ? [{ ...first, tasks: [0] }] : [],
    script: new TextEncoder().encode("#!/bin/sh\n"),
    ...change,
  });
}

function programOf(job: JobRequest): NodeLaunch["program"] {
  const { name, workDir, io, argv, programs, pty, umask, rlimits, distribution, gpuBind } = job;
  return {
    ...{ name, workDir, io, argv: [...argv], pty, umask, rlimits: { ...rlimits }, distribution, gpuBind },
    programs: programs.map((program) => ({ task: program.task, argv: [...program.argv] })),
  };
}

/** Tasks node by node, each node with all of its share. */
function layoutOf(allocation: readonly NodeShare[]): Part[] {
  let next = 0;
  return allocation.map(({ node, tasks, cpus, memoryMiB, gpus }) => {
    const numbers = Array.from({ length: tasks }, (_, local) => next + local);
    next += tasks;
    return { node, tasks: numbers, cpus, memoryMiB, gpus: [...gpus] };
  });
}

function grants(node: string, gpus: readonly number[]): Part["gpus"] {
  return gpus.map((index) => ({ index, uuid: `GPU-${node}-${index}`, type: "a100", thousandths: 1000 }));
}
