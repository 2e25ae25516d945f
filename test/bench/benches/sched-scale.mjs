/**
 * A pass of the scheduler with a long queue on 1,000 nodes of 8 GPUs each, all of them busy: the whole pass, the pass after one
 * job has ended, and what a waiting job takes of memory. CPU time stands beside wall time: on a machine that others use
 * only the former tells of the program. The references are the bars that are set for it, no measurements.
 */

import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { withBundle } from "../lib/bundle.mjs";
import { row } from "../lib/report.mjs";
import { median, spread } from "../lib/statistics.mjs";

export const about = "a pass with a long queue";

const BENCH = "sched-scale";
const WORLD = join(dirname(fileURLToPath(import.meta.url)), "../scale/world.ts");
const JOBS = 100_000;
const JOBS_QUICK = 20_000;
const EVENTS = 7;
const EVENTS_QUICK = 3;
const FIRST_BAR_MS = 250;
const EVENT_BAR_MS = 5;

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const jobs = quick ? JOBS_QUICK : JOBS;
  return withBundle(WORLD, async (bundle) => {
    const world = await import(pathToFileURL(bundle).href);
    const rows = [];
    for (const shapes of [50, jobs]) {
      note(`${BENCH}: ${jobs} jobs of ${shapes} shapes`);
      rows.push(...measure(world, { jobs, shapes, events: quick ? EVENTS_QUICK : EVENTS }));
    }
    return rows;
  });
}

function measure(world, { jobs, shapes, events }) {
  const state = world.idleCluster();
  let now = world.T0 + 1000;
  world.fill(state, now);
  const before = heap();
  world.queue(state, jobs, shapes, now);
  const bytes = (heap() - before) / jobs;
  const pass = () =>
    world.schedule(
      world.viewOf(state, () => true, now),
      now,
      world.EASY,
    );
  const name = `${jobs} jobs, ${shapes} shapes`;
  const first = timed(pass);
  carryOut(world, state, first.value, now);
  const later = Array.from({ length: events }, () => {
    now += 1000;
    world.endOne(state, now);
    const one = timed(pass);
    carryOut(world, state, one.value, now);
    return one;
  });
  const rowOf = (metric, unit, values, bar) =>
    row({
      ...{ bench: BENCH, case: name, metric, unit, ours: median(values), reference: bar },
      ...{ referenceName: bar === null ? "" : "the bar", samples: values.length, spread: spread(values) },
    });
  return [
    rowOf("first pass, wall", "ms", [first.wallMs], FIRST_BAR_MS),
    rowOf("first pass, CPU", "ms", [first.cpuMs], FIRST_BAR_MS),
    rowOf(
      "pass after one event, wall",
      "ms",
      later.map(({ wallMs }) => wallMs),
      shapes === 50 ? EVENT_BAR_MS : null,
    ),
    rowOf(
      "pass after one event, CPU",
      "ms",
      later.map(({ cpuMs }) => cpuMs),
      shapes === 50 ? EVENT_BAR_MS : null,
    ),
    rowOf("memory of a waiting job", "bytes", [bytes], null),
  ];
}

function carryOut(world, state, { starts }, now) {
  for (const start of starts) world.run(state, { type: "job.allocate", ...start }, now);
}

function timed(act) {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const value = act();
  const { user, system } = process.cpuUsage(cpu);
  return { value, wallMs: performance.now() - begun, cpuMs: (user + system) / 1000 };
}

/** Without what nobody holds any more, where Node was started with --expose-gc. */
function heap() {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
