/**
 * Sessions on a cluster of Slurm's: `mgpu-srun --pty` whose program can be left and come back to, and mgpu-sattach to it. All
 * else that these two do there is Slurm's own.
 */

import type { StartedSession } from "../backend/slurm/start-session.ts";
import { DEFAULT_PREFIX, parseDetachKey } from "./attach/detach-keys.ts";
import { followJob } from "./attach/session.ts";
import type { SessionPlan } from "./attach/session-plan.ts";
import { isSlurmName } from "./connect.ts";
import { type CommandContext, UserError } from "./context.ts";
import { jobFilter, type OptionReader, optionReader, parseJobTarget } from "./filters.ts";
import type { HandOverOrder } from "./hand-over.ts";
import { submitOptions } from "./options/submit.ts";
import type { SlurmHandOver } from "./slurm.ts";

/** Slurm starts a batch job within that time, if at all, where there is room for it. */
const IMMEDIATE_S = 10;

/** A terminal that does not say how large it is. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

/** Whether an srun is to be a session of mgpu's, rather than Slurm's own. Under Slurm's names all is as Slurm has it. */
export function isSession({ command, parsed }: HandOverOrder, context: CommandContext): boolean {
  const { values, operands } = parsed;
  const { stdinIsTerminal, stdoutIsTerminal } = context.stdio;
  if (command.name !== "srun" || isSlurmName(context.program)) return false;
  if (!values.has("pty") || values.has("no-pty") || !stdinIsTerminal || !stdoutIsTerminal) return false;
  // Of several programs, and of what is only tried, there is no session.
  const isOne = operands.length > 0 && !operands.includes(":") && !values.has("test-only");
  return isOne && optionReader("srun", command.options, parsed, context).last("on-disconnect") !== "kill";
}

/** Whether an sattach means a session of mgpu's: a job alone can mean nothing else. */
export function isOwnAttachment(
  slurm: SlurmHandOver,
  { command, parsed }: HandOverOrder,
  { program }: CommandContext,
): boolean {
  if (command.name !== "sattach" || isSlurmName(program)) return false;
  const [word = "", ...more] = parsed.operands;
  const target = parseJobTarget(word);
  if (!target || more.length > 0 || target.tasks !== null || typeof target.step === "string") return false;
  return target.step === null || slurm.hasSession(target.jobId, target.step);
}

/** Runs a program in a session. @returns its exit code @throws UserError */
export async function runSession(slurm: SlurmHandOver, order: HandOverOrder, context: CommandContext): Promise<number> {
  const { command, parsed } = order;
  const options = optionReader("srun", command.options, parsed, context);
  const size = context.session.terminal.size() ?? DEFAULT_SIZE;
  const plan = planOf(options, size);
  const started = await start(slurm, order, { size, inactivityS: inactivityOf(options) }, context);
  for (const note of plan.quiet ? [] : started.notes) context.stdio.err(`${context.program}: ${note}\n`);
  const { jobId, stepId } = started;
  let hasBegun = false;
  const watched: CommandContext = {
    ...context,
    session: {
      ...context.session,
      connectHolder: async (point) => {
        const connected = await context.session.connectHolder(point);
        hasBegun = true;
        return connected;
      },
    },
  };
  const code = await followJob({ ...plan, jobId, stepId }, await context.connect(), watched, []);
  if (hasBegun) return code;
  const complaints = started.complaints();
  for (const line of complaints) context.stdio.err(`${context.program}: error: ${line}\n`);
  if (complaints.length === 0 && (await hasFailed(jobId, context))) {
    const hint = `sessions need a state folder that the nodes share: is ${context.places.home} the same there? MGPU_HOME names another`;
    context.stdio.err(`${context.program}: hint: ${hint}\n`);
  }
  return code;
}

/** Whether a job came to its node, and nothing of it could even be written there. */
async function hasFailed(jobId: number, context: CommandContext): Promise<boolean> {
  const { peer } = await context.connect();
  let state = "";
  await peer.stream("jobs.get", { filter: jobFilter({ ids: [jobId] }) }, ({ jobs: [first] }) => {
    state = first?.job.state ?? state;
  });
  return state === "FAILED";
}

/** Ctrl-C before the session begins: nothing of it is to stay. */
async function start(
  slurm: SlurmHandOver,
  { command, argv, profile }: HandOverOrder,
  wish: { readonly size: typeof DEFAULT_SIZE; readonly inactivityS: number | null },
  context: CommandContext,
): Promise<StartedSession> {
  const { name, options } = command;
  const stop = new AbortController();
  const signals = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) =>
    context.session.onSignal(signal, () => stop.abort()),
  );
  const order = { name, argv, options, stops: true, profile, script: null, environment: context.environment };
  const events = {
    say: (line: string) => context.stdio.err(`${context.program}: ${line}\n`),
    signal: stop.signal,
  };
  try {
    return await slurm.startSession({ ...order, ...wish, batchOptions: submitOptions("sbatch") }, events);
  } finally {
    for (const undo of signals) undo();
  }
}

function planOf(options: OptionReader, size: typeof DEFAULT_SIZE): Omit<SessionPlan, "jobId" | "stepId"> {
  const keyText = options.last("detach-keys");
  const detachKey = keyText === undefined ? DEFAULT_PREFIX : parseDetachKey(keyText);
  if (detachKey === undefined) {
    throw new UserError(`--detach-keys: expected a key such as ctrl-\\ or ctrl-a, or none, got "${keyText}"`);
  }
  const immediate = options.last("immediate");
  return {
    ...{ tasks: 1, label: false, silence: null, warnsBeforeEnd: false, ownsJob: true, onDisconnect: "detach" },
    terminal: { size, mode: "write", scrollback: 0, fromStart: true, detachKey },
    ...{ isReasonStreamed: false, input: null, quiet: options.isGiven("quiet"), verbose: options.isGiven("verbose") },
    ...{ lastTasks: { killOnBadExit: false, waitS: 0 }, interrupt: "status" },
    immediateS: immediate === undefined ? null : Math.max(IMMEDIATE_S, Number(immediate) || 0),
  };
}

function inactivityOf(options: OptionReader): number | null {
  const text = options.last("inactivity-timeout");
  if (text === undefined) return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UserError(`--inactivity-timeout: expected a number of seconds, got "${text}"`);
}
