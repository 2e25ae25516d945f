/** `scontrol delete`: nodes that are gone, partitions, reservations. */

import { UserError } from "../../context.ts";
import { readAssignment } from "./assignments.ts";
import { type ClusterChange, changeCluster } from "./cluster-change.ts";
import type { Verb } from "./scope.ts";
import { nodeNames } from "./update-node.ts";

/** `delete NodeName=n3`, one thing at a time. */
export const deleteEntity: Verb = async (words, scope) => {
  const [first, ...rest] = words;
  if (first === undefined) throw new UserError("too few arguments for delete keyword");
  const isApart = !first.includes("=");
  const word = isApart ? `${first}=${rest.shift() ?? ""}` : first;
  if (word.endsWith("=")) throw new UserError("Proper format is 'delete <ENTITY>=<ID>' or 'delete <ENTITY> <ID>'");
  if (rest.length > 0) throw new UserError("too many arguments for keyword:delete");
  const { key, text } = readAssignment(word);
  const [kind, change] = changeOf(key.toLowerCase(), text, word);
  return (await changeCluster(change, scope, `delete_${kind} ${word}`)) === null ? 1 : 0;
};

function changeOf(key: string, text: string, word: string): readonly [string, ClusterChange] {
  if (key.length >= 3 && "nodename".startsWith(key)) return ["node", { type: "nodes.delete", nodes: nodeNames(text) }];
  if (key.length >= 4 && "partitionname".startsWith(key))
    return ["partition", { type: "partition.delete", name: text }];
  if (key.length >= 3 && "reservationname".startsWith(key)) {
    return ["reservation", { type: "reservation.delete", name: text }];
  }
  throw new UserError(`Invalid deletion entity: ${word}`, "scontrol delete NodeName=n3");
}
