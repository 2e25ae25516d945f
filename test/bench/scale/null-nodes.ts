/**
 * The controller's loop, store and planner as they are, on a real disk; nodes that do nothing: whatever they are told to
 * launch has ended well at once.
 */

import { createLoop } from "../../../src/controller/loop.ts";
import { createPlanner } from "../../../src/controller/planner.ts";
import { compact } from "../../../src/controller/store/compact.ts";
import { openStore } from "../../../src/controller/store/store.ts";
import type { Command } from "../../../src/core/commands.ts";
import type { Effect } from "../../../src/core/effects.ts";
import { realClock } from "../../../src/platform/clock.ts";
import { realDisk } from "../../../src/platform/disk.ts";
import type { Log } from "../../../src/platform/log.ts";
import { EASY } from "../../../src/sched/policy.ts";
import { arraySubmission, inventory, NODES, submission } from "./world.ts";

/** No snapshot is made meanwhile. */
const SNAPSHOT_BYTES = 2 ** 40;

/** Jobs end in other turns than they start in, as they do where somebody runs them. */
const TURN_MS = 1;

/** Not the one of platform/: it brings a library with it. */
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface Ran {
  /** Milliseconds from the first submission's answer until all jobs are over. */
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly passes: number;
}

/**
 * Submits jobs, and waits until all have run.
 * @param folder an empty one
 */
export function runJobs(folder: string, jobs: number, shapes: number, disk = realDisk()): Promise<Ran> {
  const submissions = Array.from({ length: jobs }, (_, index) => submission(index, shapes));
  return runAll(folder, jobs, submissions, disk);
}

/** The same for the tasks of one array. */
export function runArray(folder: string, tasks: number): Promise<Ran> {
  return runAll(folder, tasks, [arraySubmission(tasks)]);
}

async function runAll(folder: string, jobs: number, submissions: readonly Command[], disk = realDisk()): Promise<Ran> {
  const [log, clock] = [SILENT, realClock()];
  const places = { journalFolder: `${folder}/journal`, snapshotFile: `${folder}/snapshot.json` };
  const ports = { disk, log, compact: (order: Parameters<typeof compact>[1]) => compact(disk, order) };
  const opened = await openStore(ports, places, SNAPSHOT_BYTES);
  let [ended, passes] = [0, 0];
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const launch = (effect: Extract<Effect, { type: "node.launch" }>): void => {
    const key = { jobId: effect.jobId, attempt: effect.attempt, stepId: effect.stepId };
    const over = { exits: [{ code: 0, signal: 0 }], problem: "", clean: true, outOfMemory: false };
    clock.after(TURN_MS, () => {
      void loop.execute({ type: "report.stepEnded", node: effect.node, key, ...over }).then(() => {
        ended += 1;
        if (ended === jobs) finish();
      });
    });
  };
  const loop = createLoop(opened, {
    ...{ clock, log },
    perform(effects) {
      for (const effect of effects) {
        if (effect.type === "schedule") planner.wake();
        else if (effect.type === "node.launch") launch(effect);
      }
    },
    onReloaded: () => {},
    onMended: () => {},
  });
  const planner = createPlanner({
    ...{ clock, log, policy: EASY, state: () => loop.state, isConnected: () => true },
    execute: (command) => loop.execute(command),
    onPass: () => {
      passes += 1;
    },
  });
  const names = Array.from({ length: NODES }, (_, node) => `n${String(node + 1).padStart(4, "0")}`);
  await Promise.all(
    names.map((name) => loop.execute({ type: "node.register", node: name, inventory: inventory(name) })),
  );
  planner.setStopped(true);
  await Promise.all(submissions.map((one) => loop.execute(one)));
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  planner.setStopped(false);
  await finished;
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - begun;
  planner.setStopped(true);
  await loop.close();
  return { wallMs, cpuMs: (user + system) / 1000, passes };
}
