/** Policies side by side, for people: a table, bars and the load over time. */

import { textTable } from "../../view/text-table.ts";
import type { Outcome, Run } from "../replay.ts";
import type { Spread, Summary } from "../statistics.ts";
import { percent, shortDuration, three } from "./format.ts";

export interface ReportOptions {
  readonly isAscii: boolean;
  readonly hasCharts: boolean;
  /** Columns of the screen. */
  readonly width: number;
}

/** `WAIT` has mean, median and 95th percentile, and so have the others. */
const HEADER = [
  ...["POLICY", "WAIT", "median", "p95", "SLOWDOWN", "median", "p95", "JCT", "median", "p95"],
  ...["MAKESPAN", "USED", "IDLE", "PREEMPTED"],
];

/** The whole report. */
export function reportText({ runs, notes }: Outcome, title: string, options: ReportOptions): string {
  const charts = options.hasCharts ? `\n${bars(runs, options)}\n${loads(runs, options)}` : "";
  const legend =
    "WAIT until the first start, bounded SLOWDOWN, JCT from submission to end: mean, median, 95th percentile;\nUSED share of the cluster, IDLE while a job waited.\n";
  const texts = notes.map((note) => `Note: ${note}.\n`).join("");
  return `${title}\n\n${table(runs)}\n${legend}${texts}${charts}`;
}

function table(runs: readonly Run[]): string {
  const rows = runs.map((run) => [nameOf(run), ...cells(run.summary)]);
  const widths = HEADER.map((word, column) => Math.max(word.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const rightward = (row: readonly string[]): string[] =>
    row.map((cell, column) => (column === 0 ? cell : cell.padStart(widths[column] ?? 0)));
  return textTable(rightward(HEADER), rows.map(rightward));
}

/** `easy +2 nodes of 8` */
export function nameOf({ policy, variant }: Pick<Run, "policy" | "variant">): string {
  return variant === "" ? policy : `${policy} ${variant}`;
}

function cells(summary: Summary): string[] {
  const times = (spread: Spread, text: (value: number) => string): string[] => [
    text(spread.mean),
    text(spread.median),
    text(spread.p95),
  ];
  return [
    ...times(summary.waitS, shortDuration),
    ...times(summary.slowdown, three),
    ...times(summary.completionS, shortDuration),
    shortDuration(summary.makespanS),
    percent(summary.utilisation),
    percent(summary.idleWhileWaiting),
    String(summary.preemptions),
  ];
}

const BLOCKS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"] as const;
const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const ASCII_LEVELS = ["_", ".", "-", "=", "+", "*", "#", "@"] as const;

/** Widest of a bar and of a load line. */
const BAR_MAX = 50;
const LOAD_MAX = 120;

const BESIDE_BARS = 14;

function bars(runs: readonly Run[], options: ReportOptions): string {
  const width = Math.max(...runs.map((run) => nameOf(run).length));
  const room = Math.max(10, Math.min(BAR_MAX, options.width - width - BESIDE_BARS));
  const chart = (title: string, numberOf: (summary: Summary) => number, text: (value: number) => string): string => {
    const most = Math.max(...runs.map(({ summary }) => numberOf(summary)));
    const lines = runs.map((run) => {
      const value = numberOf(run.summary);
      const line = bar(most > 0 ? value / most : 0, room, options.isAscii);
      return `  ${nameOf(run).padEnd(width)}  ${line} ${text(value)}\n`;
    });
    return `${title}\n${lines.join("")}`;
  };
  return [
    chart("Mean bounded slowdown", ({ slowdown }) => slowdown.mean, three),
    chart("Mean job completion time", ({ completionS }) => completionS.mean, shortDuration),
  ].join("\n");
}

function bar(share: number, room: number, isAscii: boolean): string {
  if (isAscii) return "#".repeat(Math.round(share * room));
  const eighths = Math.round(share * room * 8);
  return "█".repeat(eighths >> 3) + (BLOCKS[eighths & 7] ?? "");
}

function loads(runs: readonly Run[], options: ReportOptions): string {
  const width = Math.max(...runs.map((run) => nameOf(run).length));
  const room = Math.max(10, Math.min(LOAD_MAX, options.width - width - 4));
  const levels = options.isAscii ? ASCII_LEVELS : LEVELS;
  const lines = runs.map((run) => {
    const points = resample(run.load, Math.min(room, Math.max(1, run.load.length)));
    const line = points.map((share) => levels[Math.min(levels.length - 1, Math.floor(share * levels.length))]).join("");
    return `  ${nameOf(run).padEnd(width)}  ${line}\n`;
  });
  return `Share of the cluster in use, from the first submission to the last end\n${lines.join("")}`;
}

function resample(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, at) => {
    const part = values.slice(
      Math.floor((at * values.length) / count),
      Math.max(1, Math.ceil(((at + 1) * values.length) / count)),
    );
    return part.reduce((sum, value) => sum + value, 0) / Math.max(1, part.length);
  });
}
