/** From a launch to running tasks, or to the reasons why there are none. */

import type { ExitStatus } from "../../core/job.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { StepLaunch } from "../../protocol/holder.ts";
import { startBatchStep, writeBatchScript } from "./batch-step.ts";
import { makeGate } from "./gate.ts";
import { type LaunchPlan, planLaunch } from "./launch-plan.ts";
import { explainFailedStart, noteErrorTarget } from "./notices.ts";
import { startPlainStep } from "./plain-step.ts";
import { type HolderPorts, SIGNAL } from "./ports.ts";
import { startPtyStep } from "./pty-step.ts";
import type { Step } from "./step.ts";

/** Exit code of a step that a fault of ours kept from starting. */
const SETUP_FAILED = 1;

/**
 * Refuses what no node daemon asks for.
 * @throws RpcError BAD_PARAMS
 */
export function checkLaunch({ tasks, pty, batch, workDir }: StepLaunch): void {
  const numbers = new Set(tasks.map(({ task }) => task));
  if (tasks.length === 0) throw new RpcError("BAD_PARAMS", "a step without tasks");
  if (numbers.size !== tasks.length) throw new RpcError("BAD_PARAMS", "two tasks of a step have the same number");
  if ((pty || batch) && tasks.length > 1) throw new RpcError("BAD_PARAMS", "a terminal or batch script has one task");
  if (!workDir.startsWith("/")) throw new RpcError("BAD_PARAMS", `the work folder ${workDir} is not absolute`);
  if (batch && !batch.spool.startsWith("/")) throw new RpcError("BAD_PARAMS", "the spool folder is not absolute");
}

/**
 * Starts a step's tasks.
 * @param onEnd called once when a step that was started is over; not if this resolves to false
 * @returns false if the step could not be started: it says why
 */
export async function startStep(
  ports: HolderPorts,
  step: Step,
  launch: StepLaunch,
  onEnd: () => void,
): Promise<boolean> {
  const isStarted = await tryStart(ports, step, launch, onEnd);
  // Who started another step reads it where that was typed.
  if (!isStarted && launch.batch && !step.isCancelled) await explainFailedStart(ports, launch, step.problem);
  return isStarted;
}

async function tryStart(ports: HolderPorts, step: Step, launch: StepLaunch, onEnd: () => void): Promise<boolean> {
  let plan: LaunchPlan | null = null;
  const setupFailed = { code: SETUP_FAILED, signal: 0 };
  try {
    const problem = launch.batch ? writeBatchScript(ports, launch.batch) : "";
    if (problem !== "") return failAll(step, problem, setupFailed);
    step.gate = launch.memory?.group === undefined ? null : await makeGate(ports, step.name);
    const planned = await planLaunch(ports, launch, step.gate !== null);
    if ("problems" in planned) {
      step.fail(planned.problems, planned.exits);
      return false;
    }
    plan = planned;
    if (step.isCancelled) return failAll(step, "terminated before it started", { code: 0, signal: SIGNAL.TERM });
    step.isStarted = await startAs(ports, step, launch, plan, onEnd);
    if (step.isStarted) await step.gate?.settle(step.tasks.length);
    return step.isStarted;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    ports.log.error("a step could not be started", { step: step.name, error: text });
    step.dispose();
    return failAll(step, `mgpu-stepd failed to start the step: ${text}`, setupFailed);
  } finally {
    plan?.close();
    if (!step.isStarted) step.gate?.open();
  }
}

function startAs(
  ports: HolderPorts,
  step: Step,
  launch: StepLaunch,
  plan: LaunchPlan,
  onEnd: () => void,
): Promise<boolean> {
  if (launch.pty) return startPtyStep(ports, step, plan, launch.pty, onEnd);
  if (launch.batch) {
    noteErrorTarget(ports, launch.batch.spool, launch);
    return startBatchStep(ports, step, plan, launch.batch, onEnd);
  }
  return startPlainStep(ports, step, plan, onEnd);
}

function failAll(step: Step, problem: string, exit: ExitStatus): false {
  step.fail([problem], new Map(step.tasks.map((task) => [task, exit])));
  return false;
}
