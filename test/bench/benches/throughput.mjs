/**
 * Trivial batch jobs, everything durable: how fast they are accepted, and how fast they are over. Against a plain Node
 * program that only starts as many processes, so many at a time as the node has CPUs, and keeps no state at all.
 */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Cluster, untilIdle } from "../lib/cluster.mjs";
import { cpuTimeOf } from "../lib/cpu-time.mjs";
import { throwIfInterrupted } from "../lib/interrupt.mjs";
import { batchJob, countStates, submitMany } from "../lib/jobs.mjs";
import { Meter } from "../lib/meter.mjs";
import { row } from "../lib/report.mjs";
import { interleave } from "../lib/rounds.mjs";
import { maximum, median, minimum, spread } from "../lib/statistics.mjs";

export const about = "1,000 trivial batch jobs, by RPC and by mgpu-sbatch from 4 clients; against a bare spawn loop";

const BENCH = "throughput";
const CLIENTS = 4;
/** By RPC, and by `mgpu-sbatch`, which costs some 40 ms of CPU time each. */
const JOBS = { rpc: 1000, sbatch: 1000 };
const JOBS_QUICK = { rpc: 500, sbatch: 60 };
/** Until V8 has compiled what daemons do for each job, a job costs half as much again. */
const WARM_UP_JOBS = 300;
const LIMITS = { rounds: 3, budgetMs: 300_000 };
const LIMITS_QUICK = { rounds: 1, budgetMs: 0 };
/** A burst that takes longer is stuck. */
const BURST_LIMIT_MS = 120_000;

/** @param {{quick: boolean}} options */
export async function run({ quick }) {
  const jobs = quick ? JOBS_QUICK : JOBS;
  const cluster = await Cluster.start();
  const meter = new Meter(cluster.work);
  try {
    const client = await cluster.connect();
    const setting = { cluster, meter, client, pids: await cluster.daemons() };
    await rpcBurst(setting, "warm", WARM_UP_JOBS);
    const names = {
      spawn: `spawn loop, ${jobs.rpc} x sh -c true, ${cluster.cpus} at a time`,
      node: `spawn loop, ${jobs.sbatch} x node -e 0, ${CLIENTS} at a time`,
      rpc: `${jobs.rpc} jobs, one connection`,
      sbatch: `${jobs.sbatch} jobs, mgpu-sbatch from ${CLIENTS} clients`,
    };
    let bursts = 0;
    const cases = [
      { name: names.spawn, run: () => spawnLoop(setting, jobs.rpc, cluster.cpus, ["/bin/sh", "-c", "true"]) },
      { name: names.rpc, run: () => rpcBurst(setting, `rpc${++bursts}`, jobs.rpc) },
      { name: names.node, run: () => spawnLoop(setting, jobs.sbatch, CLIENTS, [process.execPath, "-e", "0"]) },
      { name: names.sbatch, run: () => sbatchBurst(setting, `sbatch${++bursts}`, jobs.sbatch) },
    ];
    const samples = await interleave(cases, { ...(quick ? LIMITS_QUICK : LIMITS), warmUp: false });
    client.close();
    return [
      ...rowsOf(samples, names.rpc, names.spawn, null),
      ...rowsOf(samples, names.sbatch, names.spawn, names.node),
    ];
  } finally {
    meter.close();
    await cluster.stop();
  }
}

async function spawnLoop({ cluster, meter }, count, concurrency, command) {
  const script = join(import.meta.dirname, "../spawn-loop.mjs");
  const argv = [process.execPath, script, String(count), String(concurrency), ...command];
  const { stdout, cpuMs } = await meter.run({ argv, env: cluster.env, stdout: "keep" });
  const rate = (1000 * count) / Number(stdout);
  return { submitRate: rate, jobRate: rate, cpuMs: cpuMs / count };
}

function rpcBurst(setting, name, count) {
  const job = batchJob(setting.cluster, { name, script: "true" });
  return burst(setting, name, () => submitMany(setting.client, job, count), count);
}

/** Each client submits one job after the other, as a shell loop does. */
function sbatchBurst(setting, name, count) {
  const { cluster } = setting;
  let left = count;
  const loop = async () => {
    while (left > 0) {
      left--;
      await sbatch(cluster, ["--job-name", name, "--wrap", "true"]);
    }
  };
  return burst(setting, name, () => Promise.all(Array.from({ length: CLIENTS }, loop)), count);
}

function sbatch(cluster, args) {
  throwIfInterrupted();
  return new Promise((resolve, reject) => {
    const child = spawn(cluster.program("mgpu-sbatch"), args, { cwd: cluster.work, env: cluster.env, stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`mgpu-sbatch ended with ${code}`))));
  });
}

/** Submits, waits until all jobs are over, and checks that each of them completed. */
async function burst({ client, pids }, name, submit, count) {
  const before = cpuTimes(pids);
  const start = performance.now();
  await submit();
  const submitted = performance.now();
  await untilIdle(client, BURST_LIMIT_MS);
  const ended = performance.now();
  const after = cpuTimes(pids);
  const states = await countStates(client, name);
  if (states.COMPLETED !== count) throw new Error(`of ${count} jobs ${JSON.stringify(states)}`);
  const perJob = (key) => (after[key] - before[key]) / count;
  return {
    submitRate: (1000 * count) / (submitted - start),
    jobRate: (1000 * count) / (ended - start),
    controllerCpuMs: perJob("controller"),
    holderCpuMs: perJob("holder"),
    cpuMs: perJob("controller") + perJob("holder") + perJob("jobs"),
  };
}

/** Controller and node daemon are one process here; jobs are children of the holder. */
function cpuTimes(pids) {
  const holder = cpuTimeOf(pids["mgpu-stepd"]);
  return { controller: cpuTimeOf(pids.mgpuctld).ownMs, holder: holder.ownMs, jobs: holder.childrenMs };
}

function rowsOf(samples, name, spawnName, submitterName) {
  const ours = samples.get(name);
  const line = (metric, unit, key, statistic, referenceName, more = {}) => {
    const list = ours.map((one) => one[key]);
    const theirs = referenceName === null ? [] : samples.get(referenceName).map((one) => one[more.referenceKey ?? key]);
    const reference = theirs.length > 0 ? statistic(theirs) : null;
    const spreadOf = statistic === median && list.length > 1 ? spread(list) : undefined;
    const base = { bench: BENCH, case: name, metric, unit, referenceName: referenceName ?? "", samples: list.length };
    return row({ ...base, ours: statistic(list), reference, spread: spreadOf });
  };
  const submitters =
    submitterName === null ? [] : [line("submissions median", "1/s", "submitRate", median, submitterName)];
  return [
    ...submitters,
    line("submissions median", "1/s", "submitRate", median, spawnName),
    line("submissions best", "1/s", "submitRate", maximum, spawnName),
    line("jobs end to end median", "1/s", "jobRate", median, spawnName),
    line("jobs end to end best", "1/s", "jobRate", maximum, spawnName),
    line("cpu a job, with its own", "ms", "cpuMs", minimum, spawnName),
    line("cpu a job: daemons", "ms", "controllerCpuMs", minimum, spawnName, { referenceKey: "cpuMs" }),
    line("cpu a job: holder", "ms", "holderCpuMs", minimum, spawnName, { referenceKey: "cpuMs" }),
  ];
}
