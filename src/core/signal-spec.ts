/** `--signal`: which signal a job gets some time before its limit, e.g. `B:USR2@90`. Source: Slurm's manual of sbatch. */

import { expected, type Parsed } from "./parse.ts";
import { parseSignal, signalName } from "./signals.ts";

export interface SignalSpec {
  /** Number of the signal. */
  readonly signal: number;
  /** Seconds before the job's end. */
  readonly leadS: number;
  /** `B:`: only the batch shell gets it; without, all steps but not the batch shell. */
  readonly batchOnly: boolean;
  /** `R:`: the job may overlap a reservation that can be moved. */
  readonly reservation: boolean;
}

/** When no time was given: Slurm's default, a minute. */
const LEAD_S_DEFAULT = 60;

/** Slurm keeps the time in 16 bits. */
const LEAD_S_MAX = 65_535;

/** Reads `[{R|B}:]signal[@seconds]`; the signal by number or by name, with or without SIG. */
export function parseSignalSpec(text: string): Parsed<SignalSpec> {
  const match = /^(?:([RB]{1,2}):)?([A-Z0-9]{1,10})(?:@(\d{1,9}))?$/i.exec(text);
  if (!match) return expected("a signal such as USR1, 10@120 or B:TERM@300", text);
  const [, flags = "", name = "", lead] = match;
  const signal = parseSignal(name);
  if (signal === undefined) return expected("the name or number of a signal, such as USR1 or 10", name);
  const leadS = lead === undefined ? LEAD_S_DEFAULT : Number(lead);
  if (leadS > LEAD_S_MAX) return { problem: `expected at most ${LEAD_S_MAX} seconds after @, got "${lead}"` };
  return { value: { signal, leadS, batchOnly: /b/i.test(flags), reservation: /r/i.test(flags) } };
}

/** The inverse of {@link parseSignalSpec}: `B:USR2@90`. */
export function formatSignalSpec({ signal, leadS, batchOnly, reservation }: SignalSpec): string {
  const flags = `${reservation ? "R" : ""}${batchOnly ? "B" : ""}`;
  return `${flags === "" ? "" : `${flags}:`}${signalName(signal)}@${leadS}`;
}
