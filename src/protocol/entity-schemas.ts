/** Schemas of what operators change: nodes, partitions, reservations. */

import * as v from "valibot";
import { NODE_ORDERS } from "../core/commands.ts";
import { count, name, text } from "./schemas.ts";

const names = v.array(name);

const nodeChanges = v.object({
  state: v.optional(v.picklist(NODE_ORDERS)),
  reason: v.optional(text),
  weight: v.optional(v.pipe(count, v.maxValue(2 ** 32 - 2))),
  comment: v.optional(text),
  extra: v.optional(text),
  features: v.optional(names),
  activeFeatures: v.optional(names),
});

/** What an operator wants to be different. */
export const clusterChange = v.variant("type", [
  v.object({ type: v.literal("nodes.update"), nodes: names, changes: nodeChanges }),
  v.object({ type: v.literal("nodes.delete"), nodes: names }),
]);
