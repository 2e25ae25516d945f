/**
 * What has no counterpart to run beside it: null executors, submissions over one connection, large arrays, an idle controller with
 * many nodes and watchers, memory and recovery with a long queue, and the streams of srun. The bars are those of issue 10.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { barred } from "../lib/bars.mjs";
import { withBundle } from "../lib/bundle.mjs";
import { Cluster } from "../lib/cluster.mjs";
import { cpuTimeOf } from "../lib/cpu-time.mjs";
import { batchJob, submitMany } from "../lib/jobs.mjs";
import { residentMiB } from "../lib/memory.mjs";
import { joinNodes } from "../lib/null-nodes.mjs";
import { row } from "../lib/report.mjs";
import { longestStall, STALL_ENV, watchStalls } from "../lib/stalls.mjs";
import { maximum, median, minimum } from "../lib/statistics.mjs";
import * as sessions from "./sessions.mjs";

export const about =
  "null executors, pipelined submissions, arrays, an idle controller, recovery, streams: issue 10's bars";

const BENCH = "scale";
const HERE = dirname(fileURLToPath(import.meta.url));
const WORLD = join(HERE, "../scale/world.ts");
const WORKER = join(HERE, "../scale/null-worker.mjs");

const SIZES = {
  small: 1000,
  large: 100_000,
  submissions: 20_000,
  feed: 10_000,
  scripts: 1000,
  array: 100_000,
  queue: 100_000,
  idleMs: 20_000,
};
const SIZES_QUICK = { ...SIZES, large: 20_000, submissions: 10_000, queue: 20_000, idleMs: 8000 };
const ROUNDS = 5;
const NODES = 50;
const WATCHERS = 10;
/** V8 has compiled what a run needs after some of them. */
const WARM_UPS = 4;
const SETTLE_MS = 3000;
/** Once, 8 s after the start, V8 collects what starting left behind, and gives memory back: 50 ms of CPU time of all threads. */
const START_OVER_MS = 12_000;
const WATCHED = ["id", "name", "user", "partition", "state", "reason"];

const execute = promisify(execFile);

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const sizes = quick ? SIZES_QUICK : SIZES;
  const rows = [];
  for (const part of [executors, submissions, idle, longQueue]) {
    note(`${BENCH}: ${part.name}`);
    rows.push(...(await part(sizes)));
  }
  note(`${BENCH}: streams`);
  try {
    rows.push(...(await sessions.run({ quick })).map((one) => barred(one, one.case)));
  } catch (error) {
    // It waits for echoes, for which a machine that others use may have no time; the other rows must not be lost.
    note(`${BENCH}: the streams could not be measured: ${error.message}`);
  }
  return rows;
}

/** The controller's own loop, journal and scheduler; nodes that end at once whatever they are told to launch. */
async function executors({ small, large, array }) {
  const folder = mkdtempSync(join(tmpdir(), "mgpu-bench-"));
  const plan = [
    ...Array.from({ length: WARM_UPS }, () => ({ kind: "single", count: small })),
    ...Array.from({ length: ROUNDS }, () => ({ kind: "single", count: small })),
    { kind: "single", count: large },
    { kind: "array", count: array },
  ];
  try {
    const ran = await withBundle(WORLD, async (bundle) => {
      const args = [WORKER, pathToFileURL(bundle).href, folder, JSON.stringify(plan)];
      const { stdout } = await execute(process.execPath, args, { maxBuffer: 1 << 24 });
      return stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    });
    const few = ran.slice(WARM_UPS, WARM_UPS + ROUNDS);
    const [many, tasks] = ran.slice(-2);
    const rate = (key) => (one, count) => (1000 * count) / one[key];
    const slope = (key, metric) =>
      numbers({
        name: `null executor, ${large} jobs`,
        ...{
          metric,
          unit: "1/s",
          ours: rate(key)(many, large),
          reference: median(few.map((one) => rate(key)(one, small))),
        },
        ...{ referenceName: `${small} jobs`, samples: 1, bar: { of: "ratio", atLeast: 0.9 } },
      });
    const eachTask = (key, metric) =>
      numbers({
        ...{ name: `null executor, array of ${array}`, metric, unit: "ms a task", ours: tasks[key] / array },
        ...{ samples: 1, bar: { of: "ours", atMost: 0.1 } },
      });
    return [
      slope("cpuMs", "rate by CPU"),
      slope("wallMs", "rate by wall"),
      eachTask("cpuMs", "CPU"),
      eachTask("wallMs", "wall"),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jobs that wait for GPUs that another one holds. */
async function submissions(sizes) {
  const cluster = await Cluster.start(STALL_ENV);
  try {
    const client = await cluster.connect();
    await occupy(cluster, client);
    await watchStalls(cluster);
    const rates = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ms = await timed(() => submitMany(client, waitingJob(cluster), sizes.submissions));
      rates.push((1000 * sizes.submissions) / ms);
      await cluster.command("mgpu-scancel", "--name=waiting");
    }
    const script = join(cluster.work, "true.sh");
    writeFileSync(script, "#!/bin/sh\ntrue\n");
    const feed = join(cluster.work, "jobs.txt");
    writeFileSync(feed, Array.from({ length: sizes.feed }, (_, index) => `2,${script},,${index},\n`).join(""));
    const feedMs = await timed(() => cluster.command("mgpu", "feed", feed));
    await cluster.command("mgpu-scancel", "--me", "-t", "PENDING");
    const scripts = writeScripts(cluster.work, sizes.scripts);
    const eachMs = await timed(() => cluster.command("mgpu-sbatch", "--gpus=1", "--each", ...scripts));
    await cluster.command("mgpu-scancel", "--me", "-t", "PENDING");
    const arrays = [];
    for (let round = 0; round < ROUNDS; round++) {
      const args = ["--gpus=1", "--job-name=array", `--array=1-${sizes.array}`, script];
      arrays.push(await timed(() => cluster.command("mgpu-sbatch", ...args)));
      await cluster.command("mgpu-scancel", "--name=array");
    }
    const stall = await longestStall(cluster);
    client.close();
    const pipelined = `${sizes.submissions} submissions, one connection`;
    const rateBar = { of: "ours", atLeast: 10_000 };
    return [
      numbers({ name: pipelined, metric: "median", unit: "1/s", ours: median(rates), samples: ROUNDS, bar: rateBar }),
      numbers({ name: pipelined, metric: "best", unit: "1/s", ours: maximum(rates), samples: ROUNDS, bar: rateBar }),
      numbers({
        ...{ name: `feed of ${sizes.feed} lines`, metric: "wall", unit: "ms", ours: feedMs, samples: 1 },
        bar: { of: "ours", atMost: 10_000 },
      }),
      numbers({
        ...{
          name: `one sbatch --each with ${sizes.scripts} scripts`,
          metric: "wall",
          unit: "ms",
          ours: eachMs,
          samples: 1,
        },
        bar: { of: "ours", atMost: 10_000 },
      }),
      numbers({
        ...{
          name: `array of ${sizes.array} accepted`,
          metric: "wall min, sbatch and all",
          unit: "ms",
          ours: minimum(arrays),
        },
        ...{ samples: ROUNDS, bar: { of: "ours", atMost: 200 } },
      }),
      ...stallRows("submissions, feed, arrays", stall),
    ];
  } finally {
    await cluster.stop();
  }
}

/** Different ones, each with directives of its own. @returns {string[]} their paths */
function writeScripts(folder, count) {
  return Array.from({ length: count }, (_, at) => {
    const path = join(folder, `each-${at}.sh`);
    writeFileSync(path, `#!/bin/sh\n#SBATCH --job-name=each-${at} --time=5\nexec true ${at}\n`);
    return path;
  });
}

/** A controller that has nothing to do, and is done with starting. */
async function idle(sizes) {
  const cluster = await Cluster.start();
  const nodes = await joinNodes(cluster.home, NODES);
  try {
    const watchers = await Promise.all(Array.from({ length: WATCHERS }, () => cluster.connect()));
    for (const one of watchers) one.watch("jobs.watch", { fields: WATCHED }).catch(() => {});
    await sleep(START_OVER_MS);
    const { mgpuctld } = await cluster.daemons();
    const [before, start] = [cpuTimeOf(mgpuctld).ownMs, performance.now()];
    await sleep(sizes.idleMs);
    const share = (100 * (cpuTimeOf(mgpuctld).ownMs - before)) / (performance.now() - start);
    const there = (await watchers[0].call("nodes.list", {})).nodes.filter((one) => one.connected).length;
    for (const one of watchers) one.close();
    if (there !== NODES + 1) throw new Error(`in the end ${there} of ${NODES + 1} nodes were connected`);
    return [
      numbers({
        ...{ name: `idle, ${NODES} nodes and ${WATCHERS} watchers`, metric: "CPU", unit: "% of a core", ours: share },
        ...{ samples: 1, bar: { of: "ours", atMost: 1 } },
      }),
    ];
  } finally {
    nodes.close();
    await cluster.stop();
  }
}

/** Memory and recovery; controller and node daemon are one process. */
async function longQueue({ queue }) {
  const cluster = await Cluster.start(STALL_ENV);
  try {
    const client = await cluster.connect();
    await occupy(cluster, client);
    await watchStalls(cluster);
    await submitMany(client, waitingJob(cluster), queue);
    await sleep(SETTLE_MS);
    const stall = await longestStall(cluster);
    const { mgpuctld } = await cluster.daemons();
    const rssMiB = residentMiB(mgpuctld);
    client.close();
    process.kill(mgpuctld, "SIGKILL");
    const wallMs = await timed(() => cluster.revive());
    const again = await cluster.connect();
    const { jobs } = await again.call("controller.status", {});
    again.close();
    if (jobs.pending !== queue) throw new Error(`after kill -9, ${jobs.pending} of ${queue} jobs wait`);
    await sleep(SETTLE_MS);
    const recoveredMiB = residentMiB((await cluster.daemons()).mgpuctld);
    const name = `${queue} waiting jobs`;
    return [
      numbers({ name, metric: "RSS", unit: "MiB", ours: rssMiB, samples: 1, bar: { of: "ours", atMost: 150 } }),
      numbers({
        ...{ name: `${name}, kill -9`, metric: "first answer after", unit: "ms", ours: wallMs, samples: 1 },
        bar: { of: "ours", atMost: 2000 },
      }),
      numbers({
        ...{ name: `${name}, kill -9`, metric: `RSS after ${SETTLE_MS / 1000} s`, unit: "MiB", ours: recoveredMiB },
        ...{ samples: 1, bar: { of: "ours", atMost: 150 } },
      }),
      ...stallRows(name, stall),
    ];
  } finally {
    await cluster.stop();
  }
}

/** One job takes all GPUs. */
async function occupy(cluster, client) {
  await submitMany(client, batchJob(cluster, { name: "busy", script: "exec sleep 3600", gpus: 4 }), 1);
  while ((await client.call("controller.status", {})).jobs.running === 0) await sleep(50);
}

function waitingJob(cluster) {
  return batchJob(cluster, { name: "waiting", script: "true", gpus: 1 });
}

/** @param {{wallMs: number, cpuMs: number}} stall */
function stallRows(during, { wallMs, cpuMs }) {
  const base = { name: `longest stall: ${during}`, unit: "ms", samples: 1 };
  return [
    numbers({ ...base, metric: "CPU", ours: cpuMs, bar: { of: "ours", atMost: 50 } }),
    numbers({ ...base, metric: "wall", ours: wallMs }),
  ];
}

function numbers({ name, metric, unit, ours, reference = null, referenceName = "", samples, bar }) {
  const values = { bench: BENCH, case: name, metric, unit, ours, reference, referenceName, samples };
  return barred(row(values), name, bar);
}

async function timed(act) {
  const start = performance.now();
  await act();
  return performance.now() - start;
}
