/** The setting that names the cluster's partitions. */

import { formatPartitions, type PartitionEntry, parsePartitions } from "../core/partition-config.ts";
import type { Key } from "./setting.ts";

export interface PartitionSettings {
  /** None for those that scontrol makes, and `main` of all nodes. */
  readonly partitions: readonly PartitionEntry[];
}

export const PARTITION_SETTINGS: { readonly [K in keyof PartitionSettings]: Key<PartitionSettings[K]> } = {
  partitions: {
    key: "partitions.table",
    about: "partitions with their nodes and limits, under scontrol's names; main of all nodes without any",
    isLive: true,
    variable: "MGPU_PARTITIONS",
    fallback: [],
    parse(text) {
      const parsed = parsePartitions(text);
      return "problem" in parsed ? undefined : parsed.value;
    },
    format: formatPartitions,
    expected: "partitions such as gpu nodes=n[1-4] max_time=60; cpu nodes=n5",
  },
};
