/**
 * Jobs as squeue prints them, made where the jobs are: the controller writes lines of tables and entries of documents for
 * squeue, which then has nothing to decode. Both make them by the same functions; what only the reader's side knows comes
 * along (`ListForm`), and what can't, moments in the reader's zone, is not made here.
 */

import type { ListForm } from "../protocol/procedures.ts";
import { jobJsonWriter } from "./job-json.ts";
import { fieldPlan, isMadeAnywhere, type JobWriter, letterPlan, lineWriter } from "./job-table.ts";

/** `null` for what only the reader's side can make. */
export function jobLines(form: ListForm): JobWriter | null {
  const { kind, format, clusterName, groups } = form;
  const groupName = (gid: number): string => groups[gid] ?? String(gid);
  if (kind === "json") return jobJsonWriter({ clusterName, groupName });
  const view = { ...form, clusterName: () => clusterName, groupName, moment: () => "" };
  const plan = kind === "fields" ? fieldPlan(format, view) : letterPlan(format, view);
  return isMadeAnywhere(plan) ? lineWriter(plan) : null;
}
