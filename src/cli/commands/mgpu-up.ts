/** mgpu up: starts mgpu on this machine if it does not run, and says what runs. */

import type { Connected } from "../../rpc/types.ts";
import { nodeText } from "../../view/cluster-text.ts";
import type { Command, CommandContext } from "../context.ts";
import { NoController } from "../dial.ts";

export const command: Command = {
  name: "mgpu up",
  summary: "Start mgpu on this machine; nothing happens if it runs already",
  synopsis: "[OPTIONS...]",
  options: [],
  operands: "permute",
  examples: ["mgpu up", "MGPU_FAKE_GPUS=4 mgpu up"],
  async run(_parsed, context) {
    const running = await connectIfRunning(context);
    running?.peer.close();
    // One that somebody else started a moment ago may still wait for its node.
    const connected = await context.connect({ start: true, isAsked: true });
    try {
      context.stdio.out(await describe(connected, running !== null));
      return 0;
    } finally {
      connected.peer.close();
    }
  },
};

/** A connection, or `null` if nobody listens. Other troubles are thrown. */
export async function connectIfRunning(context: CommandContext): Promise<Connected | null> {
  try {
    return await context.connect({ start: false });
  } catch (error) {
    if (error instanceof NoController && error.isNobodyThere) return null;
    throw error;
  }
}

async function describe({ peer, answer }: Connected, ranAlready: boolean): Promise<string> {
  const {
    socket,
    stateFolder,
    problem,
    problems = [problem].filter(Boolean),
  } = await peer.call("controller.status", {});
  const { nodes } = await peer.call("nodes.list", {});
  const lines = [
    `mgpu ${ranAlready ? "runs already" : "runs"}: ${answer.daemon} ${answer.version}, pid ${answer.pid}`,
    `  socket  ${socket}`,
    `  state   ${stateFolder}`,
    ...nodes.map((node) => `  node    ${nodeText(node)}`),
  ];
  if (nodes.length === 0) lines.push("  node    none has registered yet");
  lines.push(...problems.map((text) => `  problem ${text}`));
  return `${lines.join("\n")}\n`;
}
