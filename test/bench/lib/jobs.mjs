/** Jobs over one connection, as fast as it takes them. */

import { randomBytes } from "node:crypto";

/** Open calls: enough to fill the controller's batches, below what a connection may have open (1,024). */
const IN_FLIGHT_MAX = 512;

/**
 * A batch job of one task.
 * @param {import("./cluster.mjs").Cluster} cluster
 * @param {{name: string, script: string, gpus?: number}} wish
 */
export function batchJob(cluster, { name, script, gpus = 0 }) {
  return {
    job: {
      kind: "batch",
      name,
      partition: null,
      request: {
        tasks: 1,
        cpusPerTask: 1,
        nodes: null,
        memoryMiBPerNode: 0,
        gpus: gpus > 0 ? { thousandths: gpus * 1000, type: null } : null,
      },
      timeLimitS: null,
      workDir: cluster.work,
      io: { stdin: "none", stdout: null, stderr: null, openMode: "truncate", label: false },
      argv: ["bench.sh"],
      pty: null,
      requeue: true,
      submitHost: "bench",
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
