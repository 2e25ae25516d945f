/** Records that tests share. */

import type { Command } from "../../../src/core/commands.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import type { NodeInventory } from "../../../src/core/node.ts";
import type { ResourceRequest } from "../../../src/core/resources.ts";

export const T0 = 1_795_000_000_000;

export function request(over: Partial<ResourceRequest> = {}): ResourceRequest {
  return { tasks: 1, cpusPerTask: 1, nodes: null, memoryMiBPerNode: 0, gpus: null, ...over };
}

export function spec(over: Partial<JobSpec> = {}): JobSpec {
  return {
    kind: "batch",
    name: "train",
    user: { uid: 1000, gid: 1000, name: "ada" },
    partition: null,
    request: request(),
    timeLimitS: null,
    workDir: "/home/ada",
    io: { stdin: "none", stdout: null, stderr: null, openMode: "truncate", label: false },
    argv: ["train.sh"],
    scriptDigest: "a".repeat(64),
    environmentDigest: "b".repeat(64),
    pty: null,
    requeue: true,
    submitHost: "desk",
    ...over,
  };
}

export function gpuRequest(count: number): ResourceRequest {
  return request({ gpus: { thousandths: count * 1000, type: null } });
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
    version: "0.1.0",
  };
}

export function submit(requestId: string, over: Partial<JobSpec> = {}): Command {
  return { type: "job.submit", requestId, spec: spec(over) };
}
