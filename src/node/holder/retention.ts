/** How long an ended step is remembered. Pure: looks at records and says which to let go. */

import { ENDED_OUTPUT_BYTES_MAX, ENDED_STEPS_MAX, LINGER_MS, UNATTACHED_MS } from "./limits.ts";

/** What the rules look at; a Step has it. */
export interface EndedStep {
  readonly name: string;
  readonly endedAtMs: number;
  /** When the node daemon had its status on disk; null before. */
  readonly forgottenAtMs: number | null;
  readonly expectsClient: boolean;
  /** How long its output waits for a client that was attached and left. Milliseconds. */
  readonly uncollectedMs: number;
  readonly output: {
    readonly wasAttached: boolean;
    readonly hasClient: boolean;
    readonly collectedAtMs: number | null;
    readonly costBytes: number;
  };
}

export interface Retention<T> {
  /** Forget them altogether. */
  readonly remove: readonly T[];
  /** Keep their status, drop their output. */
  readonly drop: readonly T[];
}

/** Whether a client may still come for an ended step's output and exits. */
export function isUncollected(step: EndedStep, nowMs: number): boolean {
  const { output, endedAtMs, forgottenAtMs } = step;
  if (!step.expectsClient || output.collectedAtMs !== null) return false;
  if (output.hasClient) return true;
  if (!output.wasAttached) return nowMs < endedAtMs + UNATTACHED_MS;
  return nowMs < (forgottenAtMs ?? endedAtMs) + step.uncollectedMs;
}

/** Whether a step is over for all but a client that lost its answer. */
export function isSettled({ forgottenAtMs, output }: EndedStep): boolean {
  return forgottenAtMs !== null && output.collectedAtMs !== null;
}

/**
 * Which ended steps to let go now: those forgotten and collected, and the oldest above the limits.
 * @param steps oldest first
 */
export function reviewEnded<T extends EndedStep>(steps: readonly T[], nowMs: number): Retention<T> {
  const remove = steps.filter((step) => step.forgottenAtMs !== null && !isAwaited(step, nowMs));
  const kept = steps.filter((step) => !remove.includes(step));
  const drop: T[] = [];
  let excess = kept.length - ENDED_STEPS_MAX;
  let outputBytes = kept.reduce((total, { output }) => total + output.costBytes, 0);
  for (const step of kept) {
    if (excess <= 0 && outputBytes <= ENDED_OUTPUT_BYTES_MAX) break;
    if (step.output.hasClient) continue;
    outputBytes -= step.output.costBytes;
    excess--;
    // The node daemon still has to learn how the others ended: they keep their status.
    if (step.forgottenAtMs === null) drop.push(step);
    else remove.push(step);
  }
  return { remove, drop };
}

function isAwaited(step: EndedStep, nowMs: number): boolean {
  const { collectedAtMs, hasClient } = step.output;
  const lingers = step.expectsClient && collectedAtMs !== null && nowMs < collectedAtMs + LINGER_MS;
  return hasClient || lingers || isUncollected(step, nowMs);
}
