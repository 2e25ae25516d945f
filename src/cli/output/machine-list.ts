/**
 * Documents for programs, as Slurm 23.11 and later write them: `{"jobs": [...], ..., "meta": ..., "errors": [],
 * "warnings": []}` as JSON or YAML. An entry leaves as soon as it is made.
 */

import type { JobListRow } from "../../protocol/procedures.ts";
import { JSON_FIELDS, jobJson, jobJsonWriter, number } from "../../view/job-json.ts";
import { SLURM_VERSION } from "../../view/slurm-version.ts";
import { yamlEntry, yamlText } from "../../view/yaml.ts";
import { type CommandContext, UserError } from "../context.ts";
import type { OptionReader } from "../filters.ts";
import { listingView } from "../listing-view.ts";
import type { JobPrinter } from "./job-list.ts";

/** Slurm's name of the one shape that mgpu writes. */
const PARSER = "v0.0.40";

/** How a document is written. */
type Style = "lines" | "compact" | "pretty" | "yaml";

/**
 * `--json=list`: which shapes there are. Answers whether that was asked for.
 * @throws UserError for a shape that mgpu does not write
 */
export function listParsers(options: OptionReader, { stdio }: CommandContext): boolean {
  const text = options.last("json") ?? options.last("yaml") ?? "";
  if (text === "list") {
    stdio.out(`Possible data_parser plugins:\n${PARSER}\n`);
    return true;
  }
  const name = text.replace(/^data_parser\//, "").split("+")[0] ?? "";
  if (name === "" || name === "latest" || name === PARSER) return false;
  throw new UserError(`Unable to find plugin: data_parser/${name}`, `mgpu writes the shape of data_parser/${PARSER}`);
}

/** A document that is written entry by entry. */
export interface Document {
  /** The text of some entries, with all that stands before them. */
  entries(records: readonly Record<string, unknown>[]): string;
  /** The text of one entry alone, for `join` later. */
  piece(record: Record<string, unknown>): string;
  /** The same as `entries`, from the texts of entries. */
  join(pieces: readonly string[]): string;
  /** What stands before entries that are written elsewhere, with {@link Document.separator} between them. */
  before(): string;
  /** `null` where entries are not written elsewhere: they are no lines. */
  readonly separator: string | null;
  /** What stands behind the last one. `more` are keys beside the list. */
  end(more: Record<string, unknown>): string;
}

/** A document whose list has the key `key`. */
export function openDocument(key: string, options: OptionReader, context: CommandContext, cluster: string): Document {
  const style = styleOf(options, context);
  const meta = metaJson(context, cluster, key);
  return style === "yaml" ? yamlDocument(key, meta) : jsonDocument(key, meta, style);
}

interface DocumentPrinter extends JobPrinter, Pick<Document, "separator"> {}

/** Jobs as a document. */
export function jobDocument(options: OptionReader, context: CommandContext, cluster: string): DocumentPrinter {
  const document = openDocument("jobs", options, context, cluster);
  const view = listingView(context, { isUnconverted: false, clusterName: () => cluster });
  const facts = { clusterName: cluster, groupName: view.groupName };
  const nowS = Math.floor(view.nowMs / 1000);
  const writer = jobJsonWriter(facts);
  const text = (row: JobListRow): string => writer.text(writer.fields.map((field) => row[field]));
  return {
    fields: JSON_FIELDS,
    rows(rows) {
      if (rows.length === 0) return "";
      if (document.separator === null) return document.entries(rows.map((row) => jobJson(row, facts)));
      return document.join(rows.map(text));
    },
    before: document.before,
    separator: document.separator,
    end: () => document.end({ last_backfill: number(nowS), last_update: number(nowS) }),
  };
}

/** SLURM_JSON says `compact` or `pretty`; without it each entry has a line of its own. */
function styleOf(options: OptionReader, { environment }: CommandContext): Style {
  if (options.isGiven("yaml") && !options.isTyped("json")) return "yaml";
  const wish = environment.SLURM_JSON ?? "";
  return wish === "compact" || wish === "pretty" ? wish : "lines";
}

function jsonDocument(key: string, meta: unknown, style: Style): Document {
  const [line, indent] = style === "compact" ? ["", undefined] : ["\n", style === "pretty" ? 2 : undefined];
  const head = style === "compact" ? `{${JSON.stringify(key)}:[` : `{${JSON.stringify(key)}: [`;
  let separator = head + line;
  let isEmpty = true;
  const piece = (record: Record<string, unknown>): string => JSON.stringify(record, null, indent);
  const join = (pieces: readonly string[]): string => {
    let text = "";
    for (const one of pieces) {
      text += separator + one;
      separator = `,${line}`;
      isEmpty = false;
    }
    return text;
  };
  return {
    entries: (records) => join(records.map(piece)),
    ...{ piece, join, separator: style === "pretty" ? null : `,${line}` },
    before() {
      isEmpty = false;
      const before = separator;
      separator = `,${line}`;
      return before;
    },
    end(more) {
      const rest = JSON.stringify({ ...more, meta, errors: [], warnings: [] }, null, indent);
      return `${isEmpty ? separator : line}],${line}${rest.slice(1)}\n`;
    },
  };
}

function yamlDocument(key: string, meta: unknown): Document {
  let head = `---\n${key}:`;
  let isEmpty = true;
  const join = (pieces: readonly string[]): string => {
    const text = `${isEmpty ? `${head}\n` : ""}${pieces.join("")}`;
    isEmpty = false;
    return text;
  };
  return {
    entries: (records) => join(records.map(yamlEntry)),
    piece: yamlEntry,
    ...{ join, separator: null, before: () => "" },
    end(more) {
      if (!isEmpty) head = "";
      return `${isEmpty ? `${head} []\n` : ""}${yamlText({ ...more, meta, errors: [], warnings: [] })}`;
    },
  };
}

/** What Slurm says of itself in each document. */
function metaJson({ user }: CommandContext, cluster: string, key: string): unknown {
  const [major, minor, micro] = SLURM_VERSION.split(".");
  return {
    plugin: { type: "", name: "", data_parser: `data_parser/${PARSER}`, accounting_storage: "" },
    client: { source: "", user: user.name, group: "" },
    command: ["show", key],
    slurm: { version: { major, micro, minor }, release: SLURM_VERSION, cluster },
  };
}
