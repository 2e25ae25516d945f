/** mgpu queue: jobs with where they run or what they wait for, and nodes with what is free, in words. */

import { PLAIN_FIELDS, type PlainJob, plainQueue } from "../../view/plain-queue.ts";
import type { Command } from "../context.ts";
import { jobFilter } from "../filters.ts";

export const command: Command = {
  name: "mgpu queue",
  summary: "Show the queue and the nodes in plain words; mgpu-squeue and mgpu-sinfo tell more",
  synopsis: "[OPTIONS...]",
  options: [],
  operands: "permute",
  examples: ["mgpu queue"],
  async run(_parsed, context) {
    const { peer } = await context.connect({ start: true });
    try {
      const jobs: PlainJob[] = [];
      const filter = jobFilter({ states: ["PENDING", "RUNNING", "SUSPENDED", "COMPLETING"] });
      await peer.stream("jobs.list", { filter, fields: [...PLAIN_FIELDS] }, ({ rows }) => {
        for (const row of rows)
          jobs.push(Object.fromEntries(PLAIN_FIELDS.map((key, at) => [key, row[at]])) as PlainJob);
      });
      const { nodes } = await peer.call("nodes.list", {});
      context.stdio.out(plainQueue(jobs, nodes));
      return 0;
    } finally {
      peer.close();
    }
  },
};
