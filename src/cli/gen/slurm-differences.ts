/** What is different where mgpu's commands work on a Slurm cluster; told on the page mgpu-slurm and nowhere else. */

import type { TopicSection } from "./topics.ts";

/** Sections of the page, in their order. */
export const SLURM_DIFFERENCES: readonly TopicSection[] = [
  {
    heading: "DIFFERENCES",
    texts: [
      "Jobs of a Slurm cluster have what that cluster's administrators set up: limits, features, GPU types. What only mgpu has is translated where Slurm can say it, else refused with the reason.",
    ],
  },
];
