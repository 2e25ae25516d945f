/** The page about Slurm clusters: mgpu's commands on one, nodes borrowed from one, and moving from or to one. */

import { SLURM_DIFFERENCES } from "./slurm-differences.ts";
import type { Topic, TopicSection } from "./topics.ts";

const MOVING: readonly TopicSection[] = [
  {
    heading: "MOVING FROM SLURM",
    texts: [
      "mgpu import slurm FILE reads a slurm.conf with the files that it includes and the gres.conf beside it, and prints mgpu's configuration; -o FILE writes it. What has no place there is told line by line with the reason, on standard error. What is wrong in the files is told all at once, with file and line, and nothing is written then.",
    ],
  },
];

export const SLURM_PAGE: Topic = {
  page: "mgpu-slurm",
  section: "7",
  summary: "mgpu on a Slurm cluster, and moving from or to one",
  sections: [
    {
      heading: "DESCRIPTION",
      texts: [
        "A lab that uses mgpu and a computing centre that runs Slurm go together in three ways: mgpu's commands work on a cluster of Slurm's, nodes of a Slurm cluster serve mgpu's queue for a while, and a cluster's configuration moves from one to the other.",
      ],
    },
    ...MOVING,
    ...SLURM_DIFFERENCES,
  ],
};
