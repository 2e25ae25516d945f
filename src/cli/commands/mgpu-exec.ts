/** mgpu exec: runs a command inside a running job, beside what runs there: `mgpu-srun --jobid N --overlap COMMAND`. */

import { type Command, UserError } from "../context.ts";
import { parseJobTarget } from "../filters.ts";
import { runCommand } from "../run.ts";
import { EXIT_USAGE } from "../usage.ts";

export const command: Command = {
  name: "mgpu exec",
  summary: "Run a command inside a running job, with the GPUs and files that it sees",
  synopsis: "[OPTIONS...] JOB COMMAND [ARGS...]",
  options: [
    { long: "pty", argument: "none", help: "give it a terminal, also where mgpu-srun would not" },
    { long: "no-pty", argument: "none", help: "give it none, also where mgpu-srun would" },
    { long: "nodelist", short: "w", argument: "required", metavar: "node", help: "run it on this node of the job" },
  ],
  operands: "stop",
  examples: ["mgpu exec 12 nvidia-smi", "mgpu exec 12 bash", "mgpu exec -w n2 12 htop"],
  async run({ values, operands: [job, ...argv] }, context) {
    const target = job === undefined ? undefined : parseJobTarget(job);
    const problems: string[] = [];
    if (job === undefined) problems.push("which job? Give its number");
    else if (!target || target.step !== null || target.tasks !== null) problems.push(`"${job}" is no job's number`);
    if (job !== undefined && argv.length === 0) problems.push("what is to be run? Give a command, for instance: bash");
    if (problems.length > 0 || !target) {
      throw new UserError(problems, `${context.program} --help shows what it takes`, EXIT_USAGE);
    }
    const { command: srun } = await import("./srun.ts");
    const node = values.get("nodelist")?.at(-1);
    const options = [
      ...["--jobid", String(target.jobId), "--overlap", "-n1", "-N1"],
      ...(node === undefined ? [] : ["-w", node]),
      ...(["pty", "no-pty"] as const).filter((long) => values.has(long)).map((long) => `--${long}`),
    ];
    return runCommand(srun, [...options, ...argv], context);
  },
};
