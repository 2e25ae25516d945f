/**
 * sattach: comes back to a session with a terminal, whose screen is shown as it is; or looks on at the tasks of any
 * other step that runs, from now on, beside the srun that started it.
 */

import type { StepId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { PtySpec } from "../../core/jobspec.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { AttachPoint, Item, Result } from "../../protocol/procedures.ts";
import type { Connected, Peer } from "../../rpc/types.ts";
import { DEFAULT_PREFIX, parseDetachKey } from "../attach/detach-keys.ts";
import { ExitReport } from "../attach/exit-report.ts";
import { forwardInput, type InputTaker } from "../attach/input.ts";
import { createRelay } from "../attach/relay.ts";
import { followJob } from "../attach/session.ts";
import type { SessionPlan } from "../attach/session-plan.ts";
import { sessionsOf } from "../attach/sessions.ts";
import { createSpeaker } from "../attach/speaker.ts";
import { Tasks } from "../attach/tasks.ts";
import type { TerminalPlan } from "../attach/terminal-view.ts";
import { connectAsSlurm, isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { jobFilter, type OptionReader, optionReader, parseJobTarget } from "../filters.ts";
import type { Option, ParsedOptions } from "../option.ts";

const OPTIONS: readonly Option[] = [
  {
    long: "error-filter",
    argument: "required",
    metavar: "task",
    help: "show only this task's stderr",
  },
  {
    long: "input-filter",
    argument: "required",
    metavar: "task",
    help: "what is typed is for this task only, and not for all",
  },
  { long: "label", short: "l", argument: "none", help: "put its task's number before each line" },
  { long: "layout", argument: "none", help: "show which tasks run where, and end" },
  {
    long: "output-filter",
    argument: "required",
    metavar: "task",
    help: "show only this task's stdout",
  },
  {
    long: "detach-keys",
    argument: "required",
    metavar: "key",
    help: 'key before d (detach), k (kill), ? (help) in a session: ctrl-\\ (default), ctrl-a ..., or "none"',
    variables: { sattach: "MGPU_DETACH_KEYS" },
  },
  { long: "pty", argument: "none", help: "no effect: a step with a terminal is attached to that" },
  { long: "read-only", short: "r", argument: "none", help: "look on at a session, without typing" },
  { long: "steal", argument: "none", help: "take a session over from whoever is attached to it" },
  { long: "quiet", short: "Q", argument: "none", help: "say nothing but errors" },
  { long: "usage", short: "u", argument: "none", help: "show a short reminder of the usage" },
  { long: "verbose", short: "v", argument: "none", help: "no effect: there is no more to say" },
];

const FILTERS = ["input-filter", "output-filter", "error-filter"] as const;

/** Lines above the screen that come with it: what the holder keeps at most. */
const SCROLLBACK_LINES = 1_000;

/** Bytes of a random name, by which a step tells our input from that of others. */
const CLIENT_ID_BYTES = 8;

export const command: Command = {
  name: "sattach",
  summary: "Come back to a session with a terminal, or look on at the tasks of a step that runs",
  synopsis: "[OPTIONS...] job_id[.step_id]",
  options: OPTIONS,
  operands: "permute",
  examples: [
    "mgpu-sattach 12",
    "mgpu-sattach --read-only 12",
    "mgpu-sattach 12.0",
    "mgpu-sattach --label 12.0",
    "mgpu-sattach --layout 12.0",
  ],
  run,
};

interface Plan {
  readonly jobId: number;
  /** `null` for the job's session with a terminal. */
  readonly stepId: StepId | null;
  readonly mode: TerminalPlan["mode"];
  readonly detachKey: number | null;
  readonly filters: Readonly<Record<(typeof FILTERS)[number], number | null>>;
  readonly label: boolean;
  readonly layout: boolean;
  readonly quiet: boolean;
}

/** A step's parts, and how many tasks they have. */
interface Layout {
  readonly points: readonly AttachPoint[];
  readonly nodeList: string;
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const plan = readPlan(parsed, context);
  const complaint = `${context.program}: error: Could not get job step info`;
  const connected = await connectAsSlurm(context, complaint);
  if (connected === null) return 1;
  const { peer } = connected;
  try {
    const session = plan.layout ? null : await findSession(peer, plan);
    if (session) return await resumeSession(session, plan, connected, context);
    const stepId = plan.stepId ?? 0;
    const layout = await findLayout(peer, plan.jobId, stepId);
    if (!plan.layout) {
      peer.close();
      return await attach({ ...plan, stepId }, layout, context);
    }
    context.stdio.out(layoutText(layout));
    return 0;
  } finally {
    peer.close();
  }
}

function nameOf(jobId: number, stepId: StepId | null): string {
  return stepId === null ? String(jobId) : `${jobId}.${stepId}`;
}

function readPlan(parsed: ParsedOptions, context: CommandContext): Plan {
  const options = optionReader("sattach", OPTIONS, parsed, context);
  const problems: string[] = [];
  const [word, ...more] = parsed.operands;
  if (word === undefined) problems.push("No job step ID specified.");
  if (more.length > 0) problems.push("sattach takes only a single job step ID as input");
  const target = word === undefined ? undefined : parseJobTarget(word);
  const step = target?.step ?? null;
  const isStep = target !== undefined && target.tasks === null && step !== "extern" && step !== "interactive";
  // Slurm's own wants a step's number in any case.
  const isNamed = step !== null || !isSlurmName(context.program);
  if (word !== undefined && (!isStep || !isNamed)) problems.push(`"${word}" does not look like a jobid.stepid`);
  const filters = readFilters(options, problems);
  const keyText = options.last("detach-keys");
  const detachKey = keyText === undefined ? DEFAULT_PREFIX : parseDetachKey(keyText);
  if (detachKey === undefined) {
    problems.push(`--detach-keys: expected a key such as ctrl-\\ or ctrl-a, or none, got "${keyText}"`);
  }
  const [reads, steals] = [options.isGiven("read-only"), options.isGiven("steal")];
  if (reads && steals) problems.push("--read-only and --steal can't be used together");
  if (problems.length > 0 || !isStep)
    throw new UserError(problems, word === undefined ? "mgpu screens lists what can be attached" : undefined);
  return {
    ...{ jobId: target.jobId, stepId: step, filters, detachKey: detachKey ?? null },
    mode: reads ? "read" : steals ? "steal" : "write",
    ...{ label: options.isGiven("label"), layout: options.isGiven("layout"), quiet: options.isGiven("quiet") },
  };
}

function readFilters(options: OptionReader, problems: string[]): Plan["filters"] {
  const filters: Record<string, number | null> = {};
  for (const long of FILTERS) {
    const text = options.last(long);
    filters[long] = text !== undefined && /^\d{1,7}$/.test(text) ? Number(text) : null;
    if (text !== undefined && filters[long] === null) {
      problems.push(`--${long}: expected a task's number, got "${text}"`);
    }
  }
  return filters as Plan["filters"];
}

/** A step with a terminal. */
interface TerminalStep {
  readonly stepId: StepId;
  readonly size: PtySpec;
}

/**
 * The step with a terminal that is meant: the one that was named, or the job's newest.
 * @returns `null` if the named step has none
 * @throws UserError for a job without any
 */
async function findSession(peer: Peer, { jobId, stepId }: Plan): Promise<TerminalStep | null> {
  let job: Job | null = null;
  await peer.stream("jobs.get", { filter: jobFilter({ ids: [jobId] }) }, ({ jobs: [first] }) => {
    job = first?.job ?? job;
  });
  const sessions = job === null ? [] : sessionsOf(job);
  if (stepId !== null) return sessions.find((session) => session.stepId === stepId) ?? batchProblem(jobId, stepId);
  const newest = sessions.at(-1);
  if (newest) return newest;
  throw new UserError(`job ${jobId} has no session with a terminal that runs`, "mgpu screens lists those there are");
}

/** A batch script without a terminal has nothing to attach to. */
function batchProblem(jobId: number, stepId: StepId): null {
  if (stepId !== "batch") return null;
  throw new UserError(
    `${jobId}.batch: a batch script writes to its files`,
    `mgpu-scontrol show job ${jobId} names them`,
  );
}

/** Shows the session's screen, and goes on with it. */
function resumeSession(
  { stepId, size }: TerminalStep,
  { jobId, mode, detachKey, quiet }: Plan,
  connected: Connected,
  context: CommandContext,
): Promise<number> {
  if (!context.stdio.stdinIsTerminal || !context.stdio.stdoutIsTerminal) {
    throw new UserError(`${nameOf(jobId, stepId)} is a session with a terminal: it needs one here, too`);
  }
  const plan: SessionPlan = {
    ...{ jobId, stepId, tasks: 1, label: false, isReasonStreamed: false, input: null, quiet, verbose: false },
    terminal: { size, mode, scrollback: SCROLLBACK_LINES, fromStart: false, detachKey },
    ...{ silence: null, warnsBeforeEnd: false, ownsJob: mode !== "read", onDisconnect: "detach" },
    ...{ lastTasks: { killOnBadExit: false, waitS: 0 }, interrupt: "status", immediateS: null },
  };
  return followJob(plan, connected, context, []);
}

/** Where the step's tasks are, as the controller knows it now. */
async function findLayout(peer: Peer, jobId: number, stepId: StepId): Promise<Layout> {
  const abort = new AbortController();
  let layout: Layout | null = null;
  const params = { jobId, stepId, owner: false };
  try {
    await peer.stream(
      "job.watch",
      params,
      ({ attach: points, step }) => {
        if (points.length > 0 && step?.endAt === null) layout = { points, nodeList: step.nodeList };
        abort.abort();
      },
      { signal: abort.signal },
    );
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    if (!abort.signal.aborted) throw new UserError(`Failed on ${jobId}.${stepId}: ${error.message}`, error.hint);
  }
  if (layout === null) throw new UserError(`Failed on ${jobId}.${stepId}: Job/step already completing or completed`);
  return layout;
}

function layoutText({ points, nodeList }: Layout): string {
  const count = points.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const lines = points.map(
    ({ node, tasks }, index) => `  Node ${index} (${node}), ${tasks.length} task(s): ${tasks.join(" ")}`,
  );
  return `Job step layout:\n  ${count} tasks, ${points.length} nodes (${nodeList})\n\n${lines.join("\n")}\n`;
}

async function attach(
  plan: Plan & { readonly stepId: StepId },
  { points }: Layout,
  context: CommandContext,
): Promise<number> {
  const { stdio, clock, utcOffsetMinutes, session } = context;
  const { filters } = plan;
  const total = points.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const relay = createRelay(stdio, plan.label ? () => total : null, false);
  const tasks = new Tasks(total);
  const speaker = createSpeaker(context, plan.quiet);
  const report = new ExitReport(tasks, {
    ...{ speaker, clock, utcOffsetMinutes, stepId: Number(plan.stepId), isReasonStreamed: true },
    row: () => null,
    onExit: () => {},
  });
  const onItem = (node: string, item: Item<"step.watch">): void => {
    if (item.type === "exit") report.add(node, item.task, item.exit);
    if (item.type !== "data") return;
    const filter = filters[item.stream === "out" ? "output-filter" : "error-filter"];
    if (filter === null || filter === item.task) relay.data(item.task, item.stream, item.offset, item.data);
  };
  const peers = await Promise.all(points.map((point) => session.connectHolder(point)));
  const parts = points.map((point, index) => ({ point, peer: peers[index]?.peer as Peer }));
  const watched = parts.map(async ({ point, peer }) => {
    const { node } = point;
    const { exits, problem } = await watchPart(point, peer, (item) => onItem(node, item));
    for (const { task, exit } of exits) report.add(node, task, exit);
    if (problem !== "") speaker.error(problem);
  });
  if (stdio.stdinIsTerminal ? session.terminal.isForeground() : true)
    startInput(parts, filters["input-filter"], context);
  try {
    await Promise.all(watched);
  } finally {
    session.input.stop();
    for (const { peer } of parts) peer.close();
  }
  report.stop();
  relay.finish();
  report.say();
  if (relay.missing > 0) speaker.info(`${relay.missing} bytes of output came too fast and were left out`);
  return tasks.code;
}

/** Looks on to the end; once more where the step's own client came back and took what was ours in its absence. */
async function watchPart(
  { key, token }: AttachPoint,
  peer: Peer,
  onItem: (item: Item<"step.watch">) => void,
): Promise<Result<"step.watch">> {
  for (;;) {
    try {
      return await peer.stream("step.watch", { key, token }, onItem);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== "CANCELLED") throw error;
    }
  }
}

/** Our input goes to the tasks; its end is not the end of theirs, which may have other input. */
function startInput(
  parts: readonly { readonly point: AttachPoint; readonly peer: Peer }[],
  task: number | null,
  { session, random }: CommandContext,
): void {
  const client = `sattach-${random.hex(CLIENT_ID_BYTES)}`;
  const takers = parts.map(({ point, peer }): InputTaker => {
    const { key, token } = point;
    return {
      point,
      async input(one, offset, data, eof) {
        try {
          await peer.call("step.input", { key, token, client, task: one, offset, data, eof }, { deadlineMs: null });
          return true;
        } catch (error) {
          if (error instanceof RpcError) return false;
          throw error;
        }
      },
    };
  });
  // Tasks that read nothing, or are gone, are no reason to look away.
  forwardInput(session.input, takers, task, false).catch(() => {});
}
