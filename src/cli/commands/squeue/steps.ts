/** squeue --steps: the steps that run. */

import type { JobFilter } from "../../../protocol/procedures.ts";
import type { Peer } from "../../../rpc/types.ts";
import { renderRow } from "../../../view/printf.ts";
import { comparator } from "../../../view/sort.ts";
import { type StepRow, stepRows } from "../../../view/step-row.ts";
import type { CommandContext } from "../../context.ts";
import type { OptionReader } from "../../filters.ts";
import { listingView } from "../../listing-view.ts";
import { isMachineForm } from "../../output/machine-form.ts";
import { painterFor } from "../../output/painter.ts";
import type { Selection } from "./selection.ts";
import { stepTable } from "./tables.ts";

interface StepListing {
  readonly options: OptionReader;
  readonly selection: Pick<Selection, "filter">;
  readonly context: CommandContext;
  readonly peer: Peer;
  readonly clusterName: string;
}

/** Prints the steps that are wanted; the exit code. */
export async function listSteps(listing: StepListing, isWanted: (row: StepRow) => boolean): Promise<number> {
  const { options, selection, context, peer, clusterName } = listing;
  const rows = (await readSteps(peer, selection.filter)).filter(isWanted);
  const view = listingView(context, { isUnconverted: false, clusterName: () => clusterName });
  const layout = stepTable(options, view, context);
  rows.sort(comparator(layout.keys));
  if (isMachineForm(options)) {
    const { openDocument } = await import("../../output/machine-list.ts");
    const { stepJson } = await import("../../../view/step-json.ts");
    const document = openDocument("steps", options, context, clusterName);
    context.stdio.out(document.entries(rows.map((row) => stepJson(row, clusterName))) + document.end({}));
    return 0;
  }
  const paint = painterFor(context, layout);
  context.stdio.out(layout.heading + rows.map((row) => `${renderRow(layout.plan, row, paint)}\n`).join(""));
  return 0;
}

async function readSteps(peer: Peer, filter: JobFilter | null): Promise<StepRow[]> {
  const rows: StepRow[] = [];
  if (filter === null) return rows;
  await peer.stream("jobs.get", { filter }, ({ jobs }) => {
    for (const { job, row } of jobs) rows.push(...stepRows(job, row));
  });
  return rows;
}
