/** Ends a session that nobody uses: without a key typed or anything printed for as long as was asked for. */

import type { HolderPorts } from "./ports.ts";
import type { Step } from "./step.ts";
import type { StepTerminations } from "./step-termination.ts";

/** Milliseconds between TERM and KILL for a session that nobody is at. */
const KILL_WAIT_MS = 10_000;

/** A launch may be asked for twice. */
const watched = new WeakSet<Step>();

/** Looks after a started step; does nothing for one without such a limit. */
export function watchIdleness(ports: HolderPorts, step: Step, terminations: StepTerminations): void {
  const { inactivityMs, terminal } = step;
  if (inactivityMs === null || !terminal || watched.has(step)) return;
  watched.add(step);
  const look = (ms: number): void => {
    ports.clock.after(ms, () => {
      if (step.phase === "ended" || step.termination) return;
      const restMs = inactivityMs - terminal.idleMs;
      if (restMs > 0) return look(restMs);
      const seconds = inactivityMs / 1000;
      step.output.say(step.tasks[0] ?? 0, "out", `\nmgpu: the session is ended: nobody used it for ${seconds} s\n`);
      ports.log.info("a session is ended because nobody used it", { step: step.name, seconds });
      const { jobId, attempt, stepId } = step.key;
      terminations.end({ jobId, attempt, stepId }, KILL_WAIT_MS, undefined).catch((error: unknown) => {
        ports.log.warn("a session can't be ended", { step: step.name, error: String(error) });
      });
    });
  };
  look(inactivityMs);
}
