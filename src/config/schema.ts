/**
 * What may stand in a configuration file: sections of keys, made from the table of settings. A value is a text or a
 * list of texts; what kind of text, the setting itself knows.
 */

import * as v from "valibot";
import { parseGpuWishes } from "../core/gres.ts";
import { isModelName } from "../core/models.ts";
import { PARTITION_KEYS, PARTITION_NAME, parsePartitionKey, partitionEntry } from "../core/partition-config.ts";
import { BACKEND_VARIABLE, BACKENDS, isBackend } from "./backends.ts";
import { SETTINGS } from "./settings.ts";

/** A setting as the file sees it, whatever its type. */
export interface FileKey {
  /** `SECTION.NAME`, or a name alone outside of all sections. */
  readonly key: string;
  readonly about: string;
  readonly variable: string;
  readonly expected: string;
  /** The default as it would be written; empty for none. */
  readonly fallback: string;
  readonly isLive: boolean;
  readonly isValid: (text: string) => boolean;
}

/** What commands heed, and no daemon. */
const CLIENT_KEYS: readonly FileKey[] = [
  {
    key: "backend",
    about: "what runs the cluster that commands speak to: mgpu's own daemons, or the Slurm of this machine",
    variable: BACKEND_VARIABLE,
    expected: BACKENDS.join(" or "),
    fallback: "mgpu",
    isLive: true,
    isValid: isBackend,
  },
  {
    key: "tui.squeue",
    about: "whether mgpu-squeue without arguments shows the queue on the whole screen of a terminal",
    variable: "MGPU_TUI",
    expected: "auto or never",
    fallback: "auto",
    isLive: true,
    isValid: (text) => text === "auto" || text === "never",
  },
  {
    key: "commands.front",
    about: "whether many short commands in a row are run by one process that stays for a minute, a front",
    variable: "MGPU_FRONT",
    expected: "auto or never",
    fallback: "auto",
    isLive: true,
    isValid: (text) => text === "auto" || text === "never",
  },
];

const DAEMON_KEYS: readonly FileKey[] = Object.values(SETTINGS).map(
  ({ key, about, variable, expected, fallback, parse, format, isLive }) => ({
    ...{ key, about, variable, expected },
    fallback:
      fallback === 0 ? "" : ((format as ((value: unknown) => string) | undefined)?.(fallback) ?? String(fallback)),
    isLive: isLive ?? false,
    isValid: (text) => parse(text) !== undefined,
  }),
);

/** Their keys are names of models and partitions. */
const TABLES: readonly string[] = ["models", "partitions"];

/** All keys, in the order of the table. */
export const FILE_KEYS: readonly FileKey[] = [...DAEMON_KEYS, ...CLIENT_KEYS];

/** Those that stand in no section. */
export const TOP_KEYS: readonly FileKey[] = FILE_KEYS.filter(({ key }) => !key.includes("."));

/** Those that stand in sections of fixed keys. */
export const PLAIN_KEYS: readonly FileKey[] = FILE_KEYS.filter(
  ({ key }) => key.includes(".") && !TABLES.includes(sectionOf(key)),
);

/** Sections of fixed keys, in the order in which they come first. */
export const SECTIONS: readonly string[] = [...new Set(PLAIN_KEYS.map(({ key }) => sectionOf(key)))];

/** Sections whose keys are names. */
export const NAMED_SECTIONS = ["nodes", "partitions", "models"] as const;

/** Entries of `nodes` have the keys of `node`, except the name, which is the entry's own. */
const NODE_SECTION = "node";
const NODE_NAME_KEY = "node.name";

/** Most nodes that a file may describe. */
const NODES_MAX = 10_000;

/** The section of `SECTION.NAME`. */
export function sectionOf(key: string): string {
  return key.slice(0, key.indexOf("."));
}

/** The name in its section. */
export function nameOf(key: string): string {
  return key.slice(key.indexOf(".") + 1);
}

/** Keys of a section. */
export function keysOf(section: string): readonly FileKey[] {
  return FILE_KEYS.filter(({ key }) => sectionOf(key) === section);
}

/** Lists are the same as their members with commas between them. Nothing at all is no value. */
const value = ({ expected, isValid }: FileKey) =>
  v.optional(
    v.pipe(
      v.union([v.string(), v.array(v.string())], `expected ${expected}`),
      v.transform((given) => (typeof given === "string" ? given : given.join(","))),
      v.check(
        (text) => text === "" || isValid(text),
        ({ input }) => `expected ${expected}, got "${input}"`,
      ),
    ),
  );

const section = (keys: readonly FileKey[]) =>
  v.strictObject(Object.fromEntries(keys.map((one) => [nameOf(one.key), value(one)])), "expected keys with values");

const nodeName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "expected the name of a node"));

const nodes = v.pipe(
  v.record(
    nodeName,
    section(keysOf(NODE_SECTION).filter(({ key }) => key !== NODE_NAME_KEY)),
    "expected names of nodes",
  ),
  v.maxEntries(NODES_MAX, `expected at most ${NODES_MAX} nodes`),
);

const modelName = v.pipe(v.string(), v.check(isModelName, "expected the name of a model"));

const gpus = v.pipe(
  v.string("expected GPUs, such as 2, 0.5 or a100:2"),
  v.check(
    (text) => "value" in parseGpuWishes(text),
    ({ input }) => `expected GPUs, such as 2, 0.5 or a100:2, got "${input}"`,
  ),
);

/** GPUs by model; `models` within it and `default_requirement` as llm_config.json has them, `file` names such a file. */
const models = v.objectWithRest(
  { file: v.optional(v.string("expected the path of a file")), models: v.optional(v.record(modelName, gpus)) },
  gpus,
  "expected models with their GPUs, such as llama-70b: 4",
);

/** A key of a partition: what it may be, scontrol knows. */
const partitionKey = (key: string) =>
  v.optional(
    v.pipe(
      v.union([v.string(), v.array(v.string())], "expected a value"),
      v.transform((given) => (typeof given === "string" ? given : given.join(","))),
      v.rawCheck(({ dataset, addIssue }) => {
        const parsed = dataset.typed ? parsePartitionKey(key, dataset.value) : { value: {} };
        if ("problem" in parsed) addIssue({ message: parsed.problem });
      }),
    ),
  );

/** Each by itself first, then together. */
const partitions = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(PARTITION_NAME, "expected the name of a partition")),
    v.pipe(
      v.strictObject(
        Object.fromEntries(PARTITION_KEYS.map((key) => [key, partitionKey(key)])),
        "expected keys such as nodes: n[1-4]",
      ),
      v.rawCheck(({ dataset, addIssue }) => {
        const parsed = dataset.typed ? partitionEntry("p", textsOf(dataset.value)) : { value: {} };
        if ("problem" in parsed) addIssue({ message: parsed.problem });
      }),
    ),
    "expected names of partitions",
  ),
);

/** Without keys that say nothing. */
export function textsOf(said: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(said).filter((pair): pair is [string, string] => !!pair[1]));
}

/** A whole file. Sections without any key are left out before. */
export const CONFIG_SCHEMA = v.strictObject(
  {
    ...(Object.fromEntries(SECTIONS.map((name) => [name, v.optional(section(keysOf(name)))])) as Record<
      string,
      v.OptionalSchema<ReturnType<typeof section>, undefined>
    >),
    ...(Object.fromEntries(TOP_KEYS.map((one) => [one.key, value(one)])) as Record<never, never>),
    nodes: v.optional(nodes),
    partitions: v.optional(partitions),
    models: v.optional(models),
  },
  "expected sections such as limits:",
);
