/** The configuration file explained: a sample with every key, and a JSON schema for editors. Both from the one table. */

import { PARTITION_KEYS } from "../core/partition-config.ts";
import { type FileKey, keysOf, nameOf, SECTIONS, TOP_KEYS } from "./schema.ts";

const HEAD = `# The configuration of mgpu: ~/.config/mgpu/config.yaml, or /etc/mgpu/config.yaml for all users of a machine.
# Every key may be left out; what follows # is its default or an example. Each has an environment variable, which goes
# above the file. Check it with: mgpu config check. A running mgpuctld reads it again at: mgpu-scontrol reconfigure.
`;

const NODES = `
# What is said of one node goes above the section node.
# nodes:
#   node001:
#     address: 10.0.0.11
#     features: [a100, nvlink]

# Partitions, with scontrol's keys. The first is the default one unless another says so. Without any there is main, of
# all nodes. Those that are added, changed and removed here follow at: mgpu-scontrol reconfigure.
# MGPU_PARTITIONS=gpu nodes=n[1-4] max_time=2-00:00:00; debug max_time=30
# partitions:
#   gpu:
#     nodes: n[1-4]
#     max_time: 2-00:00:00
#   debug: {nodes: ALL, max_time: 30, priority_tier: 10}

# GPUs that jobs get by the name of their model (mgpu-srun --model NAME, or --model NAME among the program's own words).
# A predecessor's llm_config.json may be named as file. MGPU_MODELS=llama-70b=4,default_requirement=1
# models:
#   file: llm_config.json
#   default_requirement: 1
#   llama-70b: 4
#   mistral-7b: 0.5
`;

/** A file that says nothing but what holds anyway: every line that could be one is behind a #. */
export function sampleText(): string {
  const sections = SECTIONS.map((section) => `\n${section}:\n${keysOf(section).map(sampleLines).join("")}`);
  const top = TOP_KEYS.map((one) => `\n${sampleLines(one).replace(/^ {2}/gm, "")}`);
  return HEAD + top.join("") + sections.join("") + NODES;
}

function sampleLines({ key, about, variable, fallback, expected, isLive }: FileKey): string {
  const when = isLive ? "" : " (needs a restart)";
  return `  # ${about}: ${expected}. ${variable}${when}\n  # ${nameOf(key)}: ${fallback}\n`;
}

/** The schema, after JSON Schema 2020-12. Values may be numbers or texts: what they mean is checked by mgpu config check. */
export function jsonSchema(): Readonly<Record<string, unknown>> {
  const sections = Object.fromEntries(SECTIONS.map((section) => [section, objectOf(keysOf(section))]));
  const ofNode = objectOf(keysOf("node").filter(({ key }) => key !== "node.name"));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of mgpu",
    type: "object",
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(TOP_KEYS.map((one) => [one.key, scalarOf(one)])),
      ...sections,
      nodes: { type: "object", additionalProperties: ofNode },
      partitions: PARTITIONS,
      models: MODELS,
    },
  };
}

const GPUS = { description: "GPUs as --gpus takes them: 2, 0.5, a100:2", type: ["string", "number"] };
const MODELS = {
  description: "GPUs that jobs get by the name of their model. Variable MGPU_MODELS.",
  type: ["object", "null"],
  properties: { file: { type: "string" }, models: { type: "object", additionalProperties: GPUS } },
  additionalProperties: GPUS,
};

const SCALAR = { type: ["string", "number", "boolean", "null"] };
const PARTITIONS = {
  description: "Partitions with scontrol's keys. Variable MGPU_PARTITIONS.",
  type: ["object", "null"],
  additionalProperties: {
    type: ["object", "null"],
    additionalProperties: false,
    properties: Object.fromEntries(
      PARTITION_KEYS.map((key) => [key, { anyOf: [SCALAR, { type: "array", items: SCALAR }] }]),
    ),
  },
};

function objectOf(keys: readonly FileKey[]) {
  return {
    type: ["object", "null"],
    additionalProperties: false,
    properties: Object.fromEntries(keys.map((one) => [nameOf(one.key), scalarOf(one)])),
  };
}

function scalarOf({ about, expected, fallback, variable }: FileKey) {
  return {
    description: `${about}: ${expected}. Variable ${variable}.`,
    ...(fallback === "" ? {} : { default: fallback }),
    anyOf: [SCALAR, { type: "array", items: SCALAR }],
  };
}
