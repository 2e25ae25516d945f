/** mgpu health: one question for systemd units and probes. Never starts anything. */

import type { NodeRow } from "../../protocol/procedures.ts";
import type { Command, CommandContext } from "../context.ts";
import { NoController } from "../dial.ts";

/** Something is wrong, or nobody answers. */
const EXIT_ILL = 1;
const EXIT_NOBODY = 2;

export const command: Command = {
  name: "mgpu health",
  summary: "Say whether mgpu is well: exit code 0 if it is, 1 if something is wrong, 2 if no controller answers",
  synopsis: "[OPTIONS...]",
  options: [{ long: "json", argument: "none", help: "print JSON" }],
  operands: "permute",
  examples: ["mgpu health", "mgpu health --json"],
  async run(parsed, context) {
    const found = await look(context);
    const { problems } = found;
    const state = found.code === 0 ? "healthy" : found.code === EXIT_ILL ? "unhealthy" : "unreachable";
    const text = [state, ...problems.map((problem) => `  ${problem}`)].join("\n");
    context.stdio.out(`${parsed.values.has("json") ? JSON.stringify({ state, problems }, null, 2) : text}\n`);
    return found.code;
  },
};

async function look(context: CommandContext): Promise<{ readonly code: number; readonly problems: readonly string[] }> {
  try {
    const { peer } = await context.connect({ start: false });
    try {
      const [status, { nodes }] = await Promise.all([peer.call("controller.status", {}), peer.call("nodes.list", {})]);
      const own = status.problems ?? [status.problem].filter(Boolean);
      const problems = [...own, ...nodeProblems(nodes)];
      return { code: problems.length > 0 ? EXIT_ILL : 0, problems };
    } finally {
      peer.close();
    }
  } catch (error) {
    if (!(error instanceof NoController)) throw error;
    if (error.hint !== undefined) context.stdio.err(`${context.program}: hint: ${error.hint}\n`);
    return { code: EXIT_NOBODY, problems: [error.message] };
  }
}

/** A drained node is somebody's wish, and no illness; one that is gone, or whose GPUs can't be asked, is one. */
function nodeProblems(nodes: readonly NodeRow[]): string[] {
  if (nodes.length === 0) return ["no node has registered: no job can run"];
  return nodes.flatMap(({ name, state, connected, inventory: { gpuProblem } }) => [
    ...(state === "DOWN" || !connected ? [`node ${name} is ${connected ? "down" : "not connected"}`] : []),
    ...(gpuProblem ? [`node ${name}: ${gpuProblem}`] : []),
  ]);
}
