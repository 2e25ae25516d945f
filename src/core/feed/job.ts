/** From a line of a feed to the job that it asks for. Pure. */

import { shellWord } from "../../util/shell-word.ts";
import { parseGpuWishes } from "../gres.ts";
import type { JobRequest } from "../jobspec.ts";
import { type ModelTable, modelIn, needOf } from "../models.ts";
import { PRIORITY_NICE } from "../priority-words.ts";
import type { GpuRequest, ResourceRequest } from "../resources.ts";
import type { FeedLine } from "./feed.ts";

/** The batch script of all jobs of all feeds: what runs is its argument. */
export const FEED_SCRIPT = '#!/bin/sh\n# A line of a feed (mgpu feed).\neval "$1"\n';

/** GPUs of a job that says nothing of them, where the configuration says nothing either. */
const GPUS_DEFAULT = "1";

/** How a script is run that is no program itself. */
const INTERPRETERS: readonly (readonly [ending: RegExp, interpreter: string])[] = [
  [/\.py$/, "python"],
  [/\.sh$/, "bash"],
];

/** What a shell is to run for a script with its arguments: a .py by python, a .sh by bash, anything else by itself. */
export function scriptCommand(script: string, args: string): string {
  const interpreter = INTERPRETERS.find(([ending]) => ending.test(script))?.[1];
  const path = interpreter !== undefined || script.includes("/") ? script : `./${script}`;
  const words = [...(interpreter === undefined ? [] : [interpreter]), shellWord(path), args];
  return words.join(" ").trim();
}

/** The file that a line's script is. @param workDir absolute */
export function scriptPath(script: string, workDir: string): string {
  return script.startsWith("/") ? script : `${workDir.replace(/\/+$/, "")}/${script}`;
}

/** GPUs, as `--gpus` takes them, of a program whose words name a model or none: one where nothing else is said. */
export function gpusFor(args: string, models: ModelTable): string {
  return namedModel(args, models)?.gpus ?? models.otherwise ?? GPUS_DEFAULT;
}

/** The model by which a line's GPUs are decided, and how many; `null` where the line or the template says it. */
export function modelOf(
  { request }: JobRequest,
  { gpus, args }: FeedLine,
  models: ModelTable,
): { readonly model: string; readonly gpus: string } | null {
  return gpus !== "" || request.gpus ? null : namedModel(args, models);
}

/** The model that a program's words name, and the GPUs that it needs; `null` where that is not known. */
export function namedModel(args: string, models: ModelTable): { readonly model: string; readonly gpus: string } | null {
  const model = modelIn(args.split(/\s+/));
  const need = model === undefined ? null : needOf(models, model);
  return model === undefined || need === null ? null : { model, gpus: need.gpus };
}

/** The job of a line. @param template what it has in common with the others of its file */
export function feedJob(template: JobRequest, line: FeedLine, models: ModelTable): JobRequest {
  const { script, args, condaEnv, name } = line;
  return {
    ...template,
    name: name || script.replace(/^.*\//, "") || script,
    argv: [scriptPath(script, template.workDir), scriptCommand(script, args)],
    nice: template.nice + PRIORITY_NICE[line.priority],
    ...(condaEnv === "" ? {} : { activation: { kind: "conda", name: condaPath(condaEnv, template.workDir) } }),
    request: lineRequest(template, line, models),
    submitLine: `${template.submitLine} (line ${line.line})`,
  };
}

/** What the lines of a template ask for, by its words: most ask for the same, and what was found out of that holds for all. */
const requests = new WeakMap<ResourceRequest, Map<string, ResourceRequest>>();

/** So many different ones of a template are remembered. */
const REQUESTS_MAX = 1000;

function lineRequest(template: JobRequest, line: FeedLine, models: ModelTable): ResourceRequest {
  const { allowedGpus } = line;
  const gpus = gpuRequest(template, line, models);
  const known = requests.get(template.request) ?? new Map<string, ResourceRequest>();
  requests.set(template.request, known);
  const key = JSON.stringify([gpus.gpus, allowedGpus]);
  const same = known.get(key);
  if (same) return same;
  const request = { ...template.request, ...gpus, ...(allowedGpus.length > 0 ? { gpuAllowed: allowedGpus } : {}) };
  if (known.size >= REQUESTS_MAX) known.clear();
  known.set(key, request);
  return request;
}

/** The line's own word goes above the command's, and that above what its model needs. */
function gpuRequest(
  { request }: JobRequest,
  { gpus, args }: FeedLine,
  models: ModelTable,
): { gpus?: GpuRequest | null } {
  if (gpus === "" && request.gpus) return {};
  const wishes = parseGpuWishes(gpus || gpusFor(args, models));
  if ("problem" in wishes) return {};
  return { gpus: wishes.value.length > 0 ? { per: "job", wishes: wishes.value } : null };
}

function condaPath(name: string, workDir: string): string {
  return name.includes("/") ? scriptPath(name, workDir) : name;
}
