/** reservations.list */

import { isActive } from "../../core/reservation.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";

/** Every reservation, the one that begins first before the others. */
export function reservationsHandler({ loop, clock }: ControllerContext): UnaryHandler<"reservations.list"> {
  return () => {
    const now = clock.now();
    const { reservations, nodes } = loop.state;
    const rows = [...reservations.values()].sort((a, b) => a.startAt - b.startAt || (a.name < b.name ? -1 : 1));
    return {
      reservations: rows.map((reservation) => ({
        ...reservation,
        nodes: [...reservation.nodes],
        users: [...reservation.users],
        accounts: [...reservation.accounts],
        flags: [...reservation.flags],
        isActive: isActive(reservation, now),
        cpus: reservation.nodes.reduce((sum, node) => sum + (nodes.get(node)?.inventory.cpus ?? 0), 0),
      })),
      now,
    };
  };
}
