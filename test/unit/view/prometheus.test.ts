/** The text for Prometheus, read by a parser of its format; and the dashboard that refers to it. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { noCounts, prometheusText } from "../../../src/view/prometheus.ts";
import { inventory, spec, T0 } from "../support/samples.ts";

interface Family {
  readonly type: string;
  readonly samples: { readonly name: string; readonly labels: Record<string, string>; readonly value: number }[];
}

/** The text format 0.0.4: each family has HELP and TYPE before its samples, and stands once. Throws at anything else. */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let helped = "";
  let current = "";
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  for (const line of text.slice(0, -1).split("\n")) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+$/.exec(line);
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]?Inf|[-+0-9.eE]+)$/.exec(line);
    if (help) helped = help[1] ?? "";
    else if (type) {
      current = type[1] ?? "";
      if (helped !== current || families.has(current)) throw new Error(`misplaced: ${line}`);
      families.set(current, { type: type[2] ?? "", samples: [] });
    } else if (sample) {
      const [, name = "", labelText = "", value = ""] = sample;
      const family = families.get(current);
      const suffix = name.slice(current.length);
      const suffixes = family?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!family || !name.startsWith(current) || !suffixes.includes(suffix)) throw new Error(`misplaced: ${line}`);
      const pairs = [...labelText.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/g)];
      if (pairs.map(([all]) => all).join("") !== labelText) throw new Error(`labels: ${line}`);
      const labels = Object.fromEntries(pairs.map(([, key = "", text_ = ""]) => [key, text_]));
      family.samples.push({ name, labels, value: Number(value.replace("Inf", "Infinity")) });
    } else throw new Error(`neither comment nor sample: ${line}`);
  }
  return families;
}

function text(): string {
  const state = emptyState();
  step(state, { type: "node.register", node: 'n"1\\', inventory: inventory(2, 8) }, T0);
  step(state, { type: "job.submit", requestId: "a", spec: spec() }, T0);
  const counters = noCounts();
  counters.submitted = 1;
  counters.ended.set("COMPLETED", 3);
  counters.runs[0] = 2;
  counters.runs[2] = 1;
  counters.runSeconds = 42.5;
  const facts = { version: "1.0", cluster: "lab", now: T0 + 5000, startedAt: T0, problems: 0 };
  const strangers = { strangers: [], strangersMemoryMiB: 3, strangersPercent: 0 };
  const use = { index: 0, utilisationPercent: 40, memoryUsedMiB: 5, temperatureC: null, powerW: 70, ...strangers };
  const gpus = { gpuUse: () => [use], closedGpus: () => ({ 1: "paused" }) };
  return prometheusText({ state, counters, ...facts, ...gpus, isConnected: () => true });
}

describe("the text for Prometheus", () => {
  const families = parse(text());
  const value = (name: string, labels: Record<string, string> = {}) =>
    [...families.values()]
      .flatMap(({ samples }) => samples)
      .find((one) => one.name === name && Object.entries(labels).every(([key, want]) => one.labels[key] === want))
      ?.value;

  it("says how jobs and nodes stand", () => {
    expect(value("mgpu_jobs", { state: "PENDING" })).toBe(1);
    expect(value("mgpu_jobs", { state: "RUNNING" })).toBe(0);
    expect(value("mgpu_oldest_waiting_seconds")).toBe(5);
    expect(value("mgpu_jobs_ended_total", { state: "COMPLETED" })).toBe(3);
    expect(value("mgpu_node_cpus", { node: 'n\\"1\\\\' })).toBe(8);
    expect(families.get("mgpu_gpu_allocated_ratio")?.samples).toHaveLength(2);
  });

  it("says how busy GPUs are and which are closed, and nothing that drivers don't tell", () => {
    expect(value("mgpu_gpu_utilization_ratio", { gpu: "0" })).toBe(0.4);
    expect(value("mgpu_gpu_memory_used_bytes", { gpu: "0" })).toBe(5 * 1024 * 1024);
    expect(value("mgpu_gpu_others_memory_bytes")).toBe(3 * 1024 * 1024);
    expect(value("mgpu_gpu_power_watts")).toBe(70);
    expect(families.get("mgpu_gpu_temperature_celsius")?.samples).toEqual([]);
    expect([value("mgpu_gpu_closed", { gpu: "0" }), value("mgpu_gpu_closed", { gpu: "1" })]).toEqual([0, 1]);
  });

  it("cumulates the histogram", () => {
    const buckets = families.get("mgpu_job_run_seconds")?.samples.filter(({ name }) => name.endsWith("_bucket"));
    expect(buckets?.map(({ value: count }) => count)).toEqual([2, 2, 3, 3, 3, 3, 3, 3, 3]);
    expect(buckets?.at(-1)?.labels).toEqual({ le: "+Inf" });
    expect(value("mgpu_job_run_seconds_sum")).toBe(42.5);
    expect(value("mgpu_job_run_seconds_count")).toBe(3);
  });

  it("has counters that end in _total", () => {
    for (const [name, { type }] of families) expect(name.endsWith("_total"), name).toBe(type === "counter");
  });

  it("has all that the dashboard refers to", () => {
    const dashboard = JSON.parse(readFileSync("grafana/mgpu.json", "utf8"));
    const exprs = dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) =>
      panel.targets.map((one) => one.expr),
    );
    const named = new Set(exprs.flatMap((expr: string) => expr.match(/mgpu_[a-z_]+/g) ?? []));
    expect(named.size).toBeGreaterThan(10);
    const known = new Set([...families].flatMap(([name, { samples }]) => [name, ...samples.map((one) => one.name)]));
    expect([...named].filter((name) => !known.has(name as string))).toEqual([]);
  });
});
