/** The three answers to a command. They are different things and look different in code. */

import type { Event } from "../events.ts";
import type { JobId } from "../ids.ts";

/** Codes of a denial; the wire carries them as they are. */
export type DenialCode =
  | "INVALID_JOB"
  | "JOB_FINISHED"
  | "NOT_RUNNING"
  | "NOT_FEASIBLE"
  | "INVALID_PARTITION"
  | "INVALID_TIME_LIMIT"
  | "NO_CAPACITY"
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
  readonly stepId: number | "batch" | null;
  readonly signal: number;
}

export type Decision =
  /** Yes: these events happen. `jobId` is the answer to a submission. */
  | {
      readonly kind: "accept";
      readonly events: readonly Event[];
      readonly jobId?: JobId;
      readonly signal?: SignalRequest;
    }
  /** No, and why. */
  | { readonly kind: "deny"; readonly denial: Denial }
  /** Nothing to do: it is so already, or the message speaks of an older attempt. */
  | { readonly kind: "ignore"; readonly why: string; readonly jobId?: JobId };

/** Accepts with the given events. */
export function accept(...events: Event[]): Decision {
  return { kind: "accept", events };
}

/** Denies with a reason, and a hint where there is one. */
export function deny(code: DenialCode, message: string, hint?: string): Decision {
  return { kind: "deny", denial: hint === undefined ? { code, message } : { code, message, hint } };
}

/** Ignores; `why` goes to the log. */
export function ignore(why: string): Decision {
  return { kind: "ignore", why };
}
