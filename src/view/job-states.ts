/** The states that a job can have in Slurm, by long and short name, and lists of them as users type them. */

import { TERMINAL_STATES } from "../core/job.ts";

/** In the order in which Slurm lists them. mgpu has no use for some, but whoever asks for those is no fool. */
const STATE_CODES: Readonly<Record<string, string>> = {
  PENDING: "PD",
  RUNNING: "R",
  SUSPENDED: "S",
  ...TERMINAL_STATES,
  COMPLETING: "CG",
  CONFIGURING: "CF",
  RESIZING: "RS",
  RESV_DEL_HOLD: "RD",
  REQUEUED: "RQ",
  REQUEUE_FED: "RF",
  REQUEUE_HOLD: "RH",
  REVOKED: "RV",
  SIGNALING: "SI",
  SPECIAL_EXIT: "SE",
  STAGE_OUT: "SO",
  STOPPED: "ST",
};

/** States of jobs that are not over: what squeue lists unless told otherwise. */
export const LIVE_STATES: readonly string[] = ["PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING"];

/** The short form of a long state name: `PD`. A name that is none comes back as it is. */
export function stateCode(state: string): string {
  return STATE_CODES[state] ?? state;
}

/** What a list of states means. */
export interface StateChoice {
  /** Long names; empty for all states. */
  readonly states: readonly string[];
  /** In Slurm's words; empty if the list is right. */
  readonly problems: readonly string[];
}

/** Reads names in either form and any case; `all` among them means every state. */
export function parseJobStates(names: readonly string[]): StateChoice {
  const states: string[] = [];
  const wrong: string[] = [];
  for (const name of names) {
    const state = findState(name);
    if (state === undefined) wrong.push(name);
    else states.push(state);
  }
  if (wrong.length > 0) {
    const valid = Object.keys(STATE_CODES).join(",");
    const problems = wrong.map((name) => `Invalid job state specified: ${name}`);
    return { states: [], problems: [...problems, `Valid job states include: ${valid}`] };
  }
  return { states: states.includes("all") ? [] : states, problems: [] };
}

/** An empty name stays: it is no state, so nothing has it. */
function findState(name: string): string | undefined {
  if (name === "") return "";
  if (name.toLowerCase() === "all") return "all";
  const wanted = name.toUpperCase();
  return Object.keys(STATE_CODES).find((state) => state === wanted || STATE_CODES[state] === wanted);
}

/** Whether a job is to be shown. @param states those shown, all if empty @param notUid whose jobs are not */
export function shownTest({
  states,
  notUid,
}: {
  readonly states: readonly string[];
  readonly notUid: number | null;
}): (row: { readonly state: string; readonly uid: number }) => boolean {
  const set = states.length > 0 ? new Set(states) : null;
  return ({ state, uid }) => (set?.has(state) ?? true) && uid !== notUid;
}
