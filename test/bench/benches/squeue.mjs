/** `mgpu-squeue` with 10,000 waiting jobs, against bare Node and against cat of the same text. */

import { join } from "node:path";
import { Cluster } from "../lib/cluster.mjs";
import { batchJob, submitMany } from "../lib/jobs.mjs";
import { Meter } from "../lib/meter.mjs";
import { row } from "../lib/report.mjs";
import { interleave } from "../lib/rounds.mjs";
import { median, minimum, spread } from "../lib/statistics.mjs";

export const about =
  "mgpu-squeue with 10,000 waiting jobs: -h, -o %i, --json; against node -e 0 and cat of the same text";

const BENCH = "squeue";
const WAITING = 10_000;
const NODE = "node -e 0";
const LISTINGS = [
  { name: `mgpu-squeue -h, ${WAITING} jobs`, args: ["-h"], file: "table" },
  { name: `mgpu-squeue -h -o %i, ${WAITING} jobs`, args: ["-h", "-o", "%i"], file: "ids" },
  { name: `mgpu-squeue --json, ${WAITING} jobs`, args: ["--json"], file: "json" },
];
const LIMITS = { rounds: 30, budgetMs: 90_000 };
const LIMITS_QUICK = { rounds: 8, budgetMs: 12_000 };
/** Until the job that keeps the GPUs busy runs. */
const START_LIMIT_MS = 10_000;
const POLL_MS = 20;

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const cluster = await Cluster.start();
  const meter = new Meter(cluster.work);
  try {
    await fill(cluster, note);
    for (const { args, file } of LISTINGS) await save(cluster, meter, args, join(cluster.folder, file));
    const measure = (name, argv) => ({ name, run: () => meter.run({ argv, env: cluster.env, stdout: "pipe" }) });
    const cases = [
      measure(NODE, [process.execPath, "-e", "0"]),
      ...LISTINGS.flatMap(({ name, args, file }) => [
        measure(name, [cluster.program("mgpu-squeue"), ...args]),
        measure(catOf(name), ["/bin/cat", join(cluster.folder, file)]),
      ]),
    ];
    const samples = await interleave(cases, quick ? LIMITS_QUICK : LIMITS);
    check(samples);
    return LISTINGS.flatMap(({ name }) => rowsOf(samples, name));
  } finally {
    meter.close();
    await cluster.stop();
  }
}

const catOf = (name) => `cat of the same, ${name}`;

/** One job takes all GPUs; the others wait for one of them. */
async function fill(cluster, note) {
  const client = await cluster.connect();
  await submitMany(client, batchJob(cluster, { name: "busy", script: "exec sleep 3600", gpus: 4 }), 1);
  const end = Date.now() + START_LIMIT_MS;
  while ((await client.call("controller.status", {})).jobs.running === 0) {
    if (Date.now() > end) throw new Error("the job that takes the GPUs did not start");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const start = Date.now();
  await submitMany(client, batchJob(cluster, { name: "waiting", script: "true", gpus: 1 }), WAITING);
  note(`${WAITING} jobs submitted in ${((Date.now() - start) / 1000).toFixed(1)} s`);
  client.close();
}

function save(cluster, meter, args, path) {
  return meter.run({ argv: [cluster.program("mgpu-squeue"), ...args], env: cluster.env, stdout: path });
}

/** A listing that is cut short would be fast. */
function check(samples) {
  for (const { name, args } of LISTINGS) {
    if (args.includes("--json")) continue;
    for (const { lines } of samples.get(name)) {
      if (lines !== WAITING + 1) throw new Error(`${name}: ${lines} lines, expected ${WAITING + 1}`);
    }
  }
}

function rowsOf(samples, name) {
  const pair = (metric, unit, key, statistic, reference) => {
    const valuesOf = (one) => samples.get(one).map((measured) => measured[key]);
    const ours = valuesOf(name);
    const values = {
      ours: statistic(ours),
      reference: statistic(valuesOf(reference)),
      referenceName: short(reference),
    };
    const more = statistic === median ? { spread: spread(ours) } : {};
    return row({ bench: BENCH, case: name, metric, unit, samples: ours.length, ...values, ...more });
  };
  return [
    pair("wall median", "ms", "wallMs", median, NODE),
    pair("wall min", "ms", "wallMs", minimum, NODE),
    pair("cpu min", "ms", "cpuMs", minimum, NODE),
    pair("max RSS median", "MiB", "rssMiB", median, NODE),
    pair("wall median", "ms", "wallMs", median, catOf(name)),
    pair("first line median", "ms", "firstLineMs", median, catOf(name)),
    pair("last line median", "ms", "lastLineMs", median, catOf(name)),
  ];
}

function short(reference) {
  return reference.startsWith("cat of the same") ? "cat of the same" : reference;
}
