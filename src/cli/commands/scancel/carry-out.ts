/** scancel's calls: jobs together, each step by itself. */

import { formatTaskSet } from "../../../core/array-spec.ts";
import { SIGKILL } from "../../../core/signals.ts";
import type { Params, Result } from "../../../protocol/procedures.ts";
import type { Peer } from "../../../rpc/types.ts";
import { criteriaOf, type JobTarget, jobFilter } from "../../filters.ts";
import type { Order } from "./order.ts";

type Call = Params<"jobs.cancel">;
type WireError = NonNullable<Result<"jobs.cancel">["jobs"][number]["error"]>;

/** What became of one job or step. */
export interface Outcome {
  /** `12`, `12_3` or `12.0`. */
  readonly name: string;
  readonly isStep: boolean;
  readonly error: WireError | null;
}

/** Ids sent in one call: a frame's worth, far below its limit. */
const IDS_A_CALL = 10_000;

/** Makes the calls one after the other. `targets` empty: whatever the order's criteria select. */
export async function carryOut(peer: Peer, targets: readonly JobTarget[], order: Order): Promise<Outcome[]> {
  const plain = { ...wireSignal(order), cause: "" };
  const call = (some: readonly JobTarget[]): Promise<Outcome[]> =>
    cancel(peer, { ...plain, filter: jobFilter({ ...order.criteria, ...criteriaOf(some) }), stepId: null });
  if (targets.length === 0) return call([]);
  const outcomes = targets.filter(({ cannotExist }) => cannotExist).map(unknown);
  const real = targets.filter(({ cannotExist }) => !cannotExist);
  const jobs = real.filter(({ step }) => step === null);
  for (let at = 0; at < jobs.length; at += IDS_A_CALL) outcomes.push(...(await call(jobs.slice(at, at + IDS_A_CALL))));
  for (const target of real) if (target.step !== null) outcomes.push(...(await cancelStep(peer, target, order)));
  return outcomes;
}

/**
 * As in Slurm, KILL for a whole job cancels it; only the script's shell alone is no more than a process.
 */
function wireSignal({ signal, audience }: Order): Pick<Call, "signal" | "target"> {
  if (audience === "batch") return { signal: signal ?? SIGKILL, target: "batch" };
  return signal === null || signal === SIGKILL ? { signal: null } : { signal, target: audience };
}

async function cancelStep(peer: Peer, target: JobTarget, { signal, criteria }: Order): Promise<Outcome[]> {
  const { step, text } = target;
  // Slurm's step for processes that came from elsewhere: nothing of mgpu's runs there.
  if (step === null || step === "extern" || step === "interactive") {
    return [{ name: text, isStep: true, error: { code: "INVALID_STEP", message: "Invalid job id specified" } }];
  }
  const filter = jobFilter({ ...criteria, ...criteriaOf([target]) });
  return cancel(peer, { filter, stepId: step, signal: signal === SIGKILL ? null : signal, cause: "" });
}

function unknown({ text, step }: JobTarget): Outcome {
  return { name: text, isStep: step !== null, error: { code: "INVALID_JOB", message: "Invalid job id specified" } };
}

async function cancel(peer: Peer, params: Call): Promise<Outcome[]> {
  const { jobs } = await peer.call("jobs.cancel", params);
  const { stepId, filter } = params;
  const suffix = stepId === null ? "" : `.${stepId}`;
  return jobs.map(({ jobId, label, error }) => {
    const name = label ?? nameOf(jobId, filter);
    return { name: `${name}${suffix}`, isStep: stepId !== null, error };
  });
}

/** A job that no record has a label for, as the user named it. */
function nameOf(jobId: number, { tasks = [] }: Call["filter"]): string {
  const asked = tasks.filter((one) => one.jobId === jobId);
  if (asked.length !== 1) return String(jobId);
  const list = asked.map((one) => formatTaskSet(one.tasks)).join(",");
  return /^\d+$/.test(list) ? `${jobId}_${list}` : `${jobId}_[${list}]`;
}
