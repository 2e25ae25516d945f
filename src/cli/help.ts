/**
 * --help and --usage, from the same records that parse the command line. Lines have at most 80 columns, so that
 * help reads well in the narrowest terminal that people use.
 */

import type { Command } from "./context.ts";
import type { Option } from "./option.ts";

const COLUMNS = 80;
/** Where an option's sentence starts; a longer option has it on the next line. */
const TEXT_COLUMN = 32;

/** Full help: usage, summary, one entry an option, variables, examples. Ends with a line break. */
export function helpText(command: Command, program: string): string {
  const lines = [`Usage: ${program} ${command.synopsis}`, "", ...wrap(sentence(command.summary), COLUMNS), ""];
  for (const note of command.notes ?? []) lines.push(...wrap(sentence(note), COLUMNS), "");
  lines.push("Options:");
  for (const option of command.options.filter(isShown)) lines.push(...optionLines(option, command.name));
  const heading = command.name === "mgpu" ? "Commands:" : "Examples:";
  if (command.examples.length > 0) lines.push("", heading, ...command.examples.map((example) => `  ${example}`));
  return `${lines.join("\n")}\n`;
}

/** The reminder: usage with every option's name, wrapped. Ends with a line break. */
export function usageText(command: Command, program: string): string {
  const head = `Usage: ${program}`;
  const words = [
    ...command.options.filter(isShown).map((option) => `[${shortForm(option)}]`),
    ...operandWords(command.synopsis),
  ];
  const lines: string[] = [];
  let line = head;
  for (const word of words) {
    if (line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = " ".repeat(head.length);
    }
    line += ` ${word}`;
  }
  return `${[...lines, line].join("\n")}\n`;
}

/** Breaks text at blanks into lines of at most `columns`; a longer word has a line of its own. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function optionLines(option: Option, commandName: string): string[] {
  const head = `  ${option.short ? `-${option.short}, ` : "    "}${longForm(option)}`;
  const variable = variableOf(option, commandName);
  const text = variable === undefined ? option.help : `${option.help} [$${variable}]`;
  const [first = "", ...rest] = wrap(text, COLUMNS - TEXT_COLUMN);
  const indent = " ".repeat(TEXT_COLUMN);
  const following = rest.map((line) => indent + line);
  if (head.length + 2 > TEXT_COLUMN) return [head, indent + first, ...following];
  return [head.padEnd(TEXT_COLUMN) + first, ...following];
}

/** Options that do nothing here are taken without being recommended. */
function isShown({ ignored, refused }: Option): boolean {
  return ignored === undefined && refused === undefined;
}

function longForm({ long, argument, metavar = "value" }: Option): string {
  if (argument === "none") return `--${long}`;
  return argument === "required" ? `--${long}=${metavar}` : `--${long}[=${metavar}]`;
}

function shortForm(option: Option): string {
  const { short, argument, metavar = "value" } = option;
  if (short === undefined) return longForm(option);
  if (argument === "none") return `-${short}`;
  return argument === "required" ? `-${short} ${metavar}` : `-${short}[${metavar}]`;
}

function variableOf(option: Option, commandName: string): string | undefined {
  return Object.entries(option.variables ?? {}).find(([owner]) => owner === commandName)?.[1];
}

/** The synopsis without its `[OPTIONS...]`, which the list of options replaces. */
function operandWords(synopsis: string): string[] {
  return synopsis.split(" ").filter((word) => word !== "" && !/^\[options/i.test(word));
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
