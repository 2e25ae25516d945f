/** mgpu up: starts mgpu on this machine if it does not run, and says what runs. */

import type { Connected } from "../../rpc/types.ts";
import { nodeText } from "../../view/cluster-text.ts";
import type { Command, CommandContext } from "../context.ts";
import { NoController } from "../dial.ts";
import { lastValue } from "../getopt.ts";
import { joinText, reachable } from "./mgpu-key.ts";

/** Enough for a room of machines. */
const FIRST_TOKEN = { uses: 50, ttlS: 3600 };

export const command: Command = {
  name: "mgpu up",
  summary: "Start mgpu on this machine; nothing happens if it runs already",
  synopsis: "[OPTIONS...]",
  options: [
    {
      long: "listen",
      argument: "required",
      metavar: "host:port",
      help: "also for other machines, from now on and after each start; 0.0.0.0:7411 is every address of this one",
    },
    { long: "no-listen", argument: "none", help: "for this machine only again" },
  ],
  operands: "permute",
  examples: ["mgpu up", "MGPU_FAKE_GPUS=4 mgpu up", "mgpu up --listen 0.0.0.0:7411"],
  async run(parsed, context) {
    const address = lastValue(parsed, "listen") ?? null;
    const hasWord = address !== null || parsed.values.has("no-listen");
    const running = await connectIfRunning(context);
    running?.peer.close();
    // One that somebody else started a moment ago may still wait for its node.
    const connected = await context.connect({ start: true, isAsked: true, isHere: true });
    try {
      if (hasWord) await connected.peer.call("network.listen", { address });
      context.stdio.out(await describe(connected, running !== null));
      if (address !== null) context.stdio.out(await invitationText(connected));
      return 0;
    } finally {
      connected.peer.close();
    }
  },
};

/** A connection, or `null` if nobody listens. Other troubles are thrown. */
export async function connectIfRunning(context: CommandContext): Promise<Connected | null> {
  try {
    return await context.connect({ start: false, isHere: true });
  } catch (error) {
    if (error instanceof NoController && error.isNobodyThere) return null;
    throw error;
  }
}

/** What to type on the other machines. */
async function invitationText({ peer }: Connected): Promise<string> {
  const made = await peer.call("key.token", FIRST_TOKEN);
  return joinText({ ...made, target: reachable(made.target) }, FIRST_TOKEN);
}

async function describe({ peer, answer }: Connected, ranAlready: boolean): Promise<string> {
  const {
    socket,
    stateFolder,
    serves,
    problem,
    problems = [problem].filter(Boolean),
  } = await peer.call("controller.status", {});
  const { nodes } = await peer.call("nodes.list", {});
  const lines = [
    `mgpu ${ranAlready ? "runs already" : "runs"}: ${answer.daemon} ${answer.version}, pid ${answer.pid}`,
    `  socket  ${socket}`,
    `  state   ${stateFolder}`,
    ...(serves ? [`  serves  ${serves}`] : []),
    ...nodes.map((node) => `  node    ${nodeText(node)}`),
  ];
  if (nodes.length === 0) lines.push("  node    none has registered yet");
  lines.push(...problems.map((text) => `  problem ${text}`));
  return `${lines.join("\n")}\n`;
}
