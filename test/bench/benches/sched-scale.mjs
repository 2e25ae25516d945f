/**
 * A pass of the scheduler with a long queue on 1,000 nodes of 8 GPUs each, all of them busy: the whole pass, the pass after one
 * job has ended, the longest slice of these, and what a waiting job takes of memory; then jobs that nodes end at once, through
 * the controller's own loop and journal. CPU time stands beside wall time, and the lesser of both is what a pass takes of
 * the controller's loop. The references are the bars that are set for it, no measurements.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
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
const STARTS = 20_000;
const STARTS_QUICK = 8000;
const EVENTS = 100;
const EVENTS_QUICK = 20;
/** Passes after an event before those that are measured: V8 compiles what they run. */
const WARM_UP_EVENTS = 20;
/** Jobs of a small queue on which V8 has compiled a first pass before the one that is measured, as in a controller that runs. */
const WARM_UP_JOBS = 2000;
/** So long a slice of the controller's lasts (src/controller/slices.ts). */
const SLICE_MS = 8;

const DAY_MS = 86_400_000;

const BARS = { firstMs: 250, eventMs: 5, stallMs: 20, startsPerS: 5000 };

/** @param {{quick: boolean, note: (text: string) => void}} options */
export async function run({ quick, note }) {
  const jobs = quick ? JOBS_QUICK : JOBS;
  return withBundle(WORLD, async (bundle) => {
    const world = await import(pathToFileURL(bundle).href);
    const rows = [];
    measure(world, { jobs: WARM_UP_JOBS, shapes: 50, events: 1 });
    for (const shapes of [50, jobs]) {
      note(`${BENCH}: ${jobs} jobs of ${shapes} shapes`);
      rows.push(...measure(world, { jobs, shapes, events: quick ? EVENTS_QUICK : EVENTS }));
    }
    note(`${BENCH}: ${jobs} jobs that begin tomorrow`);
    rows.push(measureEarly(world, jobs, quick ? EVENTS_QUICK : EVENTS));
    const starts = quick ? STARTS_QUICK : STARTS;
    note(`${BENCH}: ${starts} jobs on nodes that end them at once`);
    rows.push(...(await measureStarts(world, starts)));
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
  const memory = new world.PassMemory();
  const pass = () => inSlices(world, state, now, memory);
  const first = pass();
  // What fits beside the running jobs starts, over some passes: a pass looks at so many jobs at most.
  for (let one = first; one.plan.starts.length > 0; one = pass()) carryOut(world, state, one.plan, now);
  const later = Array.from({ length: WARM_UP_EVENTS + events }, () => {
    now += 1000;
    world.endOne(state, now);
    const one = pass();
    carryOut(world, state, one.plan, now);
    return one;
  }).slice(WARM_UP_EVENTS);
  const name = `${jobs} jobs, ${shapes} shapes`;
  const line = (metric, unit, values, bar) => barRow({ name, metric, unit, values, bar });
  const eventBar = shapes === 50 ? BARS.eventMs : null;
  const of = (key) => later.map((one) => one[key]);
  return [
    line("first pass", "ms", [first.loopMs], BARS.firstMs),
    line("first pass, CPU", "ms", [first.cpuMs], null),
    line("first pass, wall", "ms", [first.wallMs], null),
    line("first pass, longest slice", "ms", [first.longestMs], BARS.stallMs),
    line("pass after one event", "ms", of("loopMs"), eventBar),
    line("pass after one event, CPU", "ms", of("cpuMs"), null),
    line("pass after one event, wall", "ms", of("wallMs"), null),
    line("pass after one event, longest slice", "ms", [Math.max(...of("longestMs"))], BARS.stallMs),
    line("memory of a waiting job", "bytes", [bytes], null),
  ];
}

function measureEarly(world, jobs, events) {
  const state = world.idleCluster();
  let now = world.T0 + 1000;
  world.fill(state, now);
  world.queue(state, jobs, 50, now, now + DAY_MS);
  const memory = new world.PassMemory();
  const values = Array.from({ length: WARM_UP_EVENTS + events }, () => {
    now += 1000;
    world.endOne(state, now);
    return inSlices(world, state, now, memory).loopMs;
  }).slice(WARM_UP_EVENTS);
  const name = `${jobs} jobs that begin tomorrow`;
  return barRow({ name, metric: "pass after one event", unit: "ms", values, bar: BARS.eventMs });
}

async function measureStarts(world, jobs) {
  const folder = mkdtempSync(join(tmpdir(), "mgpu-bench-"));
  try {
    const { wallMs, cpuMs, passes } = await world.runJobs(folder, jobs, 50);
    const name = `${jobs} jobs on null nodes`;
    const line = (metric, unit, value, bar) => barRow({ name, metric, unit, values: [value], bar, isRate: true });
    return [
      line("jobs started and ended for a second of CPU", "1/s", (1000 * jobs) / cpuMs, BARS.startsPerS),
      line("jobs started and ended, wall", "1/s", (1000 * jobs) / wallMs, null),
      line("passes", "", passes, null),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function barRow({ name, metric, unit, values, bar, isRate = false }) {
  const ours = median(values);
  const isMet = bar !== null && (isRate ? ours >= bar : ours <= bar);
  const referenceName = bar === null ? "" : `the bar: ${isMet ? "met" : "MISSED"}`;
  const counts = { samples: values.length, spread: spread(values) };
  return row({ bench: BENCH, case: name, metric, unit, ours, reference: bar, referenceName, ...counts });
}

function carryOut(world, state, { starts }, now) {
  for (const start of starts) world.run(state, { type: "job.allocate", ...start }, now);
}

/** As the controller makes a pass. */
function* passOf(world, state, now, memory) {
  yield* memory.holdings.catchUp(state, now, world.EASY.assumedTimeS);
  const view = world.viewOf(state, () => true, now, { policy: world.EASY, memory });
  return yield* world.scheduleInSteps(view, now, world.EASY);
}

/**
 * In slices, but without breaks between them. How long the loop was kept is told by the lesser of wall time, in which others'
 * programs count, and CPU time, in which V8's other threads count: the loop's own thread used no more than either.
 */
function inSlices(world, state, now, memory) {
  const steps = passOf(world, state, now, memory);
  const all = process.cpuUsage();
  const begun = performance.now();
  let longestMs = 0;
  let slice = all;
  let sliceBegun = begun;
  for (;;) {
    const step = steps.next();
    const elapsed = performance.now() - sliceBegun;
    if (step.done || elapsed >= SLICE_MS) {
      longestMs = Math.max(longestMs, Math.min(cpuSince(slice), elapsed));
      slice = process.cpuUsage();
      sliceBegun = performance.now();
    }
    if (!step.done) continue;
    const [wallMs, cpuMs] = [performance.now() - begun, cpuSince(all)];
    return { plan: step.value, wallMs, cpuMs, loopMs: Math.min(wallMs, cpuMs), longestMs };
  }
}

function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Without what nobody holds any more, where Node was started with --expose-gc. */
function heap() {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
