/**
 * Manual pages in man(7), made from the declarations of the commands: a page a command, and mgpu(7) over all. Read by
 * man-db's groff and by mandoc alike.
 */

import type { Option } from "../option.ts";
import { parityTable } from "../options/parity.ts";
import { catalogue, type Entry, isUseful } from "./catalogue.ts";
import { COMMON_DIFFERENCE, DIFFERENCES } from "./differences.ts";
import { EXIT_CODES, OVERVIEW, PROSE, SECTIONS } from "./prose.ts";
import { TOPICS, type Topic } from "./topics.ts";

/** Of the pages, not of a build: a page is to change only when its text does. */
const DATE = "2026-11-22";

/** Texts of all pages by file name. */
export async function manPages(version: string): Promise<ReadonlyMap<string, string>> {
  const entries = await catalogue();
  const pages = entries.map((entry) => [`${entry.page}.1`, commandPage(entry, entries, version)] as const);
  const topics = TOPICS.map((topic) => [`${topic.page}.${topic.section}`, topicPage(topic, version)] as const);
  return new Map([...pages, ["mgpu.7", overviewPage(entries, version)], ...topics]);
}

function commandPage(entry: Entry, entries: readonly Entry[], version: string): string {
  const { typed, page, command, options } = entry;
  const isMain = typed === "mgpu";
  return [
    title(page, "1", version),
    section("NAME", [`${roff(page)} \\- ${roff(lowered(command.summary))}`]),
    section("SYNOPSIS", [`.B ${roff(typed)}`, roff(command.synopsis)]),
    section("DESCRIPTION", paragraphs([`${command.summary}.`, ...(PROSE[page] ?? [])])),
    isMain ? section("COMMANDS", entries.slice(1).flatMap(summaryLines)) : "",
    section(
      "OPTIONS",
      [...options]
        .filter(isUseful)
        .sort((a, b) => (a.long < b.long ? -1 : 1))
        .flatMap((option) => optionLines(option, command.name)),
    ),
    ...(SECTIONS[page] ?? []).map(({ heading, texts = [], terms = [] }) =>
      section(heading, [...paragraphs(texts), ...termLines(terms)]),
    ),
    section("RETURN VALUE", exitLines(command.name)),
    section("ENVIRONMENT VARIABLES", variableLines(options, command.name)),
    isMain ? "" : section("EXAMPLES", examples(command.examples)),
    differencesSection(page, command.name),
    section("COPYING", ["mgpu is free software under the MIT license."]),
    section("SEE ALSO", [seeAlso(page, entries)]),
  ].join("");
}

function overviewPage(entries: readonly Entry[], version: string): string {
  return [
    title("mgpu", "7", version),
    section("NAME", ["mgpu \\- jobs on the GPUs of one to fifty machines, with the commands of Slurm"]),
    ...OVERVIEW.map(({ heading, texts }) => section(heading, paragraphs(texts))),
    section("COMMANDS", entries.flatMap(summaryLines)),
    section("SEE ALSO", [seeAlso("", entries)]),
  ].join("");
}

function title(page: string, number: string, version: string): string {
  return `.\\" Made by "npm run generate" from the declarations of the options: do not edit.\n.TH ${roff(page.toUpperCase())} ${number} "${DATE}" "mgpu ${version}" "mgpu Commands"\n`;
}

function section(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `.SH ${heading}\n${lines.join("\n")}\n`;
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, at) => (at === 0 ? [roff(text)] : [".PP", roff(text)]));
}

function summaryLines({ page, command }: Entry): string[] {
  return [".TP", `.BR ${roff(page)} (1)`, roff(`${command.summary}.`)];
}

function optionLines(option: Option, name: string): string[] {
  const variable = Object.entries(option.variables ?? {}).find(([owner]) => owner === name)?.[1];
  const others = (option.aliases ?? []).map((alias) => `--${alias}`);
  const also = others.length === 0 ? "" : ` Also ${others.join(", ")}.`;
  const text = `${raised(option.help)}.${also}${variable === undefined ? "" : ` Variable: ${variable}.`}`;
  return [".TP", optionHead(option), roff(text)];
}

function optionHead({ short, long, argument, metavar = "value" }: Option): string {
  const value = `\\fI${roff(metavar)}\\fR`;
  const after = { none: "", required: `=${value}`, optional: `[=${value}]` }[argument];
  const letter = short === undefined ? "" : `\\fB\\-${roff(short)}\\fR, `;
  return `${letter}\\fB\\-\\-${roff(long)}\\fR${after}`;
}

function topicPage({ page, section: number, summary, sections }: Topic, version: string): string {
  return [
    title(page, number, version),
    section("NAME", [`${roff(page)} \\- ${roff(summary)}`]),
    ...sections.map(({ heading, texts = [], terms = [], lines = [] }) =>
      section(heading, [...paragraphs(texts), ...termLines(terms), ...examples(lines)]),
    ),
    section("SEE ALSO", ["\\fBmgpu\\fR(1),\n\\fBmgpu\\fR(7),\n\\fBmgpu\\-srun\\fR(1)"]),
  ].join("");
}

function termLines(terms: readonly (readonly [string, string])[]): string[] {
  return terms.flatMap(([term, text]) => [".TP", `\\fB${roff(term)}\\fR`, roff(text)]);
}

/** For the commands that bear a name of Slurm's; how each of its options is taken, for those that submit. */
function differencesSection(page: string, name: string): string {
  const own = DIFFERENCES[page];
  const rows = parityTable().filter(({ commands }) => commands.some((one) => one === name));
  if (own === undefined) return "";
  const kind = (wanted: string): typeof rows => rows.filter((row) => row.kind === wanted);
  const list = (wanted: string): string[] =>
    kind(wanted).flatMap(({ option, short, reason }) => {
      return [".TP", `\\fB${roff(option)}\\fR${short === "" ? "" : `, \\fB${roff(short)}\\fR`}`, roff(reason)];
    });
  const supported = kind("supported").map(({ option }) => option);
  return section("DIFFERENCES FROM SLURM", [
    ...paragraphs([...own, COMMON_DIFFERENCE]),
    ...(rows.length === 0
      ? []
      : [
          ...[".SS Supported options of Slurm", roff(`${supported.join(", ")}.`)],
          ...[".SS Taken without effect", ...list("no effect")],
          ...[".SS Refused", ...list("refused")],
        ]),
  ]);
}

function variableLines(options: readonly Option[], name: string): string[] {
  const own = options.filter(isUseful).flatMap(({ long, variables }) => {
    const variable = Object.entries(variables ?? {}).find(([owner]) => owner === name)?.[1];
    return variable === undefined ? [] : [[variable, `As --${long}, which comes first.`] as const];
  });
  const all = [
    ...own,
    ["MGPU_CONTROLLER", "Socket of the controller to use, rather than one of this machine."] as const,
  ];
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([variable, text]) => [".TP", `.B ${roff(variable)}`, roff(text)]);
}

function exitLines(name: string): string[] {
  const codes = EXIT_CODES[name] ?? (name.startsWith("mgpu") ? EXIT_CODES.mgpu : EXIT_CODES.others) ?? [];
  return codes.flatMap(([code, text]) => [".TP", `.B ${roff(code)}`, roff(text)]);
}

function examples(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [".nf", ...lines.map((line) => `\\fB${roff(line)}\\fR`), ".fi"];
}

function seeAlso(page: string, entries: readonly Entry[]): string {
  const others = entries.filter((entry) => entry.page !== page).map((entry) => `\\fB${roff(entry.page)}\\fR(1)`);
  const topics = TOPICS.map((topic) => `\\fB${roff(topic.page)}\\fR(${topic.section})`);
  return [...(page === "" ? [] : ["\\fBmgpu\\fR(7)"]), ...others, ...topics].join(",\n");
}

/** Nothing in a text is a request or an escape; each hyphen is one that can be copied. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
}

function lowered(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function raised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
