/** cluster.change: an operator changes nodes, partitions and reservations. */

import type { Command } from "../../core/commands.ts";
import type { Operator } from "../../core/node.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Params } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { manages } from "../network/access.ts";

type Change = Params<"cluster.change">["change"];

/** Only root and the user whose daemons these are may do so, as SlurmUser may in Slurm. */
export function changeHandler(context: ControllerContext): UnaryHandler<"cluster.change"> {
  return async ({ change }, { hello }) => {
    const { uid, name } = hello.user;
    if (!manages(hello, context.identity.user)) {
      const hint = "only root and the user who started mgpuctld may change nodes, partitions and reservations";
      throw new RpcError("PERMISSION", "Access/permission denied", hint);
    }
    const command = commandOf(context, change, { uid, name });
    await executeOrThrow(context, command);
    return { name: command.type === "reservation.create" ? command.reservation.name : "" };
  };
}

function commandOf(context: ControllerContext, change: Change, by: Operator): Command {
  switch (change.type) {
    case "nodes.update":
      return { ...change, changes: given(change.changes), by, away: awayNodes(context) };
    case "nodes.delete":
      return { ...change, away: awayNodes(context) };
    case "partition.create":
    case "partition.update":
      return { ...change, changes: given(change.changes) };
    case "partition.delete":
    case "reservation.delete":
      return change;
    case "reservation.create": {
      const { reservation, nodeCount } = change;
      const own = change.name || freeName(context, reservation.users[0] ?? reservation.accounts[0] ?? "resv");
      return { type: "reservation.create", reservation: { ...reservation, name: own, by }, nodeCount };
    }
    case "reservation.update":
      return { ...change, changes: given(change.changes) };
  }
}

/** `ada_1`: Slurm's way to call what was given no name. */
function freeName({ loop }: ControllerContext, prefix: string): string {
  let number = 1;
  while (loop.state.reservations.has(`${prefix}_${number}`)) number++;
  return `${prefix}_${number}`;
}

function awayNodes({ loop, isConnected }: ControllerContext): string[] {
  return [...loop.state.nodes.keys()].filter((node) => !isConnected(node));
}

/** Without the keys whose value is `undefined`: what is not given must not look like a change. */
function given<T extends object>(changes: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as never;
}
