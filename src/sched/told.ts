/** What a plan says of a waiting job that may start. */

import type { PendingJob } from "../core/job.ts";
import { chargeGroup, wishGroup } from "./limits.ts";
import type { Plan, Reason } from "./plan.ts";

/** Why it waits: said of it alone, of all who are charged as it is, or of all who ask for the same. */
export function toldReason({ reasons, groupReasons, wishReasons }: Plan, job: PendingJob): Reason | undefined {
  const own = reasons.get(job.id) ?? (groupReasons.size > 0 ? groupReasons.get(chargeGroup(job)) : undefined);
  return own ?? (wishReasons.size > 0 ? wishReasons.get(wishGroup(job)) : undefined);
}
