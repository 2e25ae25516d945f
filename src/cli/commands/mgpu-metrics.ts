/** mgpu metrics: how many jobs there were, how long they ran, how busy their GPUs were. */

import { parseMoment } from "../../core/begin-time.ts";
import { historyFilter } from "../../core/history.ts";
import { MetricsSum, metricsText } from "../../view/job-metrics.ts";
import { type Command, UserError } from "../context.ts";
import { EXIT_USAGE } from "../usage.ts";

export const command: Command = {
  name: "mgpu metrics",
  summary: "Show how many jobs there were, how long they ran, and how busy each GPU was",
  synopsis: "[OPTIONS...]",
  options: [
    {
      long: "since",
      short: "S",
      argument: "required",
      metavar: "time",
      help: "jobs that were there since then: now-7days, 2026-11-01; all otherwise",
    },
    { long: "json", argument: "none", help: "print JSON" },
  ],
  operands: "permute",
  examples: ["mgpu metrics", "mgpu metrics --since=now-7days --json"],
  async run(parsed, context) {
    const text = parsed.values.get("since")?.at(-1);
    const offset = (atMs: number): number => context.utcOffsetMinutes(atMs);
    const since = text === undefined ? null : parseMoment(text, context.clock.now(), offset, "past");
    if (since && "problem" in since) throw new UserError(`--since: ${since.problem}`, undefined, EXIT_USAGE);
    const { peer } = await context.connect({ start: false });
    try {
      const sum = new MetricsSum();
      const filter = historyFilter({ since: since?.value ?? null });
      await peer.stream("jobs.history", { filter, duplicates: false, steps: true }, ({ records }) => {
        for (const record of records) sum.add(record);
      });
      const result = sum.result();
      context.stdio.out(parsed.values.has("json") ? `${JSON.stringify(result, null, 2)}\n` : metricsText(result));
      return 0;
    } finally {
      peer.close();
    }
  },
};
