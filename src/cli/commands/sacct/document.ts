/** sacct --json and --yaml: one document, written as its jobs come. */

import { acctJson } from "../../../view/accounting/json.ts";
import type { CommandContext } from "../../context.ts";
import type { OptionReader } from "../../filters.ts";
import { listingView } from "../../listing-view.ts";
import { openDocument } from "../../output/machine-list.ts";
import { type AcctPrinter, wantedRows } from "./print.ts";

/** The jobs with their steps. */
export function documentPrinter(options: OptionReader, context: CommandContext, clusterName: string): AcctPrinter {
  const document = openDocument("jobs", options, context, clusterName);
  const { nowMs, groupName } = listingView(context, { isUnconverted: false, clusterName: () => clusterName });
  return {
    pieces(record, selection) {
      const [job, ...steps] = wantedRows(record, selection);
      return job === undefined ? [] : [document.piece(acctJson(record, job, steps, { nowMs, clusterName, groupName }))];
    },
    join: (pieces) => (pieces.length === 0 ? "" : document.join(pieces)),
    end: () => document.end({}),
  };
}
