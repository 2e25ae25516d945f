/** mgpu alloc add: reads what an allocation is to be, has it tried, and makes a queue of such. */

import { MANAGERS, type Manager } from "../../core/elastic/records.ts";
import { UNLIMITED } from "../../core/jobspec.ts";
import { type Parsed, parseCount, parseMemory } from "../../core/parse.ts";
import { formatDuration, parseTimeLimit } from "../../core/time.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Params, Result } from "../../protocol/procedures.ts";
import { countOf } from "../../util/plural.ts";
import { shellWord } from "../../util/shell-word.ts";
import { formatMemory } from "../../view/amounts.ts";
import { type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import type { ParsedOptions } from "../option.ts";
import { EXIT_USAGE } from "../usage.ts";

type Wish = Params<"alloc.add">;

/** Of HyperQueue's automatic allocation, which people know. */
const IDLE_S = 300;

/** A queue with a look at it costs Slurm's controller some seconds where it is slow. */
const ADD_MS = 120_000;

/** Makes the queue, or shows what it would do; the exit code. */
export async function addQueue(
  words: readonly string[],
  parsed: ParsedOptions,
  context: CommandContext,
): Promise<number> {
  const wish = readWish(words, parsed, context);
  const { peer } = await context.connect({ start: false });
  try {
    const made = await peer.call("alloc.add", wish, { deadlineMs: ADD_MS });
    context.stdio.out(wish.dryRun ? dryRunText(made) : madeText(made, wish));
    return wish.dryRun && !made.draft.isTaken ? 1 : 0;
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== "BAD_PARAMS") throw error;
    throw new UserError(error.message.split("\n"), error.hint);
  } finally {
    peer.close();
  }
}

/** @throws UserError with every problem */
function readWish([manager, ...args]: readonly string[], parsed: ParsedOptions, context: CommandContext): Wish {
  const problems: string[] = [];
  const read = <T>(long: string, parse: (text: string) => Parsed<T>): T | undefined => {
    const text = lastValue(parsed, long);
    if (text === undefined) return undefined;
    const result = parse(text);
    if ("value" in result) return result.value;
    problems.push(`--${long}: ${result.problem}`);
    return undefined;
  };
  if (!isManager(manager)) problems.push(`expected ${MANAGERS.join(" or ")} behind add, got "${manager ?? ""}"`);
  const gpus = read("gpus", parseGpus) ?? "";
  const timeS = read("time", parseSpan);
  if (timeS === undefined && lastValue(parsed, "time") === undefined)
    problems.push("--time: how long is each allocation to last?");
  const max = read("max", parseCount) ?? 1;
  const limits = {
    ...{ max, backlog: read("backlog", parseCount) ?? 1, minBetweenS: read("every", parseSpan) ?? 0 },
    idleS: read("idle", parseSpan) ?? Math.min(IDLE_S, Math.max(1, Math.floor((timeS ?? IDLE_S) / 2))),
  };
  const cpus = read("cpus", parseCount);
  const memoryMiB = read("mem", parseMemory);
  for (const word of ["force", "json"]) if (parsed.values.has(word)) problems.push(`--${word} does not belong to add`);
  const plain = args.filter((arg, index) => index === 0 && !arg.startsWith("-"));
  problems.push(...plain.map((arg) => `unexpected word "${arg}": options of sbatch stand behind --`));
  if (problems.length > 0 || timeS === undefined || !isManager(manager)) {
    throw new UserError(problems, "mgpu alloc add slurm --gpus 4 --time 4h --max 2", EXIT_USAGE);
  }
  const { PATH, SLURM_CONF, SLURM_CONF_SERVER } = context.environment;
  const variables = { ...(SLURM_CONF ? { SLURM_CONF } : {}), ...(SLURM_CONF_SERVER ? { SLURM_CONF_SERVER } : {}) };
  return {
    manager,
    shape: { gpus, timeS, ...(cpus ? { cpus } : {}), ...(memoryMiB ? { memoryMiB } : {}) },
    limits,
    args: [...args],
    place: { ...(PATH ? { path: PATH } : {}), variables },
    dryRun: parsed.values.has("dry-run"),
  };
}

function isManager(word: string | undefined): word is Manager {
  return MANAGERS.some((one) => one === word);
}

/** `4`, `a100:4`. */
function parseGpus(text: string): Parsed<string> {
  const match = /^(?:([A-Za-z][\w.-]*):)?([1-9]\d{0,2})$/.exec(text.replace(/^gpu:/, ""));
  return match
    ? { value: match[0] }
    : { problem: `expected a count of GPUs or type:count, such as 4 or a100:4, got "${text}"` };
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `4h`, `90m`, `1h30m`, or of a time as Slurm has it. */
function parseSpan(text: string): Parsed<number> {
  const parts = [...text.matchAll(/(\d{1,6})([smhd])/g)];
  if (parts.length > 0 && parts.map(([all]) => all).join("") === text) {
    const value = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
    return value > 0 ? { value } : { problem: `expected more than no time, got "${text}"` };
  }
  const limit = parseTimeLimit(text);
  if ("value" in limit && limit.value !== UNLIMITED) return limit;
  return { problem: `expected a time such as 4h, 90m, 30 (minutes) or 1-12:00:00, got "${text}"` };
}

function madeText({ name, as, draft: { script } }: Result<"alloc.add">, { limits, shape }: Wish): string {
  const option = (long: string): string => new RegExp(`^#SBATCH --${long}=(.*)$`, "m").exec(script)?.[1] ?? "";
  const gpus = option("gres").replace(/^gpu:/, "");
  const what = [
    ...(gpus === "" ? [] : [`gpu:${gpus}`]),
    ...[`${countOf(Number(option("cpus-per-task")), "CPU")}`, formatMemory(Number.parseInt(option("mem"), 10))],
  ];
  return (
    `${name}: up to ${countOf(limits.max, "allocation")} of Slurm, each a node with ${what.join(", ")} ` +
    `for ${formatDuration(shape.timeS)}; submitted as ${as} when jobs wait for them\n`
  );
}

function dryRunText({ as, draft: { script, argv, test, isTaken } }: Result<"alloc.add">): string {
  const said = test
    .split("; ")
    .map((line) => `# ${line}\n`)
    .join("");
  const verdict = isTaken
    ? "Slurm would take it (sbatch --test-only):"
    : "Slurm would not take it (sbatch --test-only):";
  return `${script}\n# nothing was submitted; as ${as} this would be run:\n${argv.map(shellWord).join(" ")}\n# ${verdict}\n${said}`;
}
