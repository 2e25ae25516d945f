/** Schemas of the records that cross the wire. Types come from `core`; a mismatch is a compile error. */

import * as v from "valibot";
import { isNodeName } from "../core/ids.ts";
import type { ExitStatus } from "../core/job.ts";
import type { NodeInventory } from "../core/node.ts";
import type { Allocation, Gpu, NodeUsage } from "../core/resources.ts";
import type { StepUsage } from "../core/usage.ts";

/**
 * The same schema, which checks an object once: what arrives again byte for byte is the same object (repeats.ts), and nobody changes it.
 */
export function checkedOnce<S extends v.GenericSchema>(schema: S): S {
  const known = new WeakMap<object, unknown>();
  return {
    ...schema,
    "~run"(dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) {
      const { value } = dataset;
      if (typeof value !== "object" || value === null) return schema["~run"](dataset, config);
      const output = known.get(value);
      if (output !== undefined) return { typed: true, value: output };
      const checked = schema["~run"](dataset, config);
      if (checked.typed && checked.issues === undefined) known.set(value, checked.value);
      return checked;
    },
  };
}

export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const integer = v.pipe(v.number(), v.safeInteger());
export const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** One line or word of a user. */
export const text = v.pipe(v.string(), v.maxLength(1 << 20));
export const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
/** What a node may be called. */
export const nodeName = v.pipe(v.string(), v.check(isNodeName, "expected letters, digits, '.', '_' and '-'"));
/** msgpack bin. */
export const bytes: v.GenericSchema<Uint8Array> = v.instance(Uint8Array);

export const stepId = v.union([count, v.literal("batch")]);
export const stepKey = v.object({ jobId: positive, attempt: positive, stepId });
export const exitStatus: v.GenericSchema<ExitStatus> = v.object({ code: count, signal: count });

const number = v.pipe(v.number(), v.finite());
const spread = v.tuple([number, number, number, number, number]);
/** See core/usage.ts. */
export const stepUsage: v.GenericSchema<StepUsage> = v.object({
  userMs: number,
  systemMs: number,
  cpuMs: spread,
  pages: spread,
  rssKiB: v.optional(spread),
  vmKiB: v.optional(spread),
  read: v.optional(spread),
  written: v.optional(spread),
  gpuUtil: v.optional(spread),
  gpuMemMiB: v.optional(spread),
});

const gpu: v.GenericSchema<Gpu> = v.object({
  ...{ index: count, uuid: name, model: name, type: name, memoryMiB: count },
  links: v.optional(v.array(v.string())),
  cpuAffinity: v.optional(v.string()),
});

export const allocation: v.GenericSchema<Allocation> = v.array(
  v.object({
    node: name,
    tasks: count,
    cpus: count,
    memoryMiB: count,
    gpus: v.array(v.object({ index: count, uuid: name, type: name, thousandths: positive })),
  }),
);

export const nodeUsage: v.GenericSchema<NodeUsage> = v.object({
  cpus: count,
  memoryMiB: count,
  gpus: v.record(v.string(), count),
});

/**
 * Variables by name. Names are not checked: whatever a shell exports must pass. No `v.record`, which drops names such
 * as `constructor`.
 */
export const environment = checkedOnce(v.custom<Readonly<Record<string, string>>>(isTexts, "expected texts by name"));

function isTexts(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((one) => typeof one === "string");
}

export const nodeInventory: v.GenericSchema<NodeInventory> = v.object({
  hostname: name,
  address: v.exactOptional(name),
  cpus: positive,
  memoryMiB: count,
  gpus: v.array(gpu),
  gpuProvider: name,
  gpuProblem: v.nullable(text),
  memoryLimits: v.exactOptional(text),
  bootId: text,
  os: text,
  arch: text,
  features: v.array(name),
  weight: v.exactOptional(count),
  version: text,
});
