/** decide(state, command, now): yes with events, no with a reason, or nothing to do. Pure; reads state, never writes it. */

import { assertNever } from "../../util/assert.ts";
import type { Command } from "../commands.ts";
import type { ClusterState } from "../state.ts";
import { decideAllocate } from "./allocate.ts";
import type { Decision } from "./decision.ts";
import { decideMarkDown, decideRegister } from "./node.ts";
import { decideJobCleaned, decideStepEnded, decideStepLost, decideStepStarted } from "./report.ts";
import { decideCancel, decidePurge, decideSignal, decideTimer } from "./steer.ts";
import { decideSubmit } from "./submit.ts";

/**
 * Answers one command.
 * @param now milliseconds since 1970
 */
export function decide(state: ClusterState, command: Command, now: number): Decision {
  switch (command.type) {
    case "job.submit":
      return decideSubmit(state, command, now);
    case "job.cancel":
      return decideCancel(state, command);
    case "job.signal":
      return decideSignal(state, command);
    case "job.allocate":
      return decideAllocate(state, command);
    case "job.purge":
      return decidePurge(state, command);
    case "report.stepStarted":
      return decideStepStarted(state, command);
    case "report.stepEnded":
      return decideStepEnded(state, command);
    case "report.stepLost":
      return decideStepLost(state, command);
    case "report.jobCleaned":
      return decideJobCleaned(state, command);
    case "node.register":
      return decideRegister(state, command);
    case "node.markDown":
      return decideMarkDown(state, command);
    case "timer.fire":
      return decideTimer(state, command, now);
    default:
      return assertNever(command);
  }
}
