/** The three answers to a command. They are different things and look different in code. */

import type { SignalTarget } from "../effects.ts";
import type { Event } from "../events.ts";
import type { JobId, StepId } from "../ids.ts";
import type { MailPercent } from "../mail-types.ts";

/** Codes of a denial; the wire carries them as they are. */
export type DenialCode =
  | "INVALID_JOB"
  | "INVALID_STEP"
  | "INVALID_UPDATE"
  | "INVALID_DEPENDENCY"
  | "INVALID_ARRAY"
  | "INVALID_RESERVATION"
  | "RESERVATION_BUSY"
  | "RESERVATION_ACCESS"
  | "INVALID_LICENSES"
  | "JOB_FINISHED"
  | "NOT_RUNNING"
  | "NOT_PENDING"
  | "DISABLED"
  | "NOT_WHOLE"
  | "STEP_BUSY"
  | "NOT_FEASIBLE"
  | "INVALID_NODE"
  | "INVALID_NODE_STATE"
  | "NODE_BUSY"
  | "INVALID_NODE_COUNT"
  | "INVALID_FEATURE"
  | "INVALID_PARTITION"
  | "PARTITION_IN_USE"
  | "PARTITION_UNAVAILABLE"
  | "INVALID_TIME_LIMIT"
  | "NO_CAPACITY"
  | "INVALID_ACCOUNT"
  | "INVALID_QOS"
  | "ACCOUNTING_POLICY"
  | "QUEUE_FULL"
  | "INVALID_POLICY"
  | "POLICY_CHANGED"
  | "PERMISSION";

/** A user's or the scheduler's request that can't be met: why, and what would help. */
export interface Denial {
  readonly code: DenialCode;
  readonly message: string;
  readonly hint?: string;
}

/** A signal that goes out without any change of state. */
export interface SignalRequest {
  readonly jobId: JobId;
  readonly target: SignalTarget;
  readonly signal: number;
}

/** Yes: these events happen. */
export interface Acceptance {
  readonly kind: "accept";
  readonly events: readonly Event[];
  /** The answer to a submission. */
  readonly jobId?: JobId;
  /** The answer to a step's creation. */
  readonly stepId?: StepId;
  readonly signal?: SignalRequest;
  /** So much of a running job's time limit is over: its user wants mail. */
  readonly mail?: { readonly jobId: JobId; readonly percent: MailPercent };
}

/** No, and why. */
export interface Refusal {
  readonly kind: "deny";
  readonly denial: Denial;
}

/** Nothing to do: it is so already, or the message speaks of an older attempt. */
export interface Ignored {
  readonly kind: "ignore";
  readonly why: string;
  readonly jobId?: JobId;
  readonly stepId?: StepId;
}

export type Decision = Acceptance | Refusal | Ignored;

/** Accepts with the given events. */
export function accept(...events: Event[]): Acceptance {
  return { kind: "accept", events };
}

/** Denies with a reason, and a hint where there is one. */
export function deny(code: DenialCode, message: string, hint?: string): Refusal {
  return { kind: "deny", denial: hint === undefined ? { code, message } : { code, message, hint } };
}

/** Ignores; `why` goes to the log. */
export function ignore(why: string): Ignored {
  return { kind: "ignore", why };
}
