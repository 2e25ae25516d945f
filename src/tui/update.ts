/** What each message does to the model, and what is to be done about it. Pure. */

import { parseFilter } from "./filter.ts";
import { addSamples } from "./gpus.ts";
import { type LogState, type Message, type Model, moveTo, relist, type Step } from "./model.ts";
import { takePast } from "./past.ts";
import { pressKey } from "./update-keys.ts";

/** Lines of an output that are kept. */
const LOG_LINES_MAX = 5000;

/** One step. */
export function update(model: Model, message: Message): Step {
  if (message.type === "key") return pressKey({ ...model, message: null }, message.key);
  return { model: told(model, message), effects: [] };
}

function told(model: Model, message: Exclude<Message, { type: "key" }>): Model {
  switch (message.type) {
    case "size":
      return moveTo({ ...model, columns: message.columns, rows: message.rows }, model.cursor);
    case "tick":
      return { ...model, nowMs: message.nowMs };
    case "jobs":
      return takeJobs(model, message);
    case "nodes":
      return takeNodes(model, message);
    case "trouble":
      return { ...model, trouble: message.text };
    case "told":
      return { ...model, message: { text: message.text, isError: message.isError } };
    case "detail":
      if (model.detail?.jobId !== message.jobId) return model;
      return { ...model, detail: { ...model.detail, lines: message.text.trimEnd().split("\n") } };
    case "past":
      return takePast(model, message);
    case "log":
      return model.log?.jobId === message.jobId ? { ...model, log: takeLog(model.log, message) } : model;
  }
}

function takeNodes(model: Model, { isReset, nodes, gone }: Extract<Message, { type: "nodes" }>): Model {
  const known = new Map(isReset ? [] : model.nodes.map((node) => [node.name, node]));
  for (const name of gone) known.delete(name);
  for (const node of nodes) known.set(node.name, node);
  const before = new Map(model.nodes.map((node) => [node.name, node]));
  const sorted = [...known.values()].sort((a, b) => compareNames(a.name, b.name));
  return { ...model, nodes: sorted, samples: addSamples(model.samples, before, nodes) };
}

/** node2 before node10. */
function compareNames(a: string, b: string): number {
  const number = (name: string): number => Number(/(\d+)$/.exec(name)?.[1] ?? -1);
  const stem = (name: string): string => name.replace(/\d+$/, "");
  if (stem(a) !== stem(b)) return stem(a) < stem(b) ? -1 : 1;
  return number(a) - number(b);
}

function takeJobs(model: Model, message: Extract<Message, { type: "jobs" }>): Model {
  const jobs = new Map(message.isReset ? [] : model.jobs);
  for (const row of message.rows) jobs.set(row.id, row);
  for (const id of message.gone) jobs.delete(id);
  const next = { ...model, jobs, nowMs: message.nowMs, trouble: "" };
  // A list of many thousands is made once, when all of it is there.
  if (message.isPartial) return next;
  const isSame = message.rows.length === 0 && message.gone.length === 0 && !message.isReset;
  return isSame ? next : relist({ ...next, isLoaded: true }, parseFilter(model.filterText));
}

function takeLog(log: LogState, { isReset, text, path, problem }: Extract<Message, { type: "log" }>): LogState {
  const known = isReset ? [] : log.lines;
  const parts = text.split("\n");
  const joined =
    text === "" ? known : [...known.slice(0, -1), (known.at(-1) ?? "") + (parts[0] ?? ""), ...parts.slice(1)];
  const dropped = Math.max(0, joined.length - LOG_LINES_MAX);
  const lines = dropped > 0 ? joined.slice(dropped) : joined;
  return { ...log, lines, path, problem, top: Math.max(0, (isReset ? 0 : log.top) - dropped) };
}
