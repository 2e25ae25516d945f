/** How sacct prints: rows of records in a table, as they come. */

import { taskCount, tasksOf } from "../../../core/array-spec.ts";
import type { HistoryRecord } from "../../../core/history.ts";
import type { Peer } from "../../../rpc/types.ts";
import type { Units } from "../../../view/accounting/amounts.ts";
import type { AcctField, FieldContext } from "../../../view/accounting/fields.ts";
import { type AcctRow, acctRows, withExtern } from "../../../view/accounting/rows.ts";
import { headerText, lineText, type TableStyle } from "../../../view/accounting/table.ts";
import type { CommandContext } from "../../context.ts";
import type { JobTarget, OptionReader } from "../../filters.ts";
import { listingView } from "../../listing-view.ts";
import type { Selection } from "./selection.ts";

/** Makes texts of records; what `join` and `end` return is to be printed. */
export interface AcctPrinter {
  /** The texts of a record's rows, for `join` in any order. */
  pieces(record: HistoryRecord, selection: Selection): string[];
  /** With all that stands before and between them. */
  join(pieces: readonly string[]): string;
  /** Once, at the end; also without records. */
  end(): string;
}

/** Reads --units and --noconvert. */
export function readUnits(options: OptionReader, problem: (text: string) => void): Units {
  const text = options.last("units");
  const unit =
    text === undefined ? null : (["K", "M", "G", "T", "P"] as const).find((one) => one === text.toUpperCase());
  if (unit === undefined) problem(`Invalid unit type '${text}'. Possible options are 'KMGTP'`);
  return { unit: unit ?? null, noConvert: options.isGiven("noconvert") };
}

/** -p, -P and --delimiter. */
export function readStyle(options: OptionReader): TableStyle {
  const isEnded = options.isGiven("parsable") && !options.isGiven("parsable2");
  const isParsable = isEnded || options.isGiven("parsable2");
  return { delimiter: isParsable ? (options.last("delimiter") ?? "|") : null, isEnded };
}

/** Numbers that accounts and QOS have now, for fields and conditions that speak of them. */
export type PolicyIds = Pick<FieldContext, "associationId" | "qosId">;

/** Asks for them; without need nobody is asked. */
export async function readPolicyIds(peer: Peer, isNeeded: boolean): Promise<PolicyIds> {
  if (!isNeeded) return { associationId: () => 0, qosId: () => 0 };
  const { policyFrom, findAssociation } = await import("../../../core/policy/state.ts");
  const policy = policyFrom((await peer.call("policy.list", {})).policy);
  return {
    associationId: ({ account, user, partition }) => findAssociation(policy, account, user, partition)?.id ?? 0,
    qosId: (name) => policy.qos.get(name)?.id ?? 0,
  };
}

/** What a table is made of. */
interface TableParts extends PolicyIds {
  readonly fields: readonly AcctField[];
  readonly units: Units;
  readonly clusterName: string;
}

/** A table of rows. */
export function readTable(options: OptionReader, context: CommandContext, parts: TableParts): AcctPrinter {
  const { fields, units, clusterName, associationId, qosId } = parts;
  const style = readStyle(options);
  const isWithoutSteps = options.isGiven("allocations");
  const isExpanded = options.isGiven("array");
  const { nowMs, moment, groupName } = listingView(context, { isUnconverted: false, clusterName: () => clusterName });
  const fieldContext: FieldContext = {
    nowMs,
    moment,
    groupName,
    units,
    clusterName,
    isWithoutSteps,
    associationId,
    qosId,
  };
  const line = (row: AcctRow): string => {
    const texts = fields.map((field) => field.text(row, fieldContext));
    return lineText(fields, texts, style);
  };
  let unsaid = options.isGiven("noheader") ? "" : headerText(fields, style);
  return {
    pieces(record, selection) {
      const all = isExpanded ? expandWaiting(record) : [record];
      return all.map((one) => {
        const rows = wantedRows(one, selection);
        return rows.map((row) => line(row)).join("");
      });
    },
    join(pieces) {
      const text = unsaid + pieces.join("");
      unsaid = "";
      return text;
    },
    end: () => unsaid,
  };
}

/** The rows of a record that are asked for: steps alone where only those were named. */
export function wantedRows(record: HistoryRecord, { targets, isWanted, bounds, hasSteps }: Selection): AcctRow[] {
  const found = acctRows(record, bounds);
  const rows = hasSteps ? withExtern(found) : found;
  const [job] = rows;
  if (job === undefined || !isWanted(job.row)) return [];
  const mine = targets.filter((target) => isOf(target, record));
  if (mine.length === 0 || mine.some(({ step }) => step === null)) return rows;
  return rows.filter(({ step }) => step !== null && mine.some((target) => target.step === step.id));
}

function isOf({ jobId, tasks, het }: JobTarget, { job }: HistoryRecord): boolean {
  if (het !== undefined) return job.id === jobId;
  if (tasks === null) {
    return job.id === jobId || job.array?.jobId === jobId || job.id - (job.spec.het?.offset ?? 0) === jobId;
  }
  return job.array?.jobId === jobId;
}

/** A record of waiting tasks as one record a task. */
function expandWaiting(record: HistoryRecord): HistoryRecord[] {
  const { job } = record;
  const { array } = job;
  if (!array || taskCount(array.tasks) < 2) return [record];
  return Array.from(tasksOf(array.tasks), (task) => ({
    ...record,
    job: { ...job, array: { ...array, tasks: [{ first: task, last: task, step: 1 }] } },
  }));
}
