/** mgpu gpu drain|resume|list, mgpu pause-gpu, mgpu resume-gpu: single GPUs that get no new jobs. */

import { gpuIndices } from "../../core/gpu-pick.ts";
import type { NodeRow } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { textTable } from "../../view/text-table.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import type { ParsedOptions } from "../option.ts";
import { valued } from "../predecessors/verbs.ts";
import { didYouMean, EXIT_USAGE } from "../usage.ts";

const REASON = valued("reason", "text", "why, for those who ask");
const VERBS = ["drain", "resume", "list"] as const;
type Verb = (typeof VERBS)[number];

export const gpu: Command = {
  name: "mgpu gpu",
  summary: "Keep new jobs off single GPUs, let them in again, or list the GPUs; jobs that run stay",
  synopsis: "[OPTIONS...] drain|resume|list [[NODE:]GPU...]",
  options: [REASON],
  operands: "permute",
  examples: ["mgpu gpu drain node001:0,1 --reason 'fan broken'", "mgpu gpu resume node001:0-1", "mgpu gpu list"],
  async run(parsed, context) {
    const [word, ...gpus] = parsed.operands;
    const verb = VERBS.find((one) => one === word);
    if (!verb) {
      const hint = didYouMean([word ?? ""], VERBS) ?? "mgpu gpu --help shows examples";
      throw new UserError(`expected one of ${VERBS.join(", ")}`, hint, EXIT_USAGE);
    }
    return act(verb, gpus, parsed, context);
  },
};

export const pause: Command = {
  name: "mgpu pause-gpu",
  summary: "Keep new jobs off GPUs; jobs that run there stay: mgpu gpu drain",
  synopsis: "[OPTIONS...] [NODE:]GPU...",
  options: [REASON],
  operands: "permute",
  examples: ["mgpu pause-gpu 1", "mgpu pause-gpu node001:0,1 --reason 'fan broken'"],
  run: (parsed, context) => act("drain", parsed.operands, parsed, context),
};

export const resume: Command = {
  name: "mgpu resume-gpu",
  summary: "Let new jobs onto GPUs again: mgpu gpu resume",
  synopsis: "[OPTIONS...] [NODE:]GPU...",
  options: [],
  operands: "permute",
  examples: ["mgpu resume-gpu 1", "mgpu resume-gpu node001:0,1"],
  run: (parsed, context) => act("resume", parsed.operands, parsed, context),
};

async function act(
  verb: Verb,
  words: readonly string[],
  parsed: ParsedOptions,
  context: CommandContext,
): Promise<number> {
  if (verb !== "list" && words.length === 0) throw new UserError("which GPU?", "mgpu gpu list shows them", EXIT_USAGE);
  const { peer } = await context.connect({ start: false });
  try {
    const { nodes } = await peer.call("nodes.list", {});
    if (verb === "list") context.stdio.out(table(nodes));
    else await change(peer, verb, choose(words, nodes, context), lastValue(parsed, "reason") ?? "");
    return 0;
  } finally {
    peer.close();
  }
}

/** GPUs by node. @throws UserError with every word that names none */
function choose(
  words: readonly string[],
  nodes: readonly NodeRow[],
  { hostname }: CommandContext,
): Map<NodeRow, number[]> {
  const problems: string[] = [];
  const chosen = new Map<NodeRow, number[]>();
  for (const word of words) {
    const at = word.lastIndexOf(":");
    const name = at < 0 ? null : word.slice(0, at);
    const only = nodes.length === 1 ? nodes[0] : nodes.find((one) => one.name === hostname);
    const node = name === null ? only : nodes.find((one) => one.name === name);
    const indices = gpuIndices(word.slice(at + 1));
    const missing = indices?.filter((index) => !node?.inventory.gpus.some((one) => one.index === index)) ?? [];
    if (!node) problems.push(name === null ? `${word}: of which node? say NODE:GPU` : `there is no node ${name}`);
    else if (!indices) problems.push(`expected [NODE:]GPU such as 1, 0-3 or ${node.name}:0,1, got "${word}"`);
    else if (missing.length > 0) problems.push(`node ${node.name} has no GPU ${missing.join(", ")}`);
    else chosen.set(node, [...(chosen.get(node) ?? []), ...indices]);
  }
  if (problems.length > 0) throw new UserError(problems, "mgpu gpu list shows the GPUs");
  return chosen;
}

async function change(
  peer: Peer,
  verb: Verb,
  chosen: ReadonlyMap<NodeRow, readonly number[]>,
  reason: string,
): Promise<void> {
  for (const [{ name, pausedGpus = {} }, indices] of chosen) {
    const named = new Set(indices.map(String));
    const others = Object.entries(pausedGpus).filter(([index]) => !named.has(index));
    const paused = verb === "drain" ? [...named].map((index) => [index, reason] as const) : [];
    const changes = { pausedGpus: Object.fromEntries([...others, ...paused]) };
    await peer.call("cluster.change", { change: { type: "nodes.update", nodes: [name], changes } });
  }
}

function table(nodes: readonly NodeRow[]): string {
  const rows = nodes.flatMap(({ name, inventory, usage, closedGpus = {}, vitals }) =>
    inventory.gpus.map(({ index, type, memoryMiB }) => {
      const part = usage.gpus[index] ?? 0;
      const jobs = part === 0 ? "free" : part < 1000 ? `${part / 10}%` : "busy";
      const now = vitals?.gpus?.find((one) => one.index === index);
      const [load, used] = [now?.utilisationPercent ?? null, now?.memoryUsedMiB ?? null];
      const strangers = now?.strangers.map(({ pid, program }) => `${pid} ${program}`.trim()).join(", ") || "-";
      return [
        ...[name, String(index), type, String(memoryMiB), jobs],
        ...[load === null ? "-" : `${load}%`, used === null ? "-" : String(used), strangers, closedGpus[index] ?? ""],
      ];
    }),
  );
  const header = ["NODE", "GPU", "TYPE", "MIB", "JOBS", "LOAD", "MIB-USED", "OTHERS", "CLOSED"];
  return rows.length === 0 ? "no GPUs\n" : textTable(header, rows);
}
