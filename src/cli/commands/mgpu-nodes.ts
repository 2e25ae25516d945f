/** mgpu nodes: the machines of the cluster, how they are connected, and what is wrong with them; takes them out for good. */

import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { NodeRow } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { clockOffsetText } from "../../view/clock-offset.ts";
import { nodeStateLong } from "../../view/node-states.ts";
import { textTable } from "../../view/text-table.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { EXIT_USAGE } from "../usage.ts";

/** A node whose key is void is gone at once; the controller notices a moment later. */
const GONE_MS = 5000;
const POLL_MS = 100;

export const command: Command = {
  name: "mgpu nodes",
  summary: "Show the machines of the cluster; remove takes one out for good",
  synopsis: "[OPTIONS...] [remove NODE]",
  options: [{ long: "json", argument: "none", help: "print JSON" }],
  operands: "permute",
  examples: [
    "mgpu nodes",
    "mgpu nodes remove gpu3",
    'mgpu-scontrol update nodename=gpu3 state=drain reason="new disk"',
  ],
  async run({ operands, values }, context) {
    const [verb, name, ...more] = operands;
    if (verb !== undefined && (verb !== "remove" || !name || more.length > 0)) {
      throw new UserError(
        `expected nothing, or remove and a node's name, got "${operands.join(" ")}"`,
        undefined,
        EXIT_USAGE,
      );
    }
    const { peer } = await context.connect({ start: false });
    try {
      return verb === "remove" && name
        ? await remove(peer, name, context)
        : await list(peer, values.has("json"), context);
    } finally {
      peer.close();
    }
  },
};

async function list(peer: Peer, isJson: boolean, context: CommandContext): Promise<number> {
  const { nodes } = await peer.call("nodes.list", {});
  const text = isJson ? `${JSON.stringify({ nodes: nodes.map(jsonOf) }, null, 2)}\n` : tableText(nodes);
  context.stdio.out(text);
  return 0;
}

/** Its key first: otherwise it would come back. */
async function remove(peer: Peer, name: string, context: CommandContext): Promise<number> {
  const { nodes } = await peer.call("nodes.list", {});
  const node = nodes.find((one) => one.name === name);
  if (!node) throw new UserError(`there is no node ${name}`, "mgpu nodes shows those that there are");
  const { clock, stdio } = context;
  let hadKey = true;
  try {
    await peer.call("key.revoke", { name, role: "node" });
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== "BAD_PARAMS") throw error;
    hadKey = false;
  }
  const endMs = clock.monotonic() + (hadKey ? GONE_MS : 0);
  for (;;) {
    try {
      await peer.call("cluster.change", { change: { type: "nodes.delete", nodes: [name] } });
      break;
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== "NODE_BUSY" || clock.monotonic() >= endMs) throw error;
      await sleep(clock, POLL_MS);
    }
  }
  // A daemon that was started by hand and ended leaves its holder to the next one, which is not to come.
  const machine = await context.machine();
  if ((await machine.findNode(name)) === null) machine.endHolders(name);
  const key = hadKey ? "; its key is void: mgpu leave on that machine ends its daemon" : "";
  stdio.out(`node ${name} is removed${key}\n`);
  return 0;
}

const HEADER = ["NODE", "STATE", "ADDRESS", "GPUS", "CPUS", "MEMORY", "VERSION", "CLOCK", "REASON"];

function tableText(nodes: readonly NodeRow[]): string {
  if (nodes.length === 0) return "no nodes: mgpu up --listen HOST:PORT prints the line that makes one of a machine\n";
  return textTable(
    HEADER,
    nodes.map((node) => {
      const { inventory, name, reason, connected } = node;
      const { address = "?", gpus, cpus, memoryMiB, version } = inventory;
      return [
        ...[name, nodeStateLong(node), address, String(gpus.length), String(cpus), `${memoryMiB}M`, version],
        ...[
          connected ? clockText(node) : "-",
          [reason, connected ? "" : "not connected"].filter(Boolean).join("; ") || "-",
        ],
      ];
    }),
  );
}

/** How far its clock is from the controller's. */
function clockText({ clockOffsetMs }: NodeRow): string {
  return clockOffsetMs === undefined ? "?" : clockOffsetText(clockOffsetMs) || "same";
}

function jsonOf(node: NodeRow): unknown {
  const { name, state, flags, reason, connected, inventory, clockOffsetMs } = node;
  return { name, state, flags, reason, connected, clock_offset_ms: clockOffsetMs ?? null, ...inventory };
}
