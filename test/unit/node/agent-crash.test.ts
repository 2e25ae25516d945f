/**
 * The daemon is killed before and after each of its operations on disk, holders and controller, for every one of them,
 * and another takes over. Whatever the moment: no program is started twice, and every step's end is reported.
 */

import { describe, expect, it } from "vitest";
import type { NodeLaunch } from "../../../src/protocol/procedures.ts";
import { Fuse } from "./fuse.ts";
import { batchLaunch, request, runLaunch } from "./sample-launch.ts";
import type { VirtualJob } from "./virtual-controller.ts";
import { World } from "./world.ts";

/** More than any of the scenarios takes; one that needs more never ends. */
const OPERATIONS_MAX = 400;

const KEYS = { run: 1, batch: 2, pty: 3, dirty: 4, cancelled: 5 };

interface Scenario {
  readonly world: World;
  readonly jobs: Record<keyof typeof KEYS, VirtualJob>;
}

function launchOf(kind: keyof typeof KEYS): NodeLaunch {
  const jobId = KEYS[kind];
  if (kind === "batch") return batchLaunch({ key: { jobId, attempt: 1, stepId: "batch" } });
  const job = request({ pty: kind === "pty" ? { columns: 80, rows: 24 } : null });
  return runLaunch({ key: { jobId, attempt: 1, stepId: 0 }, job });
}

/** A daemon that dies after `operations`, with a job of each kind on its way. */
async function begin(operations: number): Promise<Scenario> {
  const world = new World();
  world.machine.runMs = 40;
  world.machine.launchDelayMs = 5;
  world.machine.leavesProcesses = (jobId) => jobId === KEYS.dirty;
  const jobs = Object.fromEntries(
    Object.keys(KEYS).map((kind) => [kind, world.controller.want(launchOf(kind as keyof typeof KEYS))]),
  ) as Scenario["jobs"];
  await world.start(new Fuse(operations));
  await world.clock.advance(20);
  world.controller.cancel(jobs.cancelled);
  await world.clock.until(() => world.fuse.blown || isOver({ world, jobs }), 4000);
  // Folders of scripts are removed last, and late.
  await world.clock.until(() => world.fuse.blown, 1000);
  return { world, jobs };
}

function isOver({ jobs }: Scenario): boolean {
  return Object.values(jobs).every((job) => job.decided && job.clean);
}

async function finish({ world, jobs }: Scenario): Promise<void> {
  await world.clock.until(() => isOver({ world, jobs }), 200_000);
  // What follows the last confirmation.
  await world.clock.advance(1000);
}

/** What must hold at the end, whatever happened. */
async function check({ world, jobs }: Scenario, moment: string): Promise<void> {
  const states = Object.entries(jobs).map(([kind, job]) => `${kind} ${job.decided} ${job.clean}`);
  expect(states, moment).toEqual(Object.keys(KEYS).map((kind) => `${kind} true true`));
  const runs = world.machine.runs;
  expect(new Set(runs).size, `${moment}: ${runs}`).toBe(runs.length);
  expect(await world.spool(), moment).toEqual([]);
  expect(
    world.machine.holders.filter((holder) => holder.alive).flatMap((holder) => [...holder.steps.keys()]),
    moment,
  ).toEqual([]);
}

/** How many operations a daemon does that nobody kills. */
async function countOperations(): Promise<number> {
  const scenario = await begin(Number.POSITIVE_INFINITY);
  await finish(scenario);
  await check(scenario, "unharmed");
  expect(Object.values(scenario.jobs).map((job) => job.outcome)).toEqual(["0:0", "0:0", "0:0", "0:0", "0:15"]);
  return scenario.world.fuse.count;
}

describe("a daemon killed at any moment", () => {
  it("is followed by one that goes on as if nothing had happened", async () => {
    const operations = await countOperations();
    expect(operations).toBeGreaterThan(100);
    expect(operations).toBeLessThan(OPERATIONS_MAX);
    for (let limit = 0; limit < operations; limit++) {
      const scenario = await begin(limit);
      expect(scenario.world.fuse.blown, `after ${limit}`).toBe(true);
      await scenario.world.start();
      await finish(scenario);
      await check(scenario, `killed after ${limit} operations`);
      const { run, batch, pty, dirty } = scenario.jobs;
      expect(
        [run, batch, pty, dirty].map((job) => job.outcome),
        `killed after ${limit}`,
      ).toEqual(Array(4).fill("0:0"));
    }
  }, 60_000);

  it("twice in a row is no different", async () => {
    const operations = await countOperations();
    for (let first = 0; first < operations; first += 7) {
      for (let second = 0; second < operations; second += 11) {
        const scenario = await begin(first);
        await scenario.world.start(new Fuse(second));
        await scenario.world.clock.until(() => scenario.world.fuse.blown || isOver(scenario), 5000);
        await scenario.world.start();
        await finish(scenario);
        await check(scenario, `killed after ${first} and ${second} operations`);
        const { run, batch, pty, dirty } = scenario.jobs;
        expect(
          [run, batch, pty, dirty].map((job) => job.outcome),
          `${first}, ${second}`,
        ).toEqual(Array(4).fill("0:0"));
      }
    }
  }, 120_000);

  it("together with all holders never runs a step twice, and tells how each ended", async () => {
    const operations = await countOperations();
    for (let limit = 0; limit < operations; limit++) {
      const scenario = await begin(limit);
      scenario.world.machine.killHolders();
      await scenario.world.start();
      await finish(scenario);
      await check(scenario, `killed after ${limit} operations`);
      const { cancelled, ...others } = scenario.jobs;
      for (const job of Object.values(others)) expect(job.phase, `killed after ${limit}`).toBe("ended");
      // Batch scripts need no holder: once started, their exit is known.
      if (scenario.world.machine.runs.includes("2.1.batch")) expect(scenario.jobs.batch.outcome).toBe("0:0");
    }
  }, 60_000);

  it("with the machine loses what ran, and runs what was not started yet", async () => {
    const operations = await countOperations();
    for (let limit = 0; limit < operations; limit++) {
      const scenario = await begin(limit);
      scenario.world.machine.killHolders();
      scenario.world.machine.batches.clear();
      scenario.world.machine.bootId = "boot-2";
      await scenario.world.start();
      await finish(scenario);
      await check(scenario, `rebooted after ${limit} operations`);
      for (const job of Object.values(scenario.jobs))
        expect(job.outcome).toMatch(/^(0:0|0:15.*|lost: node rebooted|)$/);
    }
  }, 60_000);
});
