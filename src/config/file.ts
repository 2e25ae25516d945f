/**
 * The configuration file: YAML (version 1.2, of which JSON is a part) with a section of keys for each theme. Every
 * scalar is read as the text that it was written as, as environment variables are. All problems are found at once, each
 * with its line and column.
 */

import * as v from "valibot";
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { formatPartitions, PARTITION_KEYS } from "../core/partition-config.ts";
import { nearest } from "../util/nearest.ts";
import {
  CONFIG_SCHEMA,
  keysOf,
  NAMED_SECTIONS,
  nameOf,
  PLAIN_KEYS,
  SECTIONS,
  sectionOf,
  TOP_KEYS,
  textsOf,
} from "./schema.ts";
import { SETTINGS } from "./settings.ts";

/** What a file says. */
export interface ConfigFile {
  /** Texts by environment variable; for the node that was asked for. */
  readonly texts: Readonly<Record<string, string>>;
  /** Where each stands, by environment variable: `FILE:LINE:COLUMN`. */
  readonly places: Readonly<Record<string, string>>;
  /** Another file that has the models, as it was written; `null` for none. */
  readonly modelFile: string | null;
}

/** Larger files are no configuration. */
export const CONFIG_BYTES_MAX = 1024 * 1024;

/** Anchors may be used, but not to blow a small file up. */
const ALIASES_MAX = 100;

/** Most problems that are told at once. */
const PROBLEMS_MAX = 50;

type Path = readonly (string | number)[];

/** What a reading depends on besides the text. */
export interface ReadingOf {
  /** The file's name as problems tell it. */
  readonly name: string;
  /** This machine's node, if its name is given; else the file's `node.name`, else `hostname`. */
  readonly node: string;
  readonly hostname: string;
}

/**
 * Reads a file's text. What `nodes` says of this machine's node goes above `node`.
 * @returns what it says, or one line for each problem: `FILE:LINE:COLUMN: limits.kill_wait: expected seconds, got "x"`
 */
export function readConfig(text: string, of: ReadingOf): ConfigFile | { readonly problems: readonly string[] } {
  return read(text, of, 0);
}

/** Reads a file that is a `models` section by itself: `llm_config.json` of a predecessor. */
export function readModels(text: string, of: ReadingOf): ConfigFile | { readonly problems: readonly string[] } {
  return read(`{"models":\n${text}\n}`, of, 1);
}

/** @param added lines before the file's own */
function read(
  text: string,
  { name, node, hostname }: ReadingOf,
  added: number,
): ConfigFile | { readonly problems: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, schema: "failsafe", prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line - added)}:${col}`;
  };
  if (document.errors.length > 0) {
    return { problems: document.errors.slice(0, PROBLEMS_MAX).map(({ pos, message }) => `${at(pos[0])}: ${message}`) };
  }
  const content = contentOf(document);
  if ("problem" in content) return { problems: [`${name}:1:1: ${content.problem}`] };
  const parsed = v.safeParse(CONFIG_SCHEMA, content.value);
  if (parsed.issues) {
    const problems = parsed.issues
      .map((issue) => ({ offset: offsetOf(document, issue), text: describe(issue) }))
      .sort((a, b) => a.offset - b.offset)
      .map(({ offset, text }) => `${at(offset)}: ${text}`);
    return { problems: [...new Set(problems)].slice(0, PROBLEMS_MAX) };
  }
  return said(document, parsed.output as unknown as Said, (named) => node || named || hostname, at);
}

type Issue = v.BaseIssue<unknown>;
type Section = Readonly<Record<string, string | undefined>>;
/** The schema's output; its sections are made from a table, so their keys are not in the type. */
type Said = Readonly<Record<string, Section>> & {
  readonly nodes?: Readonly<Record<string, Section>>;
  readonly partitions?: Readonly<Record<string, Section>>;
  readonly models?: { readonly file?: string; readonly models?: Section };
};

/** The file as plain values; a section without keys (`limits:` alone) is none. */
function contentOf(document: Document): { readonly value: unknown } | { readonly problem: string } {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  if (value === null || value === undefined || value === "") return { value: {} };
  if (typeof value !== "object" || Array.isArray(value)) return { problem: "expected sections such as limits:" };
  return { value: Object.fromEntries(Object.entries(value).filter(([, section]) => section !== "")) };
}

function said(
  document: Document,
  output: Said,
  nodeOf: (named: string | undefined) => string,
  at: (offset: number) => string,
): ConfigFile {
  const texts: Record<string, string> = {};
  const places: Record<string, string> = {};
  const take = (path: Path, variable: string, text: string | undefined): void => {
    if (text === undefined || text === "") return;
    texts[variable] = text;
    places[variable] = at(startOf(document, path));
  };
  for (const { key, variable } of TOP_KEYS) {
    take([key], variable, (output as unknown as Record<string, string | undefined>)[key]);
  }
  for (const { key, variable } of PLAIN_KEYS) {
    take([sectionOf(key), nameOf(key)], variable, output[sectionOf(key)]?.[nameOf(key)]);
  }
  const own = nodeOf(texts.MGPU_NODE_ID);
  for (const { key, variable } of keysOf("node")) {
    take(["nodes", own, nameOf(key)], variable, output.nodes?.[own]?.[nameOf(key)]);
  }
  const parts = Object.entries(output.partitions ?? {}).map(([name, said]) => ({ name, texts: textsOf(said) }));
  take(["partitions"], SETTINGS.partitions.variable, formatPartitions(parts));
  const { file, models, ...rest } = output.models ?? {};
  const rows = Object.entries({ ...rest, ...models }).map(([model, gpus]) => `${model}=${gpus}`);
  take(["models"], SETTINGS.models.variable, rows.join(","));
  return { texts, places, modelFile: file ?? null };
}

const pathOf = ({ path }: Issue): Path => (path ?? []).map(({ key }) => key as string | number);

/** `limits.kill_wait: expected seconds, got "x"`. */
function describe(issue: Issue): string {
  const path = pathOf(issue);
  if (issue.type !== "strict_object" || issue.expected !== "never") {
    return `${path.join(".")}: ${issue.message}`;
  }
  const key = String(path.at(-1));
  const known = knownAt(path);
  const guess = nearest(key, known);
  const help = guess ? `did you mean ${guess}?` : `known are ${known.join(", ")}`;
  return `${path.join(".")}: there is no such ${path.length === 1 ? "section" : "key"}; ${help}`;
}

/** What may stand where an unknown key stands. */
function knownAt(path: Path): readonly string[] {
  if (path.length === 1) return [...SECTIONS, ...NAMED_SECTIONS, ...TOP_KEYS.map(({ key }) => key)];
  if (path[0] === "partitions") return PARTITION_KEYS;
  const isOfNode = path[0] === "nodes";
  const names = keysOf(isOfNode ? "node" : String(path[0])).map(({ key }) => nameOf(key));
  return isOfNode ? names.filter((name) => name !== "name") : names;
}

/** Where an issue's value stands; its key, where that is what is wrong. */
function offsetOf(document: Document, issue: Issue): number {
  const path = pathOf(issue);
  const isUnknown = issue.type === "strict_object" && issue.expected === "never";
  const isKey = isUnknown || issue.path?.at(-1)?.origin === "key";
  return isKey || path.length === 0 ? keyOffset(document, path) : startOf(document, path);
}

function startOf(document: Document, path: Path): number {
  const node = document.getIn(path, true) as Node | undefined;
  return node?.range?.[0] ?? keyOffset(document, path);
}

function keyOffset(document: Document, path: Path): number {
  const parent = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return 0;
  const pair = parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0;
}
