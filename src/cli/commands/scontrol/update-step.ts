/** `scontrol update StepId=JOB.STEP TimeLimit=...`: all that Slurm changes of a step. */

import { parseTimeLimit } from "../../../core/time.ts";
import { isSlurmName } from "../../connect.ts";
import { UserError } from "../../context.ts";
import { criteriaOf, jobFilter, parseJobTarget } from "../../filters.ts";
import { type Assignment, lookUpKey } from "./assignments.ts";
import type { Scope } from "./scope.ts";

const COMPLAINT = "slurm_update error";

/** Gives one step another limit, or without a step's number all that run of a job. */
export async function updateStep(id: Assignment, assignments: readonly Assignment[], scope: Scope): Promise<number> {
  const target = parseJobTarget(id.text);
  if (!target || target.step === "extern" || target.step === "interactive") {
    throw new UserError([`Invalid StepID parameter: ${id.word}`, "Request aborted"]);
  }
  const limits = assignments.map(readLimit);
  const limitS = limits.at(-1);
  if (limitS === undefined) throw new UserError("No changes specified");
  const action = { type: "stepLimit", stepId: target.step, limitS } as const;
  const peer = await scope.peer(COMPLAINT);
  const { jobs } = await peer.call("jobs.steer", { filter: jobFilter(criteriaOf([target])), action });
  const { program, stdio } = scope.context;
  const errors = jobs.flatMap(({ error }) => (error === null ? [] : [error]));
  for (const { message, hint } of errors) {
    stdio.err(`${COMPLAINT}: ${message}\n`);
    if (hint !== undefined && !isSlurmName(program)) stdio.err(`${program}: hint: ${hint}\n`);
  }
  return errors.length > 0 ? 1 : 0;
}

/** Seconds, 0 for none. */
function readLimit({ key, operator, text, word }: Assignment): number {
  if (operator !== "=" || lookUpKey({ timelimit: true }, key) !== true) {
    throw new UserError([`Update of this parameter is not supported: ${word}`, "Request aborted"]);
  }
  const parsed = parseTimeLimit(text);
  if ("problem" in parsed) throw new UserError("Invalid TimeLimit value", parsed.problem);
  return parsed.value;
}
