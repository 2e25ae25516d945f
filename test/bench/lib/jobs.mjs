/** Jobs over one connection, as fast as it takes them. */

import { randomBytes } from "node:crypto";

/** Open calls: enough to fill the controller's batches, below what a connection may have open (1,024). */
const IN_FLIGHT_MAX = 512;

/** One task with one CPU. */
const PLAIN_REQUEST = {
  ...{ tasks: 1, tasksPerNode: 0, cpusPerTask: null, cpusPerGpu: 0, tasksPerGpu: 0, cpusMin: 0, nodes: null },
  ...{ memory: null, gpuIds: [], gpuMemoryMiB: 0, exclusive: false, overcommit: false, nodeList: [], excluded: [] },
  ...{ constraint: "", contiguous: false, spread: false },
};

/** What all jobs have alike. */
const PLAIN_JOB = {
  ...{ kind: "batch", partition: null, argv: ["bench.sh"], programs: [], pty: null, umask: 0o22, rlimits: {} },
  io: { stdin: "none", stdout: null, stderr: null, openMode: "truncate", label: false },
  ...{ distribution: "block", gpuBind: null, timeLimitS: null, timeMinS: null, beginAt: 0, deadlineAt: 0 },
  ...{ requeue: true, retries: 0, retryWaitS: 0, hold: false, priority: null, nice: 0, dependency: null },
  ...{ killOnInvalidDep: false, signal: null, array: null, het: null, account: null, comment: "", wckey: "" },
  ...{ qos: null, reservation: null, licenses: [], mail: null, noKill: false },
  ...{ submitHost: "bench", submitLine: "bench" },
};

/**
 * A batch job of one task.
 * @param {import("./cluster.mjs").Cluster} cluster
 * @param {{name: string, script: string, gpus?: number}} wish
 */
export function batchJob(cluster, { name, script, gpus = 0 }) {
  return {
    job: {
      ...PLAIN_JOB,
      name,
      request: {
        ...PLAIN_REQUEST,
        gpus: gpus > 0 ? { per: "job", wishes: [{ type: null, thousandths: gpus * 1000 }] } : null,
      },
      workDir: cluster.work,
    },
    script: new TextEncoder().encode(`#!/bin/sh\n${script}\n`),
    environment: cluster.env,
  };
}

/**
 * Submits the same job many times; resolves with the ids once all are acknowledged.
 * @param {import("./wire.mjs").Client} client
 * @param {ReturnType<typeof batchJob>} job
 * @param {number} count
 * @returns {Promise<number[]>}
 */
export async function submitMany(client, job, count) {
  const ids = [];
  let sent = 0;
  const submitter = async () => {
    while (sent < count) {
      sent++;
      const { jobId } = await client.call("job.submit", { requestId: randomBytes(16).toString("hex"), ...job });
      ids.push(jobId);
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT_MAX, count) }, submitter));
  return ids;
}

/**
 * How many jobs of a name are in each state.
 * @param {import("./wire.mjs").Client} client
 * @param {string} name
 * @returns {Promise<Record<string, number>>}
 */
export async function countStates(client, name) {
  const filter = { ids: [], users: [], states: [], names: [name], partitions: [] };
  const counts = {};
  for (const { rows } of await client.collect("jobs.list", { filter, fields: ["state"] })) {
    for (const [state] of rows) counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}
