/** `scontrol show node`. */

import { expand } from "../../../core/hostlist.ts";
import { nodeJson } from "../../../view/node-json.ts";
import { nodeRecord } from "../../../view/node-record.ts";
import { recordText } from "../../../view/record-text.ts";
import { UserError } from "../../context.ts";
import type { Scope } from "./scope.ts";
import { printDocument } from "./show-json.ts";

/** All nodes, or those of a list. */
export async function showNodes(words: readonly string[], scope: Scope): Promise<number> {
  const { context, show } = scope;
  const [list] = words;
  const wanted = list === undefined || list === "" ? null : expand(list);
  if (wanted === undefined) throw new UserError(`Invalid node list: ${list}`, "node lists look like n[1-3,7]");
  const peer = await scope.peer("slurm_load_node error");
  const { nodes, now } = await peer.call("nodes.list", {});
  const missing = (wanted ?? []).filter((name) => !nodes.some((node) => node.name === name));
  const chosen = nodes.filter((node) => wanted === null || wanted.includes(node.name));
  if (show.document) {
    const records = (clusterName: string) => chosen.map((one) => nodeJson(one, clusterName));
    await printDocument("nodes", records, now, peer, scope);
  } else {
    const time = { nowMs: now, utcOffset: context.utcOffsetMinutes };
    for (const node of chosen) context.stdio.out(recordText(nodeRecord(node, show.details > 0, time), show.oneLine));
    if (nodes.length === 0 && wanted === null && !show.quiet) context.stdio.out("No nodes in the system\n");
  }
  for (const name of missing) scope.notFound(`Node ${name} not found`);
  return missing.length > 0 ? 1 : 0;
}
