/** Fields of sacct and sstat that say what the tasks of a step used. Empty where nobody looked. */

import { type Total, totalOf, type UsageMetric, type UsedPart } from "../../core/usage.ts";
import { amount, diskAmount, elapsed, type Units } from "./amounts.ts";

const MS = 1000;

/** A field's text of the parts of a step. */
export type UsageField = (parts: readonly UsedPart[], units: Units) => string;

/** Which of the two lists of trackable resources: what comes in, or goes out. */
const TRES: Readonly<Record<"In" | "Out", readonly (readonly [name: string, metric: UsageMetric])[]>> = {
  In: [
    ["cpu", "cpuMs"],
    ["fs/disk", "read"],
    ["gres/gpumem", "gpuMemMiB"],
    ["gres/gpuutil", "gpuUtil"],
    ["mem", "rssKiB"],
    ["pages", "pages"],
    ["vmem", "vmKiB"],
  ],
  Out: [["fs/disk", "written"]],
};

/** All of them, by Slurm's names. */
export const USAGE_FIELDS: Readonly<Record<string, UsageField>> = {
  AveCPU: of("cpuMs", (total) => elapsed(total.average / MS)),
  AveDiskRead: of("read", (total, units) => diskAmount(total.average, units)),
  AveDiskWrite: of("written", (total, units) => diskAmount(total.average, units)),
  AvePages: of("pages", (total) => String(Math.round(total.average))),
  AveRSS: of("rssKiB", (total, units) => memory(total.average, units)),
  AveVMSize: of("vmKiB", (total, units) => memory(total.average, units)),
  ...maxFields("MaxDiskRead", "read", (value, units) => diskAmount(value, units)),
  ...maxFields("MaxDiskWrite", "written", (value, units) => diskAmount(value, units)),
  ...maxFields("MaxPages", "pages", String),
  ...maxFields("MaxRSS", "rssKiB", memory),
  ...maxFields("MaxVMSize", "vmKiB", memory),
  MinCPU: of("cpuMs", (total) => elapsed(total.min / MS)),
  MinCPUNode: of("cpuMs", (total) => total.minNode),
  MinCPUTask: of("cpuMs", (total) => String(total.minTask)),
  ...tresFields("In"),
  ...tresFields("Out"),
};

function of(metric: UsageMetric, text: (total: Total, units: Units) => string): UsageField {
  return (parts, units) => {
    const total = totalOf(parts, metric);
    return total === undefined ? "" : text(total, units);
  };
}

function maxFields(
  name: string,
  metric: UsageMetric,
  text: (value: number, units: Units) => string,
): Record<string, UsageField> {
  return {
    [name]: of(metric, (total, units) => text(total.max, units)),
    [`${name}Node`]: of(metric, (total) => total.maxNode),
    [`${name}Task`]: of(metric, (total) => String(total.maxTask)),
  };
}

function tresFields(direction: "In" | "Out"): Record<string, UsageField> {
  const list =
    (text: (total: Total, metric: UsageMetric, units: Units) => string): UsageField =>
    (parts, units) =>
      TRES[direction]
        .flatMap(([name, metric]) => {
          const total = totalOf(parts, metric);
          return total ? [`${name}=${text(total, metric, units)}`] : [];
        })
        .join(",");
  const name = `TRESUsage${direction}`;
  return {
    [`${name}Ave`]: list(({ average }, metric, units) => tresAmount(average, metric, units)),
    [`${name}Max`]: list(({ max }, metric, units) => tresAmount(max, metric, units)),
    [`${name}MaxNode`]: list(({ maxNode }) => maxNode),
    [`${name}MaxTask`]: list(({ maxTask }) => String(maxTask)),
    [`${name}Min`]: list(({ min }, metric, units) => tresAmount(min, metric, units)),
    [`${name}MinNode`]: list(({ minNode }) => minNode),
    [`${name}MinTask`]: list(({ minTask }) => String(minTask)),
    [`${name}Tot`]: list(({ total }, metric, units) => tresAmount(total, metric, units)),
  };
}

function tresAmount(value: number, metric: UsageMetric, units: Units): string {
  if (metric === "cpuMs") return elapsed(value / MS);
  if (metric === "gpuMemMiB") return value === 0 ? "0" : amount(Math.round(value), "M", units);
  if (metric === "rssKiB" || metric === "vmKiB") return memory(value, units);
  return String(Math.round(value));
}

/** KiB are whole ones: an average is cut. */
function memory(kib: number, units: Units): string {
  return units.unit === null ? `${Math.round(kib)}${kib === 0 ? "" : "K"}` : amount(Math.round(kib), "K", units);
}
