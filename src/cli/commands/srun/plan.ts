/** What the components of an srun are to run, as far as their options tell: programs, environments, the terminal. */

import type { PtySpec, TaskProgram } from "../../../core/jobspec.ts";
import { errnoText } from "../../../util/errno.ts";
import { isSlurmName } from "../../connect.ts";
import type { CommandContext } from "../../context.ts";
import { baseName, type StepFacts } from "../../jobspec.ts";
import { parseMultiProgram } from "../../multi-prog.ts";
import type { ParsedOptions } from "../../option.ts";
import type { Wishes } from "../../options/reading.ts";
import { submissionEnvironment } from "../../options/submission-environment.ts";
import type { SubmitValues } from "../../options/submit.ts";

/** What is to run, checked as far as it can be here. */
export interface Plan {
  readonly wishes: Wishes;
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** A terminal that does not say how large it is. */
const DEFAULT_SIZE: PtySpec = { columns: 80, rows: 24 };

/** What each component is to run, as far as its wishes tell, with what is wrong so far; one to a component of `typed`. */
export async function planAll(
  wishes: readonly Wishes[],
  typed: readonly ParsedOptions[],
  context: CommandContext,
): Promise<readonly { readonly plan: Plan; readonly facts: StepFacts }[]> {
  const isAlone = wishes.length === 1;
  return Promise.all(
    wishes.map(async (read, at) => {
      const own = withoutForeignKeys(read, context);
      const operands = typed[at]?.operands ?? [];
      const [program = ""] = operands;
      const multi = readPrograms(own, operands, context);
      const { environment, problems, warnings } = await submissionEnvironment(own, context);
      const pty = isAlone ? terminalFor(own, context) : null;
      const noPty = !isAlone && own.values.pty ? ["--pty: one task can have the terminal, not several components"] : [];
      const plan: Plan = {
        ...{ wishes: own, program, environment: unbuffered(environment, own.values, pty), warnings },
        problems: [...own.problems, ...multi.problems, ...problems, ...noPty, ...terminalProblems(own, pty)],
      };
      return { plan, facts: { defaultName: baseName(program), argv: operands, pty, programs: multi.programs } };
    }),
  );
}

/** What is typed while we are in the background is the shell's: the tasks get no input unless told where from. */
function withoutForeignKeys(wishes: Wishes, { stdio, session }: CommandContext): Wishes {
  const { values } = wishes;
  if (values.input !== undefined || values.pty || !stdio.stdinIsTerminal) return wishes;
  return session.terminal.isForeground() ? wishes : { ...wishes, values: { ...values, input: "none" } };
}

/** --multi-prog: the first operand is the file, the others are arguments of every program. */
function readPrograms(
  { values, inherited }: Wishes,
  [file = "", ...extra]: readonly string[],
  { files }: CommandContext,
): { readonly programs: readonly TaskProgram[]; readonly problems: readonly string[] } {
  if (!values["multi-prog"]) return { programs: [], problems: [] };
  try {
    const text = new TextDecoder().decode(files.read(file));
    return parseMultiProgram(text, file, values.ntasks ?? inherited.ntasks ?? null, extra);
  } catch (error) {
    return {
      programs: [],
      problems: [`--multi-prog: Could not open multi_prog config file ${file}: ${errnoText(error)}`],
    };
  }
}

/** The terminal of the task: asked for, or under mgpu's name where one task is run from a terminal. */
function terminalFor({ values, inherited }: Wishes, context: CommandContext): PtySpec | null {
  const { stdio, session, program } = context;
  if (values["no-pty"]) return null;
  if (values.pty && !stdio.stdinIsTerminal) {
    context.stdio.err(`${program}: error: Not using a pseudo-terminal, disregarding --pty option\n`);
    return null;
  }
  const all = { ...inherited, ...values };
  const hasOwnStreams = [values.output, values.error, values.input].some((value) => value !== undefined);
  const isNatural =
    !isSlurmName(program) &&
    // Of a job that was only named it is not known how many tasks it makes.
    (all.ntasks ?? (values.jobid === undefined ? 1 : 0)) === 1 &&
    (all.nodes?.min ?? 1) === 1 &&
    (all["ntasks-per-node"] ?? 1) === 1 &&
    stdio.stdinIsTerminal &&
    stdio.stdoutIsTerminal &&
    !hasOwnStreams &&
    !values["multi-prog"] &&
    !values.label;
  if (!values.pty && !isNatural) return null;
  const inactivityS = values["inactivity-timeout"];
  return { ...(session.terminal.size() ?? DEFAULT_SIZE), ...(inactivityS === undefined ? {} : { inactivityS }) };
}

function terminalProblems({ values }: Wishes, pty: PtySpec | null): string[] {
  if (pty === null || !values.pty) return [];
  const problems: string[] = [];
  const { ntasks = 1 } = values;
  if (ntasks > 1) problems.push(`--pty: one task can have the terminal, got --ntasks=${ntasks}`);
  for (const long of ["output", "error", "input", "label", "multi-prog"] as const) {
    if (values[long] !== undefined) problems.push(`--${long} can't be used with --pty`);
  }
  return problems;
}

/** Through a pipe Python would keep its output until it has kilobytes of it. */
function unbuffered(
  environment: Readonly<Record<string, string>>,
  values: SubmitValues,
  pty: PtySpec | null,
): Readonly<Record<string, string>> {
  if (pty !== null || values.export?.all === false) return environment;
  return { PYTHONUNBUFFERED: "1", ...environment };
}
