/** sattach: looks on at the tasks of a step that runs, from now on, beside the srun that started it. */

import { RpcError } from "../../protocol/errors.ts";
import type { AttachPoint, Item } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { ExitReport } from "../attach/exit-report.ts";
import { forwardInput, type InputTaker } from "../attach/input.ts";
import { createRelay } from "../attach/relay.ts";
import { createSpeaker } from "../attach/speaker.ts";
import { Tasks } from "../attach/tasks.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { optionReader, parseJobTarget } from "../filters.ts";
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
  { long: "pty", argument: "none", help: "refused: not in this version" },
  { long: "quiet", short: "Q", argument: "none", help: "say nothing but errors" },
  { long: "usage", short: "u", argument: "none", help: "show a short reminder of the usage" },
  { long: "verbose", short: "v", argument: "none", help: "no effect: there is no more to say" },
];

const FILTERS = ["input-filter", "output-filter", "error-filter"] as const;

/** Bytes of a random name, by which a step tells our input from that of others. */
const CLIENT_ID_BYTES = 8;

export const command: Command = {
  name: "sattach",
  summary: "Look on at the tasks of a step that runs",
  synopsis: "[OPTIONS...] job_id.step_id",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-sattach 12.0", "mgpu-sattach --label 12.0", "mgpu-sattach --layout 12.0"],
  run,
};

interface Plan {
  readonly jobId: number;
  readonly stepId: number;
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
  const name = `${plan.jobId}.${plan.stepId}`;
  const connected = await connectAsSlurm(context, `${context.program}: error: Failed on ${name}`);
  if (connected === null) return 1;
  const layout = await findLayout(connected.peer, plan).finally(() => connected.peer.close());
  if (plan.layout) {
    context.stdio.out(layoutText(layout));
    return 0;
  }
  return attach(plan, layout, context);
}

function readPlan(parsed: ParsedOptions, context: CommandContext): Plan {
  const options = optionReader("sattach", OPTIONS, parsed, context);
  const problems: string[] = [];
  const [word, ...more] = parsed.operands;
  if (word === undefined) problems.push("No job step ID specified.");
  if (more.length > 0) problems.push("sattach takes only a single job step ID as input");
  const target = word === undefined ? undefined : parseJobTarget(word);
  const isStep = typeof target?.step === "number" && target.tasks === null;
  if (target?.step === "batch")
    problems.push(`${word}: a batch script writes to its files; scontrol show job names them`);
  else if (word !== undefined && !isStep) problems.push(`"${word}" does not look like a jobid.stepid`);
  if (options.isGiven("pty")) problems.push("--pty: not supported by this version of mgpu");
  const filters = { "input-filter": null, "output-filter": null, "error-filter": null } as Record<
    string,
    number | null
  >;
  for (const long of FILTERS) {
    const text = options.last(long);
    if (text === undefined) continue;
    if (/^\d{1,7}$/.test(text)) filters[long] = Number(text);
    else problems.push(`--${long}: expected a task's number, got "${text}"`);
  }
  if (problems.length > 0 || !isStep) throw new UserError(problems);
  return {
    ...{ jobId: target.jobId, stepId: Number(target.step), filters: filters as Plan["filters"] },
    ...{ label: options.isGiven("label"), layout: options.isGiven("layout"), quiet: options.isGiven("quiet") },
  };
}

/** Where the step's tasks are, as the controller knows it now. */
async function findLayout(peer: Peer, { jobId, stepId }: Plan): Promise<Layout> {
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

async function attach(plan: Plan, { points }: Layout, context: CommandContext): Promise<number> {
  const { stdio, clock, utcOffsetMinutes, session } = context;
  const { filters } = plan;
  const total = points.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const relay = createRelay(stdio, plan.label ? () => total : null, false);
  const tasks = new Tasks(total);
  const speaker = createSpeaker(context, plan.quiet);
  const report = new ExitReport(tasks, {
    ...{ speaker, clock, utcOffsetMinutes, stepId: plan.stepId, isReasonStreamed: true },
    row: () => null,
    onExit: () => {},
  });
  const onItem = (node: string, item: Item<"step.watch">): void => {
    if (item.type === "exit") report.add(node, item.task, item.exit);
    if (item.type !== "data") return;
    const filter = filters[item.stream === "out" ? "output-filter" : "error-filter"];
    if (filter === null || filter === item.task) relay.data(item.task, item.stream, item.offset, item.data);
  };
  const peers = await Promise.all(points.map(({ socket }) => session.connectHolder(socket)));
  const parts = points.map((point, index) => ({ point, peer: peers[index]?.peer as Peer }));
  const watched = parts.map(async ({ point, peer }) => {
    const { key, token, node } = point;
    const { exits, problem } = await peer.stream("step.watch", { key, token }, (item) => onItem(node, item));
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
