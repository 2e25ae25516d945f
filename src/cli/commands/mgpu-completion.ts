/** mgpu completion: prints or installs the scripts. */

import { type Command, UserError } from "../context.ts";
import { EXIT_USAGE } from "../usage.ts";

export const command: Command = {
  name: "mgpu completion",
  summary: "Print the completion script for a shell, or install it where shells look for completions",
  synopsis: "[OPTIONS...] bash|zsh|fish | install [bash] [zsh] [fish]",
  options: [
    { long: "system", argument: "none", help: "install for all users of this machine, under /usr/local/share" },
    {
      long: "slurm-names",
      argument: "none",
      help: "install for srun, sbatch ... too, where those are links to mgpu's",
    },
    { long: "remove", argument: "none", help: "remove what install made, instead of installing" },
  ],
  operands: "permute",
  examples: ["mgpu completion install", 'eval "$(mgpu completion bash)"', "mgpu completion install --remove"],
  async run(parsed, context) {
    const [word = "", ...more] = parsed.operands;
    if (word === "install") {
      const { installCompletions } = await import("./completion/install.ts");
      return installCompletions(more, (long) => parsed.values.has(long), context);
    }
    const { scriptPath } = await import("./completion/install.ts");
    const script = scriptPath(word, context);
    if (script === undefined || more.length > 0) {
      throw new UserError("expected the name of a shell, or install", "bash, zsh or fish", EXIT_USAGE);
    }
    const given = [...parsed.values.keys()];
    if (given.length > 0) {
      throw new UserError(`--${given[0]} goes with install`, "mgpu completion install", EXIT_USAGE);
    }
    context.stdio.out(context.files.read(script));
    return 0;
  },
};
