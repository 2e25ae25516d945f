/** The columns of sprio. Letters, headers and widths are Slurm's. */

import type { PriorityConfig } from "../core/policy/records.ts";
import { formatTres } from "../core/policy/words.ts";
import type { PriorityRow } from "../protocol/policy-schemas.ts";
import type { Column } from "./printf.ts";

/** A waiting job; or the weights, which stand in no job. */
export interface Priority extends PriorityRow {
  readonly cluster: string;
  readonly isWeights?: boolean;
}

/** Slurm's highest priority, by which %y divides. */
const PRIORITY_MAX = 2 ** 32 - 1;

const column = (header: string, text: (row: Priority) => string): Column<Priority> => ({ header, text });

type Factor = "age" | "fairShare" | "jobSize" | "partition" | "qos";

const factor = (header: string, name: Factor): Column<Priority> =>
  column(header, (row) => row.factors[name].toFixed(7));
const part = (header: string, name: Factor): Column<Priority> =>
  column(header, (row) => String(Math.round(row.parts[name])));

export const SPRIO_COLUMNS: Readonly<Record<string, Column<Priority>>> = {
  a: factor("AGE", "age"),
  A: part("AGE", "age"),
  b: column("ASSOC", () => "0.0000000"),
  B: column("ASSOC", () => "0"),
  c: column("CLUSTER", ({ cluster }) => cluster),
  f: factor("FAIRSHARE", "fairShare"),
  F: part("FAIRSHARE", "fairShare"),
  i: column("JOBID", ({ id, isWeights }) => (isWeights ? "Weights" : String(id))),
  j: factor("JOBSIZE", "jobSize"),
  J: part("JOBSIZE", "jobSize"),
  N: column("NICE", ({ nice, isWeights }) => (isWeights ? "" : String(nice))),
  p: factor("PARTITION", "partition"),
  P: part("PARTITION", "partition"),
  q: factor("QOS", "qos"),
  Q: part("QOS", "qos"),
  r: column("PARTITION", ({ partition }) => partition),
  S: column("SITE", ({ isWeights }) => (isWeights ? "1" : "0")),
  t: column("TRES", ({ factors }) => tresText(factors.tres, 2)),
  T: column("TRES", ({ parts, isWeights }) =>
    isWeights ? formatTres(parts.tres) || "(null)" : tresText(parts.tres, 0),
  ),
  u: column("USER", ({ user }) => user),
  y: column("PRIORITY", ({ priority, isWeights }) => (isWeights ? "" : (priority / PRIORITY_MAX).toFixed(14))),
  Y: column("PRIORITY", ({ priority, isWeights }) => (isWeights ? "" : String(priority))),
};

function tresText(tres: Readonly<Record<string, number>>, digits: number): string {
  return Object.entries(tres)
    .map(([name, amount]) => `${name}=${amount.toFixed(digits)}`)
    .join(",");
}

/** The format of sprio without -o. */
export function sprioFormat(isLong: boolean, isNorm: boolean, hasUser: boolean): string {
  const user = isLong || hasUser ? "%.8u " : "";
  if (isNorm) return `%.15i %9r ${user}%10y %10a ${isLong ? "%10b " : ""}%10f %10j %10p %10q${isLong ? " %20t" : ""}`;
  const tail = isLong ? " %.11N %.20T" : "";
  return `%.15i %9r ${user}%.10Y %.10S %.10A ${isLong ? "%.10B " : ""}%.10F %.10J %.10P %.10Q${tail}`;
}

/** The row of weights. */
export function weightsRow(config: PriorityConfig, cluster: string): Priority {
  const weights = {
    age: config.weightAge,
    fairShare: config.weightFairShare,
    jobSize: config.weightJobSize,
    partition: config.weightPartition,
    qos: config.weightQos,
    tres: config.weightTres,
  };
  const row = { id: 1, user: "", partition: "", nice: 0, priority: 0, factors: weights, parts: weights };
  return { ...row, cluster, isWeights: true };
}
