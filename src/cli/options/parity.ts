/**
 * How mgpu treats each option of Slurm's submitting commands: supported, taken without effect, or refused. The man
 * page prints this table; a test compares it with the options of Slurm's own commands.
 */

import type { Submitter } from "./record.ts";
import { SUBMIT_OPTIONS } from "./submit.ts";

export interface ParityRow {
  /** With dashes: `--gpus`. */
  readonly option: string;
  /** `-G`; empty for none. */
  readonly short: string;
  readonly commands: readonly Submitter[];
  readonly kind: "supported" | "no effect" | "refused";
  /** What it does, why nothing needs to be done, or what to do instead. */
  readonly reason: string;
}

/** One row an option, in the order of help; its other names have no rows of their own. */
export function parityTable(): readonly ParityRow[] {
  return SUBMIT_OPTIONS.map(({ long, short, of, help, ignored, refused }) => ({
    option: `--${long}`,
    short: short === undefined ? "" : `-${short}`,
    commands: of,
    kind: refused !== undefined ? "refused" : ignored !== undefined ? "no effect" : "supported",
    reason: help,
  }));
}
