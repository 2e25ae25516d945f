/** Nodes that do nothing but be there: a connection each, and a sign of life as often as the controller wants one. */

import { Client } from "./wire.mjs";

const VITALS = { loadCenti: 0, freeMemoryMiB: 1000, bootAt: 1, sockets: 1, coresPerSocket: 8, threadsPerCore: 1 };
const GPUS = 8;

/** @param {string} home the state folder @param {number} count */
export async function joinNodes(home, count) {
  const nodes = await Promise.all(Array.from({ length: count }, (_, index) => join(home, `null${index + 1}`)));
  return {
    close() {
      for (const { client, timer } of nodes) {
        clearInterval(timer);
        client.close();
      }
    },
  };
}

async function join(home, name) {
  const client = await Client.connect(home, "node");
  const gpus = Array.from({ length: GPUS }, (_, index) => {
    return { index, uuid: `${name}-${index}`, model: "Null", type: "null", memoryMiB: 40_960 };
  });
  const inventory = {
    ...{ hostname: name, cpus: 64, memoryMiB: 100_000, gpus, gpuProvider: "fake", gpuProblem: null },
    ...{ bootId: "b", os: "Linux", arch: "x64", features: [], version: "bench" },
  };
  const startedAt = Date.now();
  const holder = { socket: "/nonexistent", pid: process.pid, version: "bench", startedAt };
  const { heartbeatMs } = await client.call("node.register", { name, inventory, pid: process.pid, startedAt, holder });
  const beat = () => client.call("node.vitals", { ...VITALS, now: Date.now(), gpus: [] }).catch(() => {});
  return { client, timer: setInterval(beat, heartbeatMs) };
}
