/**
 * GPUs by the name of a model: `--model NAME`, or what the program's own words name with `--llm` or `--model` where
 * nobody asked for GPUs. What was decided is said.
 */

import { parseGpuWishes } from "../core/gres.ts";
import { type ModelTable, modelIn, needOf } from "../core/models.ts";
import { isSlurmName } from "./connect.ts";
import { type CommandContext, UserError } from "./context.ts";
import { asksForGpus, asksForMemoryAlone } from "./jobspec-gpus.ts";
import type { Wishes } from "./options/reading.ts";

/** The variable that tells a program within a job that it is. */
const INSIDE = "SLURM_JOB_ID";

/**
 * Wishes with the GPUs of their model.
 * @param words the program's own
 * @throws UserError for a model that --model names and nobody knows
 */
export async function withModel(wishes: Wishes, words: readonly string[], context: CommandContext): Promise<Wishes> {
  const { values } = wishes;
  const named = values.model;
  const asks = asksForGpus(values) || asksForMemoryAlone(values) || values["node-gpu-ids"] !== undefined;
  const model = named ?? (asks || !mayGuess(wishes, context) ? undefined : modelIn(words));
  if (model === undefined) return wishes;
  if (asks) {
    say(`the options for GPUs go above --model ${model}`, wishes, context);
    return wishes;
  }
  const table = await tableOf(context);
  const need = needOf(table, model);
  if (need === null) {
    if (named === undefined) return wishes;
    const known = Object.keys(table.models);
    const hint =
      known.length === 0
        ? "the configuration of the controller has no models: section; mgpu config sample shows one"
        : `known are ${known.join(", ")}; models: of the controller's configuration lists them`;
    throw new UserError(`${wishes.place("model")}: nobody knows how many GPUs ${model} needs`, hint);
  }
  const gpus = parseGpuWishes(need.gpus);
  if ("problem" in gpus) throw new UserError(`models: ${model}: ${gpus.problem}`);
  const why = need.entry === null ? "default_requirement" : need.entry;
  say(`model ${model} gets --gpus=${need.gpus} (models: ${why}; any option for GPUs goes above it)`, wishes, context);
  return { ...wishes, values: { ...values, gpus: gpus.value } };
}

/** A step within a job has what the job has, and Slurm guesses nothing. */
function mayGuess({ submitter }: Wishes, { program, environment }: CommandContext): boolean {
  return !isSlurmName(program) && !(submitter === "srun" && environment[INSIDE]);
}

async function tableOf(context: CommandContext): Promise<ModelTable> {
  const { peer } = await context.connect({ start: true });
  try {
    return await peer.call("models.list", {});
  } finally {
    peer.close();
  }
}

function say(text: string, { values }: Wishes, { program, stdio }: CommandContext): void {
  if (!values.quiet) stdio.err(`${program}: ${text}\n`);
}
