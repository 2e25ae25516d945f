/**
 * Beside Slurm itself, on the same machine in the same run (issue 10): `srun true`, listings of a long queue, trivial batch jobs
 * end to end, submissions from a shell loop. Both clusters stand idle while the other one is measured.
 */

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { barred } from "../lib/bars.mjs";
import { Cluster, untilIdle } from "../lib/cluster.mjs";
import { Front } from "../lib/front.mjs";
import { throwIfInterrupted } from "../lib/interrupt.mjs";
import { batchJob, submitMany } from "../lib/jobs.mjs";
import { Meter } from "../lib/meter.mjs";
import { row } from "../lib/report.mjs";
import { interleave } from "../lib/rounds.mjs";
import { NODE_CPUS, Slurm } from "../lib/slurm.mjs";
import { longestStall, STALL_ENV, watchStalls } from "../lib/stalls.mjs";
import { maximum, median, minimum } from "../lib/statistics.mjs";

export const about = "srun, squeue, batch jobs and submissions; against Debian's Slurm on this machine (root)";

const BENCH = "slurm";
const CLIENTS = 4;
/** One round of Slurm's thousand jobs lasts some twenty seconds. */
const SIZES = { jobs: 1000, submissions: 400, queues: [5000, 50_000], rounds: 3, starts: 30 };
const SIZES_QUICK = { jobs: 300, submissions: 100, queues: [5000], rounds: 2, starts: 8 };
const WARM_UP_JOBS = 1000;
const BURST_LIMIT_MS = 300_000;
const QUEUE_ROUNDS = { rounds: 10, budgetMs: 60_000 };
const DOCUMENT_ROUNDS = { rounds: 5, budgetMs: 60_000 };
/** Most of Slurm's time for listings: of a short queue, of a long one, as a document. */
const [SHORT_BAR, LONG_BAR, JSON_BAR] = [1.5, 1, 0.5];
const STALL_MS = 50;
/** As many tasks as Slurm takes in one array by default. */
const ARRAY_MAX = 1000;
/** Slurm takes some 300 submissions a second from a loop. */
const SINGLE_MAX = 5000;
/** Components of a heterogeneous job; Slurm takes 128. */
const PARTS = 100;

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const sizes = quick ? SIZES_QUICK : SIZES;
  const slurm = await Slurm.start();
  const cluster = await Cluster.start({ ...STALL_ENV, MGPU_CPUS: String(NODE_CPUS) });
  const meter = new Meter(cluster.work);
  try {
    const client = await cluster.connect();
    writeFileSync(join(cluster.work, "true.sh"), "#!/bin/sh\ntrue\n");
    await watchStalls(cluster);
    const setting = { slurm, cluster, meter, client, sizes, note };
    const first = await firstJobs(setting);
    const rows = [...(await starts(setting)), ...(await batches(setting, first)), ...(await submissions(setting))];
    for (const waiting of sizes.queues) rows.push(...(await listings(setting, waiting)));
    const stall = await longestStall(cluster);
    client.close();
    return [...rows, ...stallRows(stall)];
  } finally {
    meter.close();
    await cluster.stop();
    await slurm.stop();
  }
}

/** Jobs a second of daemons just started: until V8 has compiled what they do for each job, one costs half as much again. */
async function firstJobs({ cluster, client }) {
  const job = silentJob(cluster);
  const ms = await timed(
    () => submitMany(client, job, WARM_UP_JOBS),
    () => untilIdle(client, BURST_LIMIT_MS),
  );
  return (1000 * WARM_UP_JOBS) / ms;
}

/** As Slurm's are: without a file of output. */
function silentJob(cluster) {
  const plain = batchJob(cluster, { name: "one", script: "true" });
  return { ...plain, job: { ...plain.job, io: { ...plain.job.io, stdout: "/dev/null" } } };
}

/** Jobs a second where only some run at a time: on a node with twice as many CPUs as this machine has. */
async function onSmallNode(jobs) {
  const cluster = await Cluster.start();
  try {
    const client = await cluster.connect();
    const job = silentJob(cluster);
    await firstJobs({ cluster, client });
    const ms = await timed(
      () => submitMany(client, job, jobs),
      () => untilIdle(client, BURST_LIMIT_MS),
    );
    client.close();
    return { rates: [(1000 * jobs) / ms], cpus: cluster.cpus };
  } finally {
    await cluster.stop();
  }
}

/** `srun true` on warm clusters: in a row a front runs it, which is there, as Slurm's daemons are. */
async function starts({ slurm, cluster, meter, client, sizes }) {
  const front = await Front.start(cluster);
  const argv = [cluster.program("mgpu-srun"), "true"];
  const ours = (name, env, cpuMs) => ({
    name,
    async run() {
      const before = cpuMs();
      const measured = await meter.run({ argv, env: { ...cluster.env, ...env } });
      const after = cpuMs();
      await untilIdle(client, BURST_LIMIT_MS);
      return { ...measured, cpuMs: measured.cpuMs + after - before };
    },
  });
  const cases = [
    ours("ours", { MGPU_FRONT: "auto" }, () => front.cpuMs()),
    ours("programs", {}, () => 0),
    { name: "Slurm's", run: () => meter.run({ argv: ["/usr/bin/srun", "true"], env: slurm.env }) },
  ];
  const samples = await interleave(cases, { rounds: sizes.starts, budgetMs: 60_000 });
  return [...times("srun true", samples, 1), ...times("srun true without a front", samples, undefined, "programs")];
}

/** Single jobs and an array, from the first submission until the last job is over. */
async function batches({ slurm, cluster, client, sizes }, first) {
  const { jobs } = sizes;
  const tasks = Math.min(jobs, ARRAY_MAX);
  const ours = async (submit) => timed(submit, () => untilIdle(client, BURST_LIMIT_MS));
  const theirs = async (submit) => timed(submit, () => slurm.untilIdle());
  const quiet = ["--output=/dev/null", "true.sh"];
  const script = join(cluster.work, "true.sh");
  const cases = [
    {
      name: "single ours",
      run: () => ours(() => submitMany(client, silentJob(cluster), jobs)),
    },
    {
      name: "single Slurm's",
      run: () => theirs(() => loops(jobs, "/usr/bin/sbatch", ["-o/dev/null", script], slurm.env)),
    },
    { name: "array ours", run: () => ours(() => cluster.command("mgpu-sbatch", `--array=1-${tasks}`, ...quiet)) },
    {
      name: "array Slurm's",
      run: () => theirs(() => slurm.command("sbatch", `--array=1-${tasks}`, "-o/dev/null", script)),
    },
    { name: "spawn", run: () => spawnLoop(cluster, jobs) },
  ];
  const samples = await interleave(cases, { rounds: sizes.rounds, budgetMs: 0, warmUp: false });
  const small = await onSmallNode(jobs);
  const rates = (name, count) => samples.get(name).map((ms) => (1000 * count) / ms);
  const pair = (name, reference, count, more) => [
    rate(name, median, rates(more.ours, count), rates(more.theirs, more.count ?? count), reference, more.atLeast),
    rate(name, maximum, rates(more.ours, count), rates(more.theirs, more.count ?? count), reference, more.atLeast),
  ];
  return [
    ...pair(`${jobs} batch jobs`, "Slurm", jobs, { ours: "single ours", theirs: "single Slurm's", atLeast: 10 }),
    ...pair(`${jobs} batch jobs`, "spawn loop, sh -c true", jobs, {
      ours: "single ours",
      theirs: "spawn",
      atLeast: 0.4,
    }),
    ...pair(`array of ${tasks}`, "Slurm", tasks, { ours: "array ours", theirs: "array Slurm's", atLeast: 10 }),
    ...pair(`array of ${tasks}`, "spawn loop, sh -c true", tasks, {
      ours: "array ours",
      theirs: "spawn",
      count: jobs,
      atLeast: 0.4,
    }),
    rate(`first ${WARM_UP_JOBS} jobs of new daemons`, median, [first], rates("single Slurm's", jobs), "Slurm"),
    rate(
      `${jobs} on a node of ${small.cpus} CPUs`,
      median,
      small.rates,
      rates("spawn", jobs),
      "spawn loop, sh -c true",
    ),
  ];
}

/** sbatch in a shell loop from some clients; held jobs, so that none runs meanwhile. */
async function submissions({ slurm, cluster, client, sizes }) {
  const { submissions: count } = sizes;
  const args = (script) => ["--hold", "--output=/dev/null", "--job-name=loop", script];
  const script = join(cluster.work, "true.sh");
  const ours = (name, front) => ({
    name,
    async run() {
      const env = { ...cluster.env, MGPU_FRONT: front };
      const ms = await timed(() => loops(count, cluster.program("mgpu-sbatch"), args(script), env));
      await cluster.command("mgpu-scancel", "--name=loop");
      await untilIdle(client, BURST_LIMIT_MS);
      return ms;
    },
  });
  const cases = [
    ours("ours", "auto"),
    ours("programs", "0"),
    {
      name: "Slurm's",
      async run() {
        const ms = await timed(() => loops(count, "/usr/bin/sbatch", args(script), slurm.env));
        await slurm.command("scancel", "--name=loop");
        await slurm.untilIdle();
        return ms;
      },
    },
  ];
  const samples = await interleave(cases, { rounds: sizes.rounds, budgetMs: 0 });
  const rates = (name) => samples.get(name).map((ms) => (1000 * count) / ms);
  return [
    rate(`sbatch in a loop, ${CLIENTS} clients`, median, rates("ours"), rates("Slurm's"), "Slurm"),
    rate(`the same without a front`, median, rates("programs"), rates("Slurm's"), "Slurm"),
  ];
}

/** The same number of held jobs in both queues, each a record of its own; then the same number of tasks of arrays. */
async function listings(setting, waiting) {
  const { slurm, cluster, client, note } = setting;
  note(`${waiting} waiting jobs in both queues`);
  const isLong = waiting > SINGLE_MAX;
  const plain = batchJob(cluster, { name: "held", script: "true" });
  await submitMany(client, { ...plain, job: { ...plain.job, hold: true } }, waiting);
  const held = ["--hold", "-o/dev/null", "-J", "held"];
  if (isLong) await slurm.untilForgotten();
  if (isLong) await holdInParts(setting, waiting);
  else await loops(waiting, "/usr/bin/sbatch", [...held, join(cluster.work, "true.sh")], slurm.env);
  const bar = isLong ? LONG_BAR : SHORT_BAR;
  const rows = [
    ...times(`squeue -h, ${waiting} waiting`, await listed(setting, ["-h"], waiting, QUEUE_ROUNDS), bar),
    ...times(
      `squeue --json, ${waiting} waiting`,
      await listed(setting, ["--json"], waiting, DOCUMENT_ROUNDS),
      JSON_BAR,
    ),
  ];
  await emptied(setting);
  if (!isLong) return rows;
  note(`${waiting} waiting tasks of arrays in both queues`);
  await slurm.untilForgotten();
  for (let left = waiting; left > 0; left -= ARRAY_MAX) {
    const array = [`--array=1-${Math.min(left, ARRAY_MAX)}`, ...held, join(cluster.work, "true.sh")];
    await slurm.command("sbatch", ...array);
    await cluster.command("mgpu-sbatch", ...array);
  }
  const expanded = await listed(setting, ["-h", "-r"], waiting, QUEUE_ROUNDS);
  await emptied(setting);
  return [...rows, ...times(`squeue -h -r, arrays of ${waiting} waiting tasks`, expanded, bar)];
}

/**
 * Held jobs of Slurm's, many to a submission: each component of a heterogeneous job is a record with a number and a line of its
 * own, as a single job is. One by one, 50,000 would take minutes.
 */
async function holdInParts({ slurm, cluster }, waiting) {
  const script = join(cluster.work, "held.sh");
  const part = "#SBATCH --hold -n1 -o/dev/null -J held\n";
  writeFileSync(script, `#!/bin/sh\n${Array.from({ length: PARTS }, () => part).join("#SBATCH hetjob\n")}true\n`);
  await loops(Math.ceil(waiting / PARTS), "/usr/bin/sbatch", ["--hold", script], slurm.env);
}

/** Both squeues, in turns. Each must have listed all that waits. */
async function listed({ slurm, cluster, meter }, args, waiting, rounds) {
  const samples = await interleave(
    [
      {
        name: "ours",
        run: () => meter.run({ argv: [cluster.program("mgpu-squeue"), ...args], env: cluster.env, stdout: "pipe" }),
      },
      { name: "Slurm's", run: () => meter.run({ argv: ["/usr/bin/squeue", ...args], env: slurm.env, stdout: "pipe" }) },
    ],
    rounds,
  );
  for (const [name, list] of samples) {
    for (const { lines } of list) if (lines < waiting) throw new Error(`${name}: ${lines} lines for ${waiting} jobs`);
  }
  return samples;
}

async function emptied({ slurm, cluster, client }) {
  await cluster.command("mgpu-scancel", "--name=held");
  await slurm.command("scancel", "--name=held");
  await untilIdle(client, BURST_LIMIT_MS);
  await slurm.untilIdle();
}

/** @param {number | undefined} atMost of Slurm's, in wall time */
function times(name, samples, atMost, who = "ours") {
  const values = (of, key) => samples.get(of).map((one) => one[key]);
  const base = { bench: BENCH, case: name, unit: "ms", referenceName: "Slurm", samples: samples.get(who).length };
  return [
    ["wall median", "wallMs", median],
    ["wall min", "wallMs", minimum],
    ["cpu min", "cpuMs", minimum],
  ].map(([metric, key, statistic]) =>
    barred(
      row({ ...base, metric, ours: statistic(values(who, key)), reference: statistic(values("Slurm's", key)) }),
      name,
      key === "wallMs" && atMost !== undefined ? { of: "ratio", atMost } : undefined,
    ),
  );
}

function rate(name, statistic, ours, theirs, referenceName, atLeast) {
  const metric = statistic === median ? "median" : "best";
  const base = { bench: BENCH, case: name, metric, unit: "1/s", referenceName, samples: ours.length };
  const bar = atLeast === undefined ? undefined : { of: "ratio", atLeast };
  return barred(row({ ...base, ours: statistic(ours), reference: statistic(theirs) }), name, bar);
}

/** What was spent in one turn of the controller's event loop at most, and how long one lasted. */
function stallRows({ wallMs, cpuMs }) {
  const base = { bench: BENCH, case: "longest stall: beside Slurm", unit: "ms", referenceName: "", samples: 1 };
  const line = (metric, ours, bar) => barred(row({ ...base, metric, ours, reference: null }), base.case, bar);
  return [line("CPU", cpuMs, { of: "ours", atMost: STALL_MS }), line("wall", wallMs)];
}

async function timed(act, andThen = async () => {}) {
  const start = performance.now();
  await act();
  await andThen();
  return performance.now() - start;
}

async function spawnLoop(cluster, count) {
  const start = performance.now();
  await loops(count, "/bin/sh", ["-c", "true"], cluster.env, cluster.cpus);
  return performance.now() - start;
}

/** So many runs of a program, each client one after the other. */
async function loops(count, program, args, env, clients = CLIENTS) {
  let left = count;
  const loop = async () => {
    while (left > 0) {
      left--;
      await once(program, args, env);
    }
  };
  await Promise.all(Array.from({ length: clients }, loop));
}

function once(program, args, env) {
  throwIfInterrupted();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd: "/tmp", stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))));
  });
}
