/**
 * How many GPUs a language model needs: a table of the configuration, `NAME=GPUS,...`, in which `default_requirement`
 * stands for every other model. The same as the file `llm_config.json` of a predecessor has it.
 */

import { parseGpuWishes } from "./gres.ts";
import { expected, type Parsed } from "./parse.ts";

export interface ModelTable {
  /** GPUs as `--gpus` takes them, by model. */
  readonly models: Readonly<Record<string, string>>;
  /** What a model needs that is not in the table; `null` where nobody knows. */
  readonly otherwise: string | null;
}

export const NO_MODELS: ModelTable = { models: {}, otherwise: null };

const OTHERWISE = "default_requirement";
const MODELS_MAX = 10_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,254}$/;

/** Options of programs that name their model. */
const MODEL_WORD = /^--(?:llm|model)(?:=(.*))?$/s;

/** Whether a text can name a model in the table. */
export function isModelName(text: string): boolean {
  return NAME.test(text);
}

/** Reads `llama-70b=4,mistral=0.5,default_requirement=1`. */
export function parseModels(text: string): Parsed<ModelTable> {
  const models: Record<string, string> = {};
  let otherwise: string | null = null;
  const members = text.split(",").filter((member) => member.trim() !== "");
  if (members.length > MODELS_MAX) return { problem: `more than ${MODELS_MAX} models` };
  for (const member of members) {
    const [, name = "", gpus = ""] = /^\s*(.*?)\s*=\s*([^=]*?)\s*$/.exec(member) ?? [];
    if (!isModelName(name)) return expected("models and their GPUs, such as llama-70b=4", member);
    const wishes = parseGpuWishes(gpus);
    if ("problem" in wishes) return { problem: `${name}: ${wishes.problem}` };
    if (name === OTHERWISE) otherwise = gpus;
    else models[name] = gpus;
  }
  return { value: { models, otherwise } };
}

/** The inverse. */
export function formatModels({ models, otherwise }: ModelTable): string {
  const rows = Object.entries(otherwise === null ? models : { ...models, [OTHERWISE]: otherwise });
  return rows.map(([name, gpus]) => `${name}=${gpus}`).join(",");
}

/**
 * What a model needs: by its name, else by its name without regard to case, else without the folder or the owner before
 * it (`meta-llama/Llama-3-8B`).
 * @returns the entry that says so, `null` in place of its name for the one of all others; `null` if there is none
 */
export function needOf(
  { models, otherwise }: ModelTable,
  model: string,
): { readonly entry: string | null; readonly gpus: string } | null {
  const names = Object.keys(models);
  const lower = model.replace(/\/+$/, "").toLowerCase();
  const last = lower.slice(lower.lastIndexOf("/") + 1);
  const entry =
    names.find((name) => name === model) ??
    names.find((name) => name.toLowerCase() === lower) ??
    names.find((name) => name.toLowerCase() === last);
  if (entry !== undefined) return { entry, gpus: models[entry] as string };
  return otherwise === null ? null : { entry: null, gpus: otherwise };
}

/** The model that a program's words name, `--llm NAME` or `--model=NAME`; the last of several. */
export function modelIn(words: readonly string[]): string | undefined {
  return words
    .map((word, at) => {
      const match = MODEL_WORD.exec(word);
      return match ? (match[1] ?? words[at + 1]) : undefined;
    })
    .findLast((name) => name !== undefined && name !== "" && !name.startsWith("-"));
}
