/** Orders to launch, as the controller gives them, for tests to vary. */

import type { JobRequest } from "../../../src/core/jobspec.ts";
import type { NodeShare } from "../../../src/core/resources.ts";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";

/** A share of a node. */
export function share(node: string, tasks = 1, gpus: readonly number[] = [], cpus = tasks): NodeShare {
  const grants = gpus.map((index) => ({ index, uuid: `GPU-${node}-${index}`, thousandths: 1000 }));
  return { node, tasks, cpus, memoryMiB: 0, gpus: grants };
}

/** What a user asked for: `srun python train.py` with one task. */
export function request(change: Partial<JobRequest> = {}): JobRequest {
  return {
    kind: "run",
    name: "train",
    partition: null,
    request: { tasks: 1, cpusPerTask: 1, nodes: null, memoryMiBPerNode: 0, gpus: null },
    timeLimitS: null,
    workDir: "/home/ann/work",
    io: { stdin: "all", stdout: null, stderr: null, openMode: "truncate", label: false },
    argv: ["python", "train.py"],
    pty: null,
    requeue: false,
    submitHost: "login",
    ...change,
  };
}

/** A step of job 7 on node `n1`. */
export function runLaunch(change: Partial<NodeLaunch> = {}): NodeLaunch {
  return {
    key: { jobId: 7, attempt: 1, stepId: 0 },
    token: "secret",
    job: request(),
    user: { uid: 1001, gid: 100, name: "ann" },
    partition: "main",
    submitAt: 1_700_000_000_000,
    allocation: [share("n1")],
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
  return runLaunch({
    key: { jobId: 7, attempt: 1, stepId: "batch" },
    job: request({ kind: "batch", io, argv: ["job.sh", "a"] }),
    script: new TextEncoder().encode("#!/bin/sh\n"),
    ...change,
  });
}
