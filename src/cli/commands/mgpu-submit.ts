/** mgpu submit: one string, run by the shell: `mgpu-sbatch --wrap`, or `mgpu-srun` with --interactive. */

import { modelIn } from "../../core/models.ts";
import type { Command, CommandContext } from "../context.ts";
import { UserError } from "../context.ts";
import type { ParsedOptions } from "../option.ts";
import { flagged, oneWord, passOn, runAs, valued } from "../predecessors/verbs.ts";
import { EXIT_USAGE } from "../usage.ts";

/** Of a session, with what they are where nobody says otherwise. */
const SESSION: readonly (readonly [long: string, fallback: string, variable: string])[] = [
  ["session-timeout", "7200", "MGPU_SESSION_TIMEOUT"],
  ["connection-timeout", "30", "MGPU_CONNECTION_TIMEOUT"],
  ["max-wait-time", "300", "MGPU_MAX_WAIT_TIME"],
  ["max-consecutive-timeouts", "30", "MGPU_MAX_CONSECUTIVE_TIMEOUTS"],
];

/** Characters of a command that name its job. */
const NAME_LENGTH = 40;

/** Taken by both. */
const PLACE = ["gpus", "node-gpu-ids", "job-name", "time", "priority"];

export const command: Command = {
  name: "mgpu submit",
  summary: "Queue a command that the shell runs, or run it here with --interactive",
  synopsis: '[OPTIONS...] "command"',
  options: [
    valued("gpus", "count", "so many GPUs; 1 if nothing says how many"),
    flagged("interactive", "run it with this terminal, and wait for its end: mgpu-srun"),
    valued("node-gpu-ids", "node:ids[;...]", 'exactly these GPUs: "node001:0,1;node002:0,1"'),
    valued("job-name", "name", "name of the job"),
    valued("time", "time", "time limit"),
    valued("priority", "value", "priority of the job"),
    valued("session-timeout", "seconds", "with --interactive: end it so long after its start (default 7200)"),
    valued("connection-timeout", "seconds", "with --interactive: give up each attempt to connect then (default 30)"),
    valued(
      "max-wait-time",
      "seconds",
      "with --interactive: say that a job is alive if it is so long quiet (default 300)",
    ),
    valued(
      "max-consecutive-timeouts",
      "count",
      "with --interactive: leave it after so many such silences (default 30)",
    ),
    flagged("exit-on-silence", "with --interactive: leave it at the first such silence"),
  ],
  operands: "permute",
  examples: ['mgpu submit --gpus 2 "python train.py"', 'mgpu submit --interactive "python -i model.py"'],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const text = oneWord(parsed, "command in quotes", 'mgpu submit --gpus 1 "python train.py --epochs 3"');
  const isInteractive = parsed.values.has("interactive");
  const place = [...nameFor(parsed, text), ...gpusFor(parsed, text), ...passOn(parsed, PLACE)];
  if (isInteractive) {
    const argv = [...place, ...sessionOptions(parsed, context), "/bin/sh", "-c", text];
    return runAs(() => import("./srun.ts"), argv, context);
  }
  const idle = [...SESSION.map(([long]) => long), "exit-on-silence"].filter((long) => parsed.values.has(long));
  if (idle.length > 0) {
    const list = idle.map((long) => `--${long}`).join(", ");
    throw new UserError(
      `${list}: only with --interactive`,
      "a queued job has no client that could wait for it; --time limits how long it runs",
      EXIT_USAGE,
    );
  }
  return runAs(() => import("./sbatch.ts"), [...place, `--wrap=${text}`], context);
}

/** Called by its command, as the earlier programs listed it. */
function nameFor({ values }: ParsedOptions, text: string): string[] {
  return values.has("job-name") ? [] : [`--job-name=${text.trim().replace(/\s+/g, " ").slice(0, NAME_LENGTH)}`];
}

/** One GPU, unless the user or the name of a model says how many. */
function gpusFor({ values }: ParsedOptions, text: string): string[] {
  if (values.has("gpus") || values.has("node-gpu-ids")) return [];
  return modelIn(text.split(/\s+/)) === undefined ? ["--gpus=1"] : [];
}

function sessionOptions(parsed: ParsedOptions, { environment }: CommandContext): string[] {
  const unsaid = SESSION.filter(([long, , variable]) => !parsed.values.has(long) && !environment[variable]);
  return [
    ...unsaid.map(([long, fallback]) => `--${long}=${fallback}`),
    ...passOn(parsed, [...SESSION.map(([long]) => long), "exit-on-silence"]),
  ];
}
