/** mgpu top: the terminal UI, as mgpu-squeue opens it without arguments. */

import { type Command, UserError } from "../context.ts";
import { runCommand } from "../run.ts";

export const command: Command = {
  name: "mgpu top",
  summary: "Show jobs, nodes and GPUs on the whole screen, live; ? lists the keys",
  synopsis: "[OPTIONS...]",
  options: [
    { long: "demo", argument: "none", help: "show a simulated busy cluster: nothing is started, asked or changed" },
    { long: "read-only", argument: "none", help: "look, but change nothing" },
    {
      long: "ascii",
      argument: "none",
      help: "draw with ASCII characters only; so it does where the locale is not UTF-8",
    },
  ],
  operands: "permute",
  examples: ["mgpu top", "mgpu top --read-only", "mgpu top --demo"],
  async run({ values }, context) {
    const { stdio, environment } = context;
    if (!stdio.stdinIsTerminal || !stdio.stdoutIsTerminal || environment.TERM === "dumb") {
      throw new UserError("needs a terminal", "mgpu-squeue and mgpu-sinfo print the same as text");
    }
    const isDemo = values.has("demo");
    const request = { isDemo, isReadOnly: values.has("read-only"), isAscii: values.has("ascii") };
    const code = await context.openTui(request);
    if (code !== 0 || isDemo) return code;
    const { command: squeue } = await import("./squeue.ts");
    return runCommand(squeue, [], { ...context, environment: { ...environment, MGPU_TUI: "never" } });
  },
};
