/** mgpu add SCRIPT: a program with its arguments, a priority and the GPUs that it may use: `mgpu-sbatch --wrap`. */

import { gpusFor, namedModel, scriptCommand } from "../../core/feed/job.ts";
import { priorityWord } from "../../core/priority-words.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import { oneWord, runAs, valued } from "../predecessors/verbs.ts";
import { EXIT_USAGE } from "../usage.ts";

export const command: Command = {
  name: "mgpu add",
  summary: "Queue a script with its arguments; a .py runs with python, a .sh with bash",
  synopsis: "[OPTIONS...] SCRIPT",
  options: [
    valued("args", "text", "arguments of the script, as the shell reads them"),
    valued("priority", "0|1|2", "0 is high, 1 normal, 2 low"),
    valued("gpus", "ids", "the GPUs that it may run on, by their indices: 0,2-3; it gets one of them"),
    valued(
      "model",
      "name",
      "as many GPUs as this model needs, instead of what --llm or --model in --args says, or one",
    ),
  ],
  operands: "permute",
  examples: ['mgpu add train.py --args "--epochs 3" --priority 0 --gpus 0,1'],
  async run(parsed, context) {
    const script = oneWord(parsed, "script", 'mgpu add train.py --args "--epochs 3"');
    const wish = lastValue(parsed, "priority") ?? "1";
    const priority = /^[012]$/.test(wish) ? priorityWord(wish) : undefined;
    const problems = priority === undefined ? [`--priority: expected 0, 1 or 2, got "${wish}"`] : [];
    try {
      if (context.files.isFolder(script)) problems.push(`${script}: a folder`);
      else context.files.stat(script);
    } catch {
      problems.push(`${script}: no such file`);
    }
    if (problems.length > 0) throw new UserError(problems, undefined, EXIT_USAGE);
    const [model, allowed, args = ""] = ["model", "gpus", "args"].map((long) => lastValue(parsed, long));
    const argv = [
      model === undefined ? `--gpus=${await gpusOf(args, context)}` : `--model=${model}`,
      ...(allowed === undefined ? [] : [`--allowed-gpus=${allowed}`]),
      ...[`--priority=${priority}`, `--job-name=${script.split("/").at(-1)}`, `--wrap=${scriptCommand(script, args)}`],
    ];
    return runAs(() => import("./sbatch.ts"), argv, context);
  },
};

/** As many as the model needs that the arguments name; what was decided is said. */
async function gpusOf(args: string, context: CommandContext): Promise<string> {
  const { peer } = await context.connect({ start: true });
  const models = await peer.call("models.list", {}).finally(() => peer.close());
  const named = namedModel(args, models);
  if (named) context.stdio.err(`${context.program}: model ${named.model} gets --gpus=${named.gpus}\n`);
  return gpusFor(args, models);
}
