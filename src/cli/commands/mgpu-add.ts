/** mgpu add SCRIPT: a program with its arguments, a priority and the GPUs that it may use: `mgpu-sbatch --wrap`. */

import { shellWord } from "../../util/shell-word.ts";
import { type Command, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import { EXIT_USAGE, oneWord, runAs, valued } from "../predecessors/verbs.ts";

/** Priorities as numbers, the first goes first. */
const PRIORITIES: readonly (string | undefined)[] = ["high", "normal", "low"];

/** How a script is run that is no program itself. */
const INTERPRETERS: readonly (readonly [ending: RegExp, interpreter: string])[] = [
  [/\.py$/, "python"],
  [/\.sh$/, "bash"],
];

export const command: Command = {
  name: "mgpu add",
  summary: "Queue a script with its arguments; a .py runs with python, a .sh with bash",
  synopsis: "[OPTIONS...] SCRIPT",
  options: [
    valued("args", "text", "arguments of the script, as the shell reads them"),
    valued("priority", "0|1|2", "0 is high, 1 normal, 2 low"),
    valued("gpus", "ids", "the GPUs that it may run on, by their indices: 0,2-3; it gets one of them"),
    valued("model", "name", "as many GPUs as this model needs, instead of one"),
  ],
  operands: "permute",
  examples: ['mgpu add train.py --args "--epochs 3" --priority 0 --gpus 0,1'],
  async run(parsed, context) {
    const script = oneWord(parsed, "script", 'mgpu add train.py --args "--epochs 3"');
    const wish = lastValue(parsed, "priority") ?? "1";
    const priority = /^[012]$/.test(wish) ? PRIORITIES[Number(wish)] : undefined;
    const problems = priority === undefined ? [`--priority: expected 0, 1 or 2, got "${wish}"`] : [];
    try {
      if (context.files.isFolder(script)) problems.push(`${script}: a folder`);
      else context.files.stat(script);
    } catch {
      problems.push(`${script}: no such file`);
    }
    if (problems.length > 0) throw new UserError(problems, undefined, EXIT_USAGE);
    const [model, allowed, args = ""] = ["model", "gpus", "args"].map((long) => lastValue(parsed, long));
    const interpreter = INTERPRETERS.find(([ending]) => ending.test(script))?.[1];
    const path = interpreter !== undefined || script.includes("/") ? script : `./${script}`;
    const words = [...(interpreter === undefined ? [] : [interpreter]), shellWord(path), args];
    const argv = [
      ...(model === undefined ? ["--gpus=1"] : [`--model=${model}`]),
      ...(allowed === undefined ? [] : [`--allowed-gpus=${allowed}`]),
      ...[`--priority=${priority}`, `--job-name=${script.split("/").at(-1)}`, `--wrap=${words.join(" ").trim()}`],
    ];
    return runAs(() => import("./sbatch.ts"), argv, context);
  },
};
