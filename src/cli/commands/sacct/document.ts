/** sacct --json and --yaml: one document, written as its jobs come. */

import { acctJson } from "../../../view/accounting/json.ts";
import { SLURM_VERSION } from "../../../view/slurm-version.ts";
import type { CommandContext } from "../../context.ts";
import { groupNames } from "../../groups.ts";
import type { AcctPrinter } from "./print.ts";
import { wantedRows } from "./print.ts";

/** YAML is printed as JSON in its flow style, a job a line: every reader of YAML takes it. */
export function documentPrinter(context: CommandContext, clusterName: string, form: "json" | "yaml"): AcctPrinter {
  const json = {
    ...{ nowMs: context.clock.now(), clusterName, groupName: groupNames(context) },
    utcOffset: (atMs: number): number => context.utcOffsetMinutes(atMs),
  };
  const start = form === "yaml" ? '%YAML 1.1\n---\n{"jobs": [\n' : '{"jobs": [\n';
  let separator = start;
  return {
    records(records, selection) {
      let text = "";
      for (const record of records) {
        const [job, ...steps] = wantedRows(record, selection);
        if (job === undefined) continue;
        text += separator + JSON.stringify(acctJson(record, job, steps, json));
        separator = ",\n";
      }
      return text;
    },
    end() {
      const rest = JSON.stringify({ meta: metaJson(context.user.name, clusterName), errors: [], warnings: [] });
      return `${separator === start ? start : "\n"}],\n${rest.slice(1)}\n`;
    },
  };
}

function metaJson(user: string, cluster: string): unknown {
  const [major, minor, micro] = SLURM_VERSION.split(".");
  return {
    plugin: {
      ...{ type: "openapi/slurmdbd", name: "mgpu", data_parser: "data_parser/v0.0.40" },
      accounting_storage: "accounting_storage/slurmdbd",
    },
    client: { source: "", user, group: "" },
    command: ["sacct"],
    slurm: { version: { major, micro, minor }, release: SLURM_VERSION, cluster },
  };
}
