/** A report as a picture: how the waits are spread, and the load over time, a line for each run. */

import type { Outcome, Run } from "../replay.ts";
import { waitOf } from "../statistics.ts";
import { shortDuration } from "./format.ts";
import { nameOf } from "./table.ts";

const WIDTH = 900;
const PANEL_HEIGHT = 280;
const LEFT = 60;
const RIGHT = 20;
const TOP = 40;
const GAP = 70;
const LEGEND_LINE = 18;

/** Told apart by people who see colours differently (Okabe and Ito), and by the dashes once they come again. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"] as const;

/** Waits are shown from a second on, on a scale of powers of ten. */
const WAITS_S = [1, 10, 60, 600, 3600, 36_000, 86_400, 864_000, 8_640_000] as const;

/** Points of a line: more would not be seen. */
const POINTS = 300;

/** A whole SVG file. */
export function svgText({ runs }: Outcome, title: string): string {
  const height = TOP + 2 * (PANEL_HEIGHT + GAP) + runs.length * LEGEND_LINE;
  const legendTop = TOP + 2 * (PANEL_HEIGHT + GAP);
  const legend = runs.map((run, at) => {
    const y = legendTop + at * LEGEND_LINE;
    return `${line(
      [
        [LEFT, y],
        [LEFT + 30, y],
      ],
      at,
    )}${text(LEFT + 38, y + 4, nameOf(run))}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(LEFT, 20, title, 15),
    waits(runs, TOP),
    load(runs, TOP + PANEL_HEIGHT + GAP),
    ...legend,
    "</svg>\n",
  ].join("\n");
}

function waits(runs: readonly Run[], top: number): string {
  const most = Math.max(10, ...runs.map(({ summary }) => summary.waitS.max));
  const x = (seconds: number): number =>
    LEFT + (Math.log10(Math.max(1, seconds)) / Math.log10(most)) * (WIDTH - LEFT - RIGHT);
  const y = (share: number): number => top + PANEL_HEIGHT * (1 - share);
  const lines = runs.map((run, at) => {
    const sorted = Float64Array.from(run.tasks.map(waitOf)).sort();
    const points = Array.from({ length: POINTS + 1 }, (_, index): [number, number] => {
      const position = Math.min(sorted.length - 1, Math.floor((index / POINTS) * sorted.length));
      return [x(sorted[position] ?? 0), y(index / POINTS)];
    });
    return line(points, at);
  });
  const ticks = WAITS_S.filter((seconds) => seconds <= most).map((seconds) =>
    tick(x(seconds), top, shortDuration(seconds)),
  );
  return [frame(top, "Share of jobs that waited no longer than"), ...ticks, ...lines].join("\n");
}

function load(runs: readonly Run[], top: number): string {
  const longest = Math.max(1, ...runs.map(({ summary }) => summary.makespanS));
  const x = (seconds: number): number => LEFT + (seconds / longest) * (WIDTH - LEFT - RIGHT);
  const y = (share: number): number => top + PANEL_HEIGHT * (1 - share);
  const lines = runs.map((run, at) => {
    const step = run.summary.makespanS / Math.max(1, run.load.length);
    return line(
      run.load.map((share, index): [number, number] => [x((index + 0.5) * step), y(share)]),
      at,
    );
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => tick(x(part * longest), top, shortDuration(part * longest)));
  return [frame(top, "Share of the cluster in use over time"), ...ticks, ...lines].join("\n");
}

function frame(top: number, title: string): string {
  const right = WIDTH - RIGHT;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = top + PANEL_HEIGHT * (1 - share);
    const label = `<text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${share * 100}%</text>`;
    return `<path d="M${LEFT} ${y}H${right}" stroke="#dddddd"/>${label}`;
  });
  return [...grid, text(LEFT, top - 8, title, 13)].join("\n");
}

function tick(x: number, top: number, label: string): string {
  return `<text x="${round(x)}" y="${top + PANEL_HEIGHT + 16}" text-anchor="middle">${escaped(label)}</text>`;
}

function line(points: readonly (readonly [number, number])[], at: number): string {
  const path = points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
  const dash = at >= COLOURS.length ? ' stroke-dasharray="6 4"' : "";
  const colour = COLOURS[at % COLOURS.length] ?? "#000000";
  return `<polyline fill="none" stroke="${colour}" stroke-width="2"${dash} points="${path}"/>`;
}

function text(x: number, y: number, content: string, size = 12): string {
  return `<text x="${x}" y="${y}" font-size="${size}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
