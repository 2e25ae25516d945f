/** A report for programs: all jobs as CSV, the summaries as JSON. */

import type { Outcome } from "../replay.ts";
import { completionOf, slowdownOf, waitOf } from "../statistics.ts";

const COLUMNS =
  "policy,cluster,job,user,account,name,gpus_or_cpus,submit_s,start_s,end_s,run_s,wait_s,completion_s,bounded_slowdown,preemptions";

/** One line a job, run after run; times are seconds of the trace. */
export function csvText({ runs }: Outcome, hasGpus: boolean): string {
  const lines = [COLUMNS];
  for (const { policy, variant, tasks } of runs) {
    for (const task of tasks) {
      const { job, size, startS, endS, preemptions } = task;
      const cells = [
        ...[policy, variant, job.id, job.user, job.account, job.name, hasGpus ? size / 1000 : size],
        ...[
          job.submitS,
          startS ?? "",
          endS ?? "",
          job.runS,
          waitOf(task),
          completionOf(task),
          slowdownOf(task),
          preemptions,
        ],
      ];
      lines.push(cells.map(cell).join(","));
    }
  }
  return `${lines.join("\n")}\n`;
}

function cell(value: string | number): string {
  if (typeof value === "number") return String(Number(value.toFixed(6)));
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** What a report is of. */
export interface ReportHead {
  readonly trace: string;
  readonly format: string;
  readonly jobs: number;
  readonly cluster: string;
}

/** One object; times are seconds, shares 0 to 1. */
export function jsonText({ runs, notes }: Outcome, head: ReportHead): string {
  const list = runs.map(({ policy, variant, summary }) => ({ policy, cluster: variant, ...summary }));
  return `${JSON.stringify({ ...head, runs: list, notes }, null, 2)}\n`;
}
