/** mgpu seff: how much of what a job was given it used, in the words of Slurm's seff. */

import type { HistoryRecord } from "../../core/history.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { criteriaOf, parseJobTarget } from "../filters.ts";
import type { ParsedOptions } from "../option.ts";
import { EXIT_USAGE } from "../usage.ts";

/** As Slurm's, for a job that nobody knows. */
const EXIT_UNKNOWN = 2;

export const command: Command = {
  name: "mgpu seff",
  summary: "Show how much of its CPUs and memory a job used",
  synopsis: "job",
  options: [],
  operands: "permute",
  examples: ["mgpu seff 12", "mgpu seff 12_3"],
  run,
};

async function run({ operands }: ParsedOptions, context: CommandContext): Promise<number> {
  const [word, ...more] = operands;
  if (word === undefined) throw new UserError("which job?", "mgpu seff JOB; mgpu-sacct lists the jobs", EXIT_USAGE);
  const target = parseJobTarget(word);
  if (target === undefined || target.step !== null || more.length > 0) {
    throw new UserError(`expected one job id such as 12 or 12_3, got "${operands.join(" ")}"`, undefined, EXIT_USAGE);
  }
  const connected = await connectAsSlurm(context, "slurm_load_jobs error");
  if (connected === null) return 1;
  const { peer } = connected;
  try {
    const { ids, tasks } = criteriaOf([target]);
    const none = { users: [], groups: [], states: [], names: [], accounts: [], partitions: [], nodes: [], qos: [] };
    const filter = { ...none, wckeys: [], ids: [...ids], tasks: [...tasks], since: null, until: null };
    const records: HistoryRecord[] = [];
    const params = { filter, duplicates: false, steps: true };
    const { clusterName } = await peer.stream("jobs.history", params, (item) => void records.push(...item.records));
    if (records.length === 0) {
      context.stdio.err("Job not found.\n");
      return EXIT_UNKNOWN;
    }
    const [{ seffText, usedNow, withUsage }, { listingView }] = await Promise.all([
      import("../../view/accounting/seff.ts"),
      import("../listing-view.ts"),
    ]);
    const view = listingView(context, { isUnconverted: false, clusterName: () => clusterName });
    const texts: string[] = [];
    for (const record of records) {
      const { steps, untold } = await usedNow(peer, record.job);
      if (untold !== "") context.stdio.err(`${context.program}: ${untold}\n`);
      texts.push(seffText(withUsage(record, steps), { ...view, clusterName }));
    }
    context.stdio.out(texts.join("\n"));
    return 0;
  } finally {
    peer.close();
  }
}
