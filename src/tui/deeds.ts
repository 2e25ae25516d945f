/** Changes that somebody asks for: what they are done to, the question before, and what must be typed first. Pure. */

import { parseSignal, signalName } from "../core/signals.ts";
import { formatTimeLimit, parseTimeLimit } from "../core/time.ts";
import type { Action, Deed, Model, Prompt, Step } from "./model.ts";
import { labelOf, type Row } from "./rows.ts";

/** Slurm's range of nice values. */
const NICE_MAX = 2_147_483_645;

/** Slurm keeps priorities in 32 bits; 0 holds a job. */
const PRIORITY_MAX = 4_294_967_294;

/** SIGKILL. */
const KILL = 9;

/** Keys of what is done to jobs. */
const KEYS: Readonly<Record<string, Action>> = {
  c: { type: "cancel", signal: null },
  K: { type: "cancel", signal: KILL },
  H: { type: "hold" },
  U: { type: "release" },
  R: { type: "requeue" },
};

/** Keys after which something is to be typed. */
const PROMPTS: Readonly<Record<string, "nice" | "limit" | "priority" | "signal">> = {
  ...{ p: "nice", P: "priority", T: "limit", C: "signal" },
};

const VERBS: Readonly<Record<Action["type"], string>> = {
  cancel: "Cancel",
  hold: "Hold",
  release: "Release",
  requeue: "Requeue",
  nice: "Set the nice value of",
  limit: "Set the time limit of",
  priority: "Set the priority of",
  drain: "Drain",
  resume: "Resume",
  pause: "Keep new jobs off",
  unpause: "Let new jobs onto",
};

/** A prompt with nothing typed. */
export function promptFor(kind: Prompt["kind"], deed: Deed | null): Prompt {
  return { kind, text: "", deed, before: "", choices: [] };
}

/** The marked jobs, else those under the cursor. */
export function targetsOf(model: Model): readonly Row[] {
  if (model.marked.size === 0) return model.entries[model.cursor]?.members ?? [];
  return model.entries.filter(({ key }) => model.marked.has(key)).flatMap(({ members }) => members);
}

/** A deed with its words. */
export function deedFor(
  _model: Model,
  action: Action,
  rows: readonly Row[],
  node = "",
  gpus: readonly number[] = [],
): Deed {
  const [first] = rows;
  const one = first ? `job ${labelOf(first)} (${first.name}, ${first.user})` : "";
  const jobs = rows.length === 1 ? one : `${rows.length} jobs`;
  const part = gpus.length === 0 ? "" : `GPU ${gpus.join(",")} of `;
  const target = node === "" ? jobs : `${part}node ${node}`;
  return { action, jobIds: rows.map(({ id }) => id), node, gpus, target };
}

/** The question before a deed. */
export function questionOf({ action, target }: Deed): string {
  const verb =
    action.type === "cancel" && action.signal !== null ? `Send ${signalName(action.signal)} to` : VERBS[action.type];
  const value =
    action.type === "nice" || action.type === "priority"
      ? ` to ${action.value}`
      : action.type === "limit"
        ? ` to ${formatTimeLimit(action.value)}`
        : "";
  const reason = "reason" in action && action.reason !== "" ? `, reason "${action.reason}"` : "";
  return `${verb} ${target}${value}${reason}? [y/N]`;
}

/** Asks, if anything may be changed. */
export function ask(model: Model, deed: Deed): Step {
  if (model.isReadOnly) return told(model, "nothing is changed here: this was opened with --read-only");
  if (deed.jobIds.length === 0 && deed.node === "") return told(model, "there is no job to do that to");
  return { model: { ...model, confirm: deed }, effects: [] };
}

/** A key of the list of jobs, or of one job's details. */
export function actOn(model: Model, key: string, rows: readonly Row[] = targetsOf(model)): Step {
  const action = KEYS[key];
  if (action) return ask(model, deedFor(model, action, rows));
  const kind = PROMPTS[key];
  if (kind === undefined) return { model, effects: [] };
  const asked: Action = kind === "signal" ? { type: "cancel", signal: null } : { type: kind, value: 0 };
  const deed = deedFor(model, asked, rows);
  if (model.isReadOnly || rows.length === 0) return ask(model, deed);
  return { model: { ...model, prompt: promptFor(kind, deed) }, effects: [] };
}

/** What was typed becomes part of the deed, which is asked about then. */
export function readPrompt(model: Model, { kind, text, deed }: Prompt): Step {
  if (deed === null || (text.trim() === "" && kind !== "pause")) return told(model, "nothing was changed");
  if (kind === "pause") return ask(model, { ...deed, action: { type: "pause", reason: text.trim() } });
  if (kind === "drain") return ask(model, { ...deed, action: { type: "drain", reason: text.trim() } });
  if (kind === "signal") {
    const signal = parseSignal(text.trim());
    if (signal === undefined) return told(model, `"${text.trim()}" is no signal: a name such as USR1, or a number`);
    return ask(model, { ...deed, action: { type: "cancel", signal } });
  }
  if (kind === "nice") {
    const value = Number(text);
    if (!Number.isInteger(value) || Math.abs(value) > NICE_MAX) return told(model, `"${text}" is no nice value`);
    return ask(model, { ...deed, action: { type: "nice", value } });
  }
  if (kind === "priority") {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0 || value > PRIORITY_MAX) return told(model, `"${text}" is no priority`);
    return ask(model, { ...deed, action: { type: "priority", value } });
  }
  const parsed = parseTimeLimit(text.trim());
  if ("problem" in parsed) return told(model, parsed.problem);
  return ask(model, { ...deed, action: { type: "limit", value: parsed.value } });
}

/** Hands the terminal to a session. */
export function attachTo(model: Model, row: Row): Step {
  if (row.state !== "RUNNING") return told(model, `job ${labelOf(row)} does not run: there is nothing to attach to`);
  if (model.isDemo) return told(model, "there is nothing to attach to in a demonstration");
  return { model, effects: [{ type: "attach", label: labelOf(row) }] };
}

function told(model: Model, text: string): Step {
  return { model: { ...model, message: { text, isError: true } }, effects: [] };
}
