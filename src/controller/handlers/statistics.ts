/** statistics: what sdiag shows, and forgets with -r. */

import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { manages } from "../network/access.ts";

/** Everybody may look; only root and the user whose daemons these are may reset. */
export function statisticsHandler({ loop, identity, statistics }: ControllerContext): UnaryHandler<"statistics"> {
  return ({ reset }, { hello }) => {
    if (reset && !manages(hello, identity.user)) {
      throw new RpcError(
        "PERMISSION",
        "Access/permission denied",
        "only root and the user who started mgpuctld may reset",
      );
    }
    if (reset) statistics.reset();
    return statistics.read(loop.state.jobs);
  };
}
