/** licenses.list */

import { usedLicenses } from "../../core/state.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";

/** Every license, by name. */
export function licensesHandler({ loop, clock }: ControllerContext): UnaryHandler<"licenses.list"> {
  return () => {
    const used = usedLicenses(loop.state);
    const licenses = [...loop.state.licenses].map(([name, total]) => ({ name, total, used: used.get(name) ?? 0 }));
    return { licenses: licenses.sort((a, b) => (a.name < b.name ? -1 : 1)), now: clock.now() };
  };
}
