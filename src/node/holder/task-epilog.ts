/**
 * --task-epilog: a program that runs once a task has ended, with the task's environment and without streams, for a few
 * seconds at most, as in Slurm. The task counts as ended after it.
 */

import { mergeVariables } from "../../util/variables.ts";
import type { PlannedTask } from "./launch-plan.ts";
import { EPILOG_MS_MAX } from "./limits.ts";
import { type HolderPorts, SIGNAL } from "./ports.ts";
import type { Step } from "./step.ts";

const NULL_DEVICE = "/dev/null";

/** Runs a task's epilog, if it has one, and then `onDone`, once. */
export function afterTask(ports: HolderPorts, step: Step, planned: PlannedTask, onDone: () => void): void {
  if (planned.epilog === null || step.isCancelled) return onDone();
  runEpilog(ports, step, planned, planned.epilog).then(onDone, (error: unknown) => {
    ports.log.warn("a task epilog could not be run", { step: step.name, error: String(error) });
    onDone();
  });
}

async function runEpilog(ports: HolderPorts, step: Step, planned: PlannedTask, file: string): Promise<void> {
  const { processes, table, clock, log } = ports;
  const opened = await processes.openOutput(NULL_DEVICE);
  if ("problem" in opened) throw new Error(opened.problem.text);
  const nothing = opened.value;
  const cookie = table.cookie(step.name);
  await new Promise<void>((resolve, reject) => {
    let cancel = (): void => {};
    const finish = (): void => {
      cancel();
      resolve();
    };
    const spawning = processes.spawn({
      ...{ file, argv: [file], workDir: step.workDir, descriptors: [nothing, nothing, nothing], ownSession: true },
      environment: mergeVariables(cookie, planned.environment, cookie),
      onExit: () => finish(),
    });
    spawning.then((spawned) => {
      processes.closeDescriptor(nothing);
      if ("problem" in spawned) return reject(new Error(spawned.problem.text));
      const leader = table.adopt(spawned.value, step.name, { spared: false });
      cancel = clock.after(EPILOG_MS_MAX, () => {
        log.warn("a task epilog took too long", { step: step.name, file });
        // What it started goes with the step.
        if (leader) table.signal(leader, SIGNAL.KILL);
        resolve();
      });
    }, reject);
  });
}
