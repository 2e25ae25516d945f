/** Sockets, cores and threads of a node. */

import type { NodeRow, NodeVitals } from "../protocol/procedures.ts";

/** As the machine has them; where a node offers another number of CPUs, each counts as a core of one socket. */
export function topologyOf({
  inventory: { cpus },
  vitals,
}: NodeRow): Pick<NodeVitals, "sockets" | "coresPerSocket" | "threadsPerCore"> {
  const isWhole = vitals && vitals.sockets * vitals.coresPerSocket * vitals.threadsPerCore === cpus;
  return isWhole ? vitals : { sockets: 1, coresPerSocket: cpus, threadsPerCore: 1 };
}
