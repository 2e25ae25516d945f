/** What the controller needs to know to write squeue's lines for it. */

import type { ListForm } from "../../../protocol/procedures.ts";
import type { JobColumn, ListingView } from "../../../view/job-columns.ts";
import { isMadeAnywhere } from "../../../view/job-table.ts";
import type { FormatPlan } from "../../../view/printf.ts";
import type { CommandContext } from "../../context.ts";
import type { OptionReader } from "../../filters.ts";
import { groupNames } from "../../listing-view.ts";
import type { Selection } from "./selection.ts";

/** Longer formats are not sent; `listForm` takes as much. */
const FORMAT_CHARS_MAX = 2000;

/** Machines with more groups of their own than this write by themselves what names groups. */
const GROUPS_MAX = 500;

/** A table as it was asked for. */
export interface AskedTable {
  readonly plan: FormatPlan<JobColumn>;
  readonly text: string;
  readonly isFields: boolean;
  /** Whether its lines leave in another order than they come, or painted. */
  readonly isOwnWork: boolean;
}

/** Of a table; `undefined` where its lines are made here. */
export function tableForm(
  { plan, text, isFields, isOwnWork }: AskedTable,
  selection: Selection,
  options: OptionReader,
  context: CommandContext,
  view: ListingView,
): ListForm | undefined {
  if (isOwnWork || text.length > FORMAT_CHARS_MAX || !isMadeAnywhere(plan)) return undefined;
  const needsGroups = plan.fields.some(({ column }) => column.fields.includes("gid"));
  const groups = needsGroups ? groupsOf(context) : {};
  if (groups === null || selection.single !== null) return undefined;
  const kind = isFields ? "fields" : "letters";
  return { ...common(selection, options, view), kind, format: text, separator: "", groups };
}

/** Of a document whose entries have a line each. @param separator what stands between two of them */
export function documentForm(
  separator: string,
  selection: Selection,
  options: OptionReader,
  context: CommandContext,
  view: ListingView,
): ListForm | undefined {
  const groups = groupsOf(context);
  if (groups === null || selection.single !== null) return undefined;
  return { ...common(selection, options, view), kind: "json", format: "", separator, groups };
}

function common({ shown }: Selection, options: OptionReader, view: ListingView) {
  const { nowMs, tasksLengthMax, isUnconverted } = view;
  return {
    ...{ nowMs, tasksLengthMax, isUnconverted, clusterName: view.clusterName() },
    ...{ isExpanded: options.isGiven("array"), states: [...shown.states], notUid: shown.notUid },
  };
}

function groupsOf(context: CommandContext): Record<string, string> | null {
  const names = groupNames(context);
  return names.size > GROUPS_MAX ? null : Object.fromEntries(names);
}
