/** mgpu alloc list, pause, resume, remove, log. */

import { formatDuration, formatTimestamp } from "../../core/time.ts";
import type { Result } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { countOf } from "../../util/plural.ts";
import { formatMemory } from "../../view/amounts.ts";
import { textTable } from "../../view/text-table.ts";
import { type CommandContext, UserError } from "../context.ts";
import { EXIT_USAGE } from "../usage.ts";

type List = Result<"alloc.list">;
type Queue = List["queues"][number];
type ElasticNode = Queue["nodes"][number];

const NONE = "no queues of allocations: mgpu alloc add slurm --gpus 4 --time 4h makes one\n";

/** Prints queues, the allocations that there are, and what is wrong; the exit code. */
export async function listQueues(words: readonly string[], isJson: boolean, context: CommandContext): Promise<number> {
  return withList(context, async (list) => {
    const queues = words.length === 0 ? list.queues : words.map((word) => findQueue(word, list));
    if (isJson) context.stdio.out(`${JSON.stringify({ queues }, null, 2)}\n`);
    else context.stdio.out(queues.length === 0 ? NONE : listText(queues, list.now, context));
    return 0;
  });
}

function listText(queues: readonly Queue[], now: number, context: CommandContext): string {
  const rows = queues.map((queue) => {
    const { name, shape, limits, nodes, submitted } = queue;
    const running = nodes.filter(({ state }) => state === "running" || state === "leaving").length;
    return [
      ...[name, queueState(queue, now), `${running}/${limits.max}`, String(nodes.length - running), String(submitted)],
      ...[shape.gpus || "-", String(shape.cpus), formatMemory(shape.memoryMiB), formatDuration(shape.timeS)],
      ...[formatDuration(limits.idleS)],
    ];
  });
  const header = ["QUEUE", "STATE", "RUNNING", "COMING", "SO_FAR", "GPUS", "CPUS", "MEMORY", "TIME", "IDLE"];
  const nodes = queues.flatMap((queue) => queue.nodes);
  const times = (at: number | null): string => (at === null ? "-" : formatTimestamp(at, context.utcOffsetMinutes));
  const nodeRows = nodes.map(({ node, state, outerId, host, jobs, endsAt, why }: ElasticNode) => {
    return [node, state, outerId || "-", host || "-", String(jobs), times(endsAt), why];
  });
  const nodeTable =
    nodes.length === 0 ? "" : `\n${textTable(["NODE", "STATE", "SLURM_JOB", "HOST", "JOBS", "ENDS", "WHY"], nodeRows)}`;
  return textTable(header, rows) + nodeTable + queues.map((queue) => troubleText(queue, now)).join("");
}

function queueState({ isLeaving, paused, away, failures, retryAt }: Queue, now: number): string {
  if (isLeaving) return "leaving";
  if (paused !== "") return "paused";
  if (away !== "") return "no answer";
  return failures > 0 && retryAt > now ? "backing off" : "active";
}

/** What is wrong, and what happens next. */
function troubleText({ name, paused, away, awaySince, failures, retryAt, problem }: Queue, now: number): string {
  const span = (ms: number): string => formatDuration(Math.max(0, Math.round(ms / 1000)));
  const lines = [
    ...(away === "" ? [] : [`Slurm has not answered for ${span(now - awaySince)}, it is asked again: ${away}`]),
    ...(paused === "" ? [] : [`paused: ${paused}; mgpu alloc resume ${name} lets it go on`]),
    ...(paused !== "" || failures === 0
      ? []
      : [`${countOf(failures, "failure")} in a row, the next try in ${span(retryAt - now)}: ${problem}`]),
  ];
  return lines.map((line) => `${name}: ${line}\n`).join("");
}

/** Changes queues, all of them or none; the exit code. */
export async function changeQueues(
  action: "pause" | "resume" | "remove",
  words: readonly string[],
  force: boolean,
  context: CommandContext,
): Promise<number> {
  if (words.length === 0) throw new UserError(`${action} needs a queue`, `mgpu alloc ${action} slurm1`, EXIT_USAGE);
  if (force && action !== "remove") throw new UserError("--force belongs to remove", undefined, EXIT_USAGE);
  return withList(context, async (list, peer) => {
    const queues = words.map((word) => findQueue(word, list));
    for (const { id, name } of queues) {
      const { left } = await peer.call("alloc.change", { id, action, force });
      context.stdio.out(`${name} ${doneText(action, left, force)}\n`);
    }
    return 0;
  });
}

function doneText(action: "pause" | "resume" | "remove", left: number, force: boolean): string {
  const those = left === 0 ? "" : `; ${countOf(left, "allocation")} there`;
  if (action === "pause") return `asks for no more machines${left === 0 ? "" : `${those} go on`}`;
  if (action === "resume") return "asks for machines again";
  if (left === 0) return "is removed";
  return force ? `goes${those} end now` : `goes${those} end when their jobs are over (--force: now)`;
}

/** Prints what happened in a queue; the exit code. */
export async function showLog(words: readonly string[], context: CommandContext): Promise<number> {
  if (words.length === 0) throw new UserError("log needs a queue", "mgpu alloc log slurm1", EXIT_USAGE);
  return withList(context, async (list) => {
    for (const queue of words.map((word) => findQueue(word, list))) {
      for (const { at, text } of queue.notes) {
        context.stdio.out(`${formatTimestamp(at, context.utcOffsetMinutes)} ${text}\n`);
      }
      for (const { node, output } of queue.nodes) context.stdio.out(`# output of ${node}: ${output}\n`);
    }
    return 0;
  });
}

/** By its name or number, or by a node of it. @throws UserError */
function findQueue(word: string, { queues }: List): Queue {
  const found = queues.find(({ id, name, nodes }) => {
    return word === name || word === String(id) || nodes.some(({ node }) => node === word);
  });
  if (found) return found;
  const names = queues.map(({ name }) => name).join(", ");
  throw new UserError(`${word}: no such queue`, names === "" ? NONE.trim() : `there are ${names}`);
}

async function withList(context: CommandContext, work: (list: List, peer: Peer) => Promise<number>): Promise<number> {
  const { peer } = await context.connect({ start: false });
  try {
    return await work(await peer.call("alloc.list", {}), peer);
  } finally {
    peer.close();
  }
}
