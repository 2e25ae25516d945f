/** Records that tests share. */

import type { Command } from "../../../src/core/commands.ts";
import type { JobRequest, JobSpec, ProgramSpec, StepSpec } from "../../../src/core/jobspec.ts";
import type { NodeInventory } from "../../../src/core/node.ts";
import { PLAIN_REQUEST, type ResourceRequest, type StepRequest } from "../../../src/core/resources.ts";

export const T0 = 1_795_000_000_000;

export function request(over: Partial<ResourceRequest> = {}): ResourceRequest {
  return { ...PLAIN_REQUEST, ...over };
}

export function spec(over: Partial<JobSpec> = {}): JobSpec {
  return {
    ...jobRequest(),
    user: { uid: 1000, gid: 1000, name: "ada" },
    scriptDigest: "a".repeat(64),
    environmentDigest: "b".repeat(64),
    ...over,
  };
}

/** A plain batch job as a client sends it. */
export function jobRequest(over: Partial<JobRequest> = {}): JobRequest {
  return {
    ...program(),
    ...{ kind: "batch", partition: null, request: request(), timeLimitS: null, timeMinS: null },
    ...{ beginAt: 0, deadlineAt: 0, requeue: true, retries: 0, retryWaitS: 0, hold: false, priority: null, nice: 0 },
    ...{ dependency: null, killOnInvalidDep: false, signal: null, array: null, het: null },
    ...{ account: null, comment: "", wckey: "", qos: null, reservation: null, licenses: [], mail: null, noKill: false },
    ...{ submitHost: "desk", submitLine: "sbatch train.sh" },
    ...over,
  };
}

function program(): Omit<ProgramSpec, "environmentDigest"> {
  return {
    ...{ name: "train", workDir: "/home/ada", argv: ["train.sh"], programs: [], pty: null, umask: 0o22, rlimits: {} },
    io: { stdin: "none", stdout: null, stderr: null, openMode: "truncate", label: false },
    ...{ distribution: "block", gpuBind: null },
  };
}

/** A step made within a job. */
export function stepSpec(over: Partial<StepRequest> = {}, more: Partial<StepSpec> = {}): StepSpec {
  const wishes = { ...PLAIN_REQUEST, overlap: false, exact: false, firstNode: 0, ...over };
  return { ...program(), environmentDigest: "c".repeat(64), request: wishes, timeLimitS: 0, submitHost: "n1", ...more };
}

export function gpuRequest(count: number): ResourceRequest {
  return request({ gpus: { per: "job", wishes: [{ type: null, thousandths: count * 1000 }] } });
}

export function inventory(gpuCount = 4, cpus = 8): NodeInventory {
  return {
    hostname: "n1",
    cpus,
    memoryMiB: 64_000,
    gpus: Array.from({ length: gpuCount }, (_, index) => ({
      index,
      uuid: `GPU-${index}`,
      model: "NVIDIA A100",
      type: "a100",
      memoryMiB: 40_960,
    })),
    gpuProvider: "fake",
    gpuProblem: null,
    bootId: "boot-1",
    os: "Linux",
    arch: "x64",
    features: [],
    version: "0.1.0",
  };
}

export function submit(requestId: string, over: Partial<JobSpec> = {}): Command {
  return { type: "job.submit", requestId, spec: spec(over) };
}
