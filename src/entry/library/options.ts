/** From the options of a library call to the words of a command line, with every wrong type told. */

import { nearest } from "../../util/nearest.ts";
import { shellWord } from "../../util/shell-word.ts";
import { type JobOptions, type JobRequest, MgpuError } from "./api.ts";

type Kind = "amount" | "text" | "flag";

/** Long options by the library's names. */
const OPTIONS: Readonly<Record<Exclude<keyof JobOptions, "environment" | "options">, readonly [string, Kind]>> = {
  gpus: ["gpus", "amount"],
  model: ["model", "text"],
  nodeGpuIds: ["node-gpu-ids", "text"],
  allowedGpus: ["allowed-gpus", "text"],
  cpus: ["cpus-per-task", "amount"],
  tasks: ["ntasks", "amount"],
  nodes: ["nodes", "amount"],
  memory: ["mem", "amount"],
  time: ["time", "amount"],
  name: ["job-name", "text"],
  partition: ["partition", "text"],
  account: ["account", "text"],
  qos: ["qos", "text"],
  priority: ["priority", "amount"],
  array: ["array", "text"],
  dependency: ["dependency", "text"],
  condaEnv: ["conda-env", "text"],
  venv: ["venv", "text"],
  retries: ["retries", "amount"],
  output: ["output", "text"],
  error: ["error", "text"],
  hold: ["hold", "flag"],
  comment: ["comment", "text"],
  notify: ["notify", "text"],
  cwd: ["chdir", "text"],
};

const EXPECTED: Readonly<Record<Kind, string>> = {
  amount: "a number or a text",
  text: "a text",
  flag: "true or false",
};

const KNOWN = ["command", "environment", "options", ...Object.keys(OPTIONS)];

/** What of a request a command line can say, and the variables besides. */
export interface RequestWords {
  /** `--gpus=2` ... */
  readonly options: readonly string[];
  /** A program with its arguments. */
  readonly program: readonly string[];
  /** The same as a line for the shell. */
  readonly line: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** @throws MgpuError with every problem */
export function requestWords(request: JobRequest): RequestWords {
  if (!isRecord(request)) throw new MgpuError([`expected an object with a command, got ${kindOf(request)}`]);
  const problems: string[] = [];
  const words: string[] = [];
  const add = (label: string, long: string, kind: Kind | "any", value: unknown): void => {
    const text = textOf(kind, value);
    if (text === null)
      problems.push(`${label}: expected ${EXPECTED[kind === "any" ? "amount" : kind]}, got ${kindOf(value)}`);
    else if (text.includes("\0")) problems.push(`${label}: it has a zero byte`);
    else if (value === true) words.push(`--${long}`);
    else if (value !== false) words.push(`--${long}=${text}`);
  };
  for (const [key, value] of Object.entries(request)) {
    const option = Object.hasOwn(OPTIONS, key) ? OPTIONS[key as keyof typeof OPTIONS] : undefined;
    if (value === undefined || key === "command") continue;
    if (option) add(key, option[0], option[1], value);
    else if (!KNOWN.includes(key)) problems.push(unknownText(key));
    else if (!isRecord(value)) problems.push(`${key}: expected an object, got ${kindOf(value)}`);
    else if (key === "options")
      for (const [long, one] of Object.entries(value)) add(`options.${long}`, long, "any", one);
  }
  const { program, line, problem } = commandOf(request.command);
  const environment = isRecord(request.environment) ? request.environment : {};
  for (const [name, value] of Object.entries(environment)) {
    if (typeof value !== "string") problems.push(`environment.${name}: expected a text, got ${kindOf(value)}`);
  }
  if (problem !== "") problems.push(problem);
  if (problems.length > 0) throw new MgpuError(problems);
  return { options: words, program, line, environment };
}

/** Job numbers of a call. @throws MgpuError for anything else */
export function jobIds(value: unknown): readonly number[] {
  const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
  const wrong = ids.filter((id) => !Number.isSafeInteger(id) || Number(id) < 1);
  if (ids.length > 0 && wrong.length === 0) return ids as readonly number[];
  throw new MgpuError([`expected the number of a job, got ${wrong.length > 0 ? kindOf(wrong[0]) : "an empty array"}`]);
}

function commandOf(command: unknown): {
  readonly program: readonly string[];
  readonly line: string;
  readonly problem: string;
} {
  const none = { program: [], line: "" };
  if (typeof command === "string") {
    const problem =
      command.trim() === "" ? "command: it is empty" : command.includes("\0") ? "command: it has a zero byte" : "";
    return { program: ["/bin/sh", "-c", command], line: command, problem };
  }
  if (!Array.isArray(command))
    return { ...none, problem: `command: expected a text or an array of texts, got ${kindOf(command)}` };
  const wrong = command.find((word) => typeof word !== "string" || word.includes("\0"));
  if (wrong !== undefined) return { ...none, problem: `command: expected an array of texts, one is ${kindOf(wrong)}` };
  if (command.length === 0 || command[0] === "") return { ...none, problem: "command: it is empty" };
  return { program: command, line: command.map(shellWord).join(" "), problem: "" };
}

function textOf(kind: Kind | "any", value: unknown): string | null {
  if (typeof value === "string") return kind === "flag" ? null : value;
  if (typeof value === "boolean") return kind === "flag" || kind === "any" ? String(value) : null;
  return typeof value === "number" && Number.isFinite(value) && (kind === "amount" || kind === "any")
    ? String(value)
    : null;
}

function unknownText(key: string): string {
  const guess = nearest(key, KNOWN);
  return `${key}: there is no such option; ${guess === undefined ? "options: {...} takes any long option" : `did you mean ${guess}?`}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a value is, in words. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
