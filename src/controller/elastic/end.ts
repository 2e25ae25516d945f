/** The end of an allocation: its node goes, and what ran there starts elsewhere. */

import type { ElasticNode } from "../../core/elastic/records.ts";
import type { ControllerContext } from "../context.ts";
import type { CrewPorts } from "./crew.ts";

/**
 * Forgets an allocation that is over there. Doing it again is harmless: the record goes last.
 * @param how in words: `Slurm job 12 is over: CANCELLED`
 */
export async function endNode(
  { loop, sessions, log, settings }: Pick<ControllerContext, "loop" | "sessions" | "log" | "settings">,
  { revoke, remove, folder }: Pick<CrewPorts, "revoke" | "remove" | "folder">,
  { node, leaving, joinedAt, outerId }: ElasticNode,
  how: string,
): Promise<void> {
  log.info("an allocation is over", { node, how });
  // A daemon that outlives its allocation would go on with what is about to start elsewhere.
  const session = sessions.get(node);
  await session?.peer.call("node.shutdown", { holders: true }).catch(() => {});
  session?.peer.close();
  if (loop.state.nodes.has(node)) {
    const away = [node];
    await loop.execute({ type: "nodes.update", nodes: [node], changes: { state: "DOWN", reason: how }, away });
    await loop.execute({ type: "nodes.delete", nodes: [node], away });
  }
  await revoke(node);
  for (const end of ["sh", "join"]) await remove(`${folder}/${node}.${end}`).catch(() => {});
  // One that never came to be there says nothing of the next one.
  const wasOfUse = joinedAt !== null || leaving !== undefined || outerId === "";
  // What a daemon said before it ended well is of no interest.
  if (leaving !== undefined && settings.logLevel !== "debug") await remove(`${folder}/${node}.log`).catch(() => {});
  const problem = `${how}, before its node joined; ${folder}/${node}.log may say why`;
  const note = wasOfUse ? `${node} is over: ${how}` : `${node}: ${problem}`;
  await loop.execute({ type: "elastic.over", node, note, ...(wasOfUse ? {} : { problem }) });
}
