/** The terminal UI: its first frame against bare Node, a key held down in a list of 10,000 jobs, nothing happening, memory. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { patchInk } from "../../../src/build/ink.mjs";
import { withBundle } from "../lib/bundle.mjs";
import { Cluster } from "../lib/cluster.mjs";
import { batchJob, submitMany } from "../lib/jobs.mjs";
import { Meter } from "../lib/meter.mjs";
import { row } from "../lib/report.mjs";
import { interleave } from "../lib/rounds.mjs";
import { median, minimum, spread } from "../lib/statistics.mjs";

export const about =
  "the terminal UI with 10,000 jobs: first frame against bare Node, CPU of a core with a key held down and idle, memory";

const execute = promisify(execFile);

const BENCH = "tui";
const SCREEN = join(import.meta.dirname, "../lib/screen.py");
const FRAMES = join(import.meta.dirname, "../tui/frames.ts");
const CASE_LIMIT_MS = 150_000;

const JOBS = 10_000;
const FRAMES_HELD = 10_000;
const KEYS_A_SECOND = 30;

/** The bars: first frame in CPU time of bare Node; shares of one core; growth of memory over the frames. */
const FIRST_FRAME_BAR = 4;
const HOLD_BAR = 25;
const IDLE_BAR = 1;

const SIZE = { columns: 200, rows: 50 };

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const cluster = await Cluster.start();
  const meter = new Meter(cluster.work);
  try {
    const rows = await firstFrames(cluster, meter, quick ? 5 : 25);
    const client = await cluster.connect();
    const job = batchJob(cluster, { name: "held", script: "true" });
    const held = { ...job, job: { ...job.job, hold: true } };
    await submitMany(client, held, JOBS);
    client.close();
    note(`${JOBS} jobs are in the queue; ${quick ? 4 : 20} s for each of the next two`);
    const seconds = quick ? 4 : 20;
    const mark = `${JOBS} waiting`;
    const samples = await interleave(
      [
        { name: "j", run: () => onScreen(cluster, { mark, settleS: 3, seconds, key: "j", keysPerS: KEYS_A_SECOND }) },
        { name: "idle", run: () => onScreen(cluster, { mark, settleS: 6, seconds, key: "", keysPerS: 0 }) },
      ],
      { rounds: quick ? 1 : 3, budgetMs: 120_000, warmUp: false },
    );
    return [...rows, ...shares(samples), ...(await frames(meter, cluster, quick ? FRAMES_HELD / 5 : FRAMES_HELD))];
  } finally {
    meter.close();
    await cluster.stop();
  }
}

async function firstFrames(cluster, meter, rounds) {
  const node = () => meter.run({ argv: [process.execPath, "-e", "0"], env: cluster.env });
  const open = (argv, mark) => () => onScreen(cluster, { argv, mark, seconds: 0 });
  const cases = [
    { name: "node -e 0", run: node },
    { name: "mgpu top, an empty queue", run: open([cluster.program("mgpu"), "top"], "the queue is empty") },
    { name: "mgpu top --demo", run: open([cluster.program("mgpu"), "top", "--demo"], "demonstration") },
  ];
  const samples = await interleave(cases, { rounds, budgetMs: 60_000 });
  const cpu = (name) => samples.get(name).map(({ cpuMs }) => cpuMs);
  return cases.slice(1).flatMap(({ name }) => {
    const base = { bench: BENCH, case: `${name}: to its first frame and out (bar ${FIRST_FRAME_BAR})`, unit: "ms" };
    const both = { ...base, referenceName: "node -e 0", samples: cpu(name).length };
    const of = (metric, statistic) =>
      row({ ...both, metric, ours: statistic(cpu(name)), reference: statistic(cpu("node -e 0")) });
    return [{ ...of("CPU median", median), spread: spread(cpu(name)) }, of("CPU min", minimum)];
  });
}

/** @returns what screen.py says */
async function onScreen(cluster, request) {
  const whole = { argv: [cluster.program("mgpu"), "top"], ...SIZE, ...request };
  const options = { env: { ...cluster.env, TERM: "xterm-256color" }, cwd: cluster.work, timeout: CASE_LIMIT_MS };
  const { stdout } = await execute("python3", [SCREEN, JSON.stringify(whole)], options);
  return JSON.parse(stdout);
}

function shares(samples) {
  const line = (name, what, bar) => {
    const ours = samples.get(name).map(({ share }) => 100 * share);
    const base = { bench: BENCH, case: what, unit: "% of a core", samples: ours.length, referenceName: "the bar" };
    return [
      row({ ...base, metric: "CPU median", ours: median(ours), reference: bar, spread: spread(ours) }),
      row({ ...base, metric: "CPU min", ours: minimum(ours), reference: bar }),
    ];
  };
  const growth = samples.get("j").map(({ rssBefore, rssAfter }) => rssAfter / rssBefore);
  const [{ rssBefore }] = samples.get("j");
  const memory = {
    bench: BENCH,
    case: "memory while j is held",
    metric: "RSS after",
    unit: "MiB",
    samples: growth.length,
  };
  return [
    ...line("j", `j held, ${KEYS_A_SECOND} keys a second, ${JOBS} jobs`, HOLD_BAR),
    ...line("idle", `idle, ${JOBS} jobs`, IDLE_BAR),
    row({ ...memory, ours: median(growth) * rssBefore, reference: rssBefore, referenceName: "RSS before" }),
  ];
}

/** Without a terminal, as fast as they come: memory must be flat. */
async function frames(meter, cluster, count) {
  const options = {
    ...{ format: "cjs", plugins: [patchInk()], external: ["react-devtools-core"] },
    define: { "process.env.NODE_ENV": '"production"' },
  };
  return withBundle(
    FRAMES,
    async (bundle) => {
      const script = `require(${JSON.stringify(bundle)}).holdKey(${JOBS}, ${count}).then((told) => console.log(JSON.stringify(told)))`;
      const argv = [process.execPath, "--expose-gc", "-e", script];
      const { stdout } = await meter.run({ argv, env: cluster.env, stdout: "keep" });
      const { cpuMsAFrame, heapBefore, heapAfter, bytesAFrame } = JSON.parse(stdout);
      const base = { bench: BENCH, case: `${count} frames of j held, ${JOBS} jobs`, samples: count };
      return [
        row({
          ...{ ...base, metric: "live heap after", unit: "MiB", ours: heapAfter, reference: heapBefore },
          referenceName: "after a tenth of them",
        }),
        row({ ...base, metric: "CPU a frame", unit: "ms", ours: cpuMsAFrame, reference: null, referenceName: "" }),
        row({ ...base, metric: "bytes a frame", unit: "B", ours: bytesAFrame, reference: null, referenceName: "" }),
      ];
    },
    options,
  );
}
