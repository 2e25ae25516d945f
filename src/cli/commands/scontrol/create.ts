/** `scontrol create`: partitions and reservations. */

import { UserError } from "../../context.ts";
import { readAssignments } from "./assignments.ts";
import type { Verb } from "./scope.ts";

/** `create partition PartitionName=p1 Nodes=n1,n2`, or without the word `partition`. */
export const createEntity: Verb = async (words, scope) => {
  const [first = ""] = words;
  if (first === "") throw new UserError("too few arguments for create keyword");
  const rest = first.includes("=") ? words : words.slice(1);
  const all = readAssignments(rest);
  const named = all.find(({ key }) => /^(partition(name)?|reservation(name)?)$/i.test(key));
  const kind = (first.includes("=") ? (named?.key ?? first) : first).toLowerCase();
  if (kind.length >= 3 && "partitionname".startsWith(kind)) {
    const name = all.find(({ key }) => /^partition(name)?$/i.test(key));
    if (!name) throw new UserError("PartitionName must be given.  No partition created.");
    const { createPartition } = await import("./update-partition.ts");
    const others = all.filter((one) => one !== name);
    return createPartition(name.text, others, scope);
  }
  const isReservation = kind.length >= 3 && "reservationname".startsWith(kind);
  if (isReservation || (first.includes("=") && all.some(({ key }) => /^start(time)?$/i.test(key)))) {
    const name = all.find(({ key }) => /^reservation(name)?$/i.test(key));
    const { createReservation } = await import("./update-reservation.ts");
    const others = all.filter((one) => one !== name);
    return createReservation(name?.text ?? "", others, scope);
  }
  const hint = "scontrol create partition PartitionName=NAME Nodes=LIST, or scontrol create reservation ...";
  throw new UserError(`Invalid creation entity: ${first}`, hint);
};
