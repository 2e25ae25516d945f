/** mgpu sim: a trace replayed with other policies or on another cluster, side by side. Nothing of the cluster is changed. */

import { type HistoryRecord, historyFilter } from "../../core/history.ts";
import type { Node } from "../../core/node.ts";
import { sleep } from "../../platform/clock.ts";
import type { Outcome, Progress, Trace, Variant } from "../../replay/main.ts";
import type { Connected, Peer } from "../../rpc/types.ts";
import { countOf } from "../../util/plural.ts";
import { type Command, type CommandContext, type ReplayEngine, UserError } from "../context.ts";
import type { ParsedOptions } from "../option.ts";
import { EXIT_USAGE } from "../usage.ts";

const EXIT_INTERRUPTED = 130;

/** Work between two looks at the keyboard and the clock. */
const SLICE_MS = 40;

/** How often the progress is written anew. */
const PROGRESS_MS = 100;

const PROGRESS_BAR = 30;

/** Columns where no terminal says how many. */
const WIDTH_DEFAULT = 100;

export const command: Command = {
  name: "mgpu sim",
  summary: "Replay a trace, or this cluster's own past, with other policies or on another cluster, side by side",
  synopsis: "[OPTIONS...] [TRACE...]",
  options: [
    {
      ...{ long: "cluster", short: "c", argument: "required", metavar: "nodes x GPUs" },
      help: "replay on such a cluster: 8x8, 1x0x128 (nodes x GPUs x CPUs), 4x8:a100,16x2:t4; without it, on this one",
    },
    {
      ...{ long: "nodes", argument: "required", metavar: "file" },
      help: "replay on the nodes of a table with the columns name,gpus[,cpus][,memory_mib][,type], or on those of openb",
    },
    {
      ...{ long: "policy", short: "p", argument: "required", metavar: "names" },
      help: "compare these policies, several with commas or several times; --policy=help lists them",
    },
    {
      ...{ long: "what-if", argument: "required", metavar: "change" },
      help: 'and the same on a changed cluster: "+2 nodes of 8", "+1 node of 4 a100", "-1 node"; may be given several times',
    },
    {
      long: "format",
      argument: "required",
      metavar: "name",
      help: "the trace's format, where it is not found out: muri, swf, swf-csv, openb, philly, mgpu",
    },
    { long: "jobs", short: "n", argument: "required", metavar: "count", help: "replay the first jobs only" },
    {
      ...{ long: "time-limit", short: "t", argument: "required", metavar: "seconds" },
      help: "the time limit of jobs whose trace names none; without it such a limit is the run time",
    },
    {
      ...{ long: "event-cost", argument: "required", metavar: "seconds" },
      help: "progress that each running job loses at every event, where jobs take turns; without it what the trace says, else 0",
    },
    {
      ...{ long: "placement", argument: "required", metavar: "name" },
      help: "choose nodes by this score: pack, best-fit, spread, fgd, thrifty, random, or first-fit for in their order; without it pack",
    },
    { long: "json", argument: "none", help: "print the numbers as JSON: times in seconds, shares from 0 to 1" },
    { long: "csv", argument: "required", metavar: "file", help: "write a line for each job and policy to a file" },
    {
      long: "svg",
      argument: "required",
      metavar: "file",
      help: "write a picture to a file: how waits are spread, and the load over time",
    },
    { long: "no-chart", argument: "none", help: "print the table alone" },
    {
      long: "ascii",
      argument: "none",
      help: "draw with ASCII characters only; so it does where the locale is not UTF-8",
    },
    { long: "quiet", short: "q", argument: "none", help: "show no progress" },
  ],
  operands: "permute",
  examples: [
    "mgpu sim",
    'mgpu sim --what-if "+2 nodes of 8"',
    "mgpu sim --cluster 8x8 --policy srsf,likely trace1.csv",
    "mgpu sim --cluster 1x0x128 --policy easy,easy-sjbf,slowdown --svg waits.svg SDSC-SP2.swf.gz",
  ],
  run,
};

/** What the options say. */
interface Wishes {
  readonly trace: Trace;
  readonly traceName: string;
  readonly variants: readonly Variant[];
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const engine = context.loadReplay();
  const policyText = lastOf(parsed, "policy");
  if (policyText === "help" || policyText === "list") {
    context.stdio.out(policyList(engine));
    return 0;
  }
  const { wishes, policies, placement, numbers } = await readWishes(parsed, context, engine);
  const jobs = wishes.trace.jobs.slice(0, numbers.jobs ?? undefined);
  try {
    const steps = engine.replay(
      { ...wishes.trace, jobs },
      {
        ...{ policies, variants: wishes.variants, placement },
        ...{ limitS: numbers.limitS, eventCostS: numbers.eventCostS },
      },
    );
    const outcome = await drive(steps, context, parsed.values.has("quiet"));
    if (outcome === null) {
      context.stdio.err(`${context.program}: interrupted; nothing was written\n`);
      return EXIT_INTERRUPTED;
    }
    writeReport(outcome, { ...wishes, trace: { ...wishes.trace, jobs } }, parsed, context, engine);
    return 0;
  } catch (error) {
    if (error instanceof engine.ReplayError) throw new UserError(error.problems, error.hint);
    throw error;
  }
}

function lastOf({ values }: ParsedOptions, long: string): string | undefined {
  return values.get(long)?.at(-1);
}

function policyList({ POLICIES, DEFAULT_POLICIES }: ReplayEngine): string {
  const width = Math.max(...POLICIES.map(({ name }) => name.length)) + 2;
  const lines = POLICIES.map(({ name, about }) => `${name.padEnd(width)}${about}\n`);
  return `${lines.join("")}\nWithout --policy: ${DEFAULT_POLICIES.join(",")}\n`;
}

/** Reads one thing after the other, and keeps what is wrong with each: all of it is told at once. */
class Reading {
  readonly #engine: ReplayEngine;
  readonly #problems: string[] = [];
  readonly #hints = new Set<string>();

  constructor(engine: ReplayEngine) {
    this.#engine = engine;
  }

  add(...problems: readonly string[]): void {
    this.#problems.push(...problems);
  }

  /** What `read` returns, `null` if it can't. */
  try<T>(read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      const isOurs = error instanceof UserError || error instanceof this.#engine.ReplayError;
      if (!isOurs) throw error;
      this.#problems.push(...error.problems);
      if (error.hint !== undefined) this.#hints.add(error.hint);
      return null;
    }
  }

  check(): void {
    if (this.#problems.length === 0) return;
    throw new UserError(this.#problems, [...this.#hints].join("; ") || undefined, EXIT_USAGE);
  }
}

function readNumbers(parsed: ParsedOptions, reading: Reading) {
  const read = (long: string, pattern: RegExp, what: string): number | null => {
    const text = lastOf(parsed, long);
    if (text === undefined) return null;
    if (pattern.test(text)) return Number(text);
    reading.add(`--${long}: expected ${what}, got "${text}"`);
    return null;
  };
  return {
    jobs: read("jobs", /^[1-9]\d{0,8}$/, "a number of jobs from 1 on"),
    limitS: read("time-limit", /^[1-9]\d{0,8}$/, "whole seconds from 1 on"),
    eventCostS: read("event-cost", /^\d{1,6}(\.\d+)?$/, "seconds such as 0 or 2.5"),
  };
}

/** A long replay must not end with a file that can't be written. */
function checkTargets({ files }: CommandContext, paths: readonly (string | undefined)[], reading: Reading): void {
  for (const path of paths) {
    if (path === undefined) continue;
    const folder = path.slice(0, path.lastIndexOf("/") + 1) || ".";
    const problem = files.isFolder(folder) ? files.writeProblem(path) : `there is no folder ${folder}`;
    if (problem !== "") reading.add(`can't write ${path}: ${problem}`);
  }
}

async function readWishes(parsed: ParsedOptions, context: CommandContext, engine: ReplayEngine) {
  const reading = new Reading(engine);
  const numbers = readNumbers(parsed, reading);
  const listed = parsed.values.get("policy")?.flatMap((text) => text.split(","));
  const names = listed?.map((name) => name.trim()).filter((name) => name !== "") ?? engine.DEFAULT_POLICIES;
  const policies = reading.try(() => engine.policiesNamed(names, engine.POLICIES)) ?? [];
  const changes = (parsed.values.get("what-if") ?? []).flatMap(
    (text) => reading.try(() => engine.parseWhatIf(text)) ?? [],
  );
  const given = lastOf(parsed, "format");
  const format = engine.TRACE_FORMATS.find((name) => name === given) ?? null;
  if (format === null && given !== undefined) {
    reading.add(`--format: no format is named "${given}"; known are ${engine.TRACE_FORMATS.join(", ")}`);
  }
  const score = lastOf(parsed, "placement") ?? "pack";
  const placement = engine.PLACEMENTS.find((name) => name === score) ?? "pack";
  if (placement !== score) {
    reading.add(`--placement: no score is named "${score}"; known are ${engine.PLACEMENTS.join(", ")}`);
  }
  if (parsed.values.has("cluster") && parsed.values.has("nodes")) {
    reading.add("--cluster and --nodes both name a cluster: give one of them");
  }
  checkTargets(context, [lastOf(parsed, "csv"), lastOf(parsed, "svg")], reading);
  const named = reading.try(() => namedNodes(parsed, context, engine));
  const files = parsed.operands.flatMap((name) => {
    const text = reading.try(() => readText(name, context, engine));
    return text === null ? [] : [{ name, text }];
  });
  const read = files.length > 0 ? reading.try(() => engine.readTrace(files, format)) : null;
  reading.check();
  const { trace, nodes } = await withCluster(context, async (connect) => {
    const known = read ?? (await ownPast(await connect(), engine));
    const pool = known.processors === null ? null : engine.parseCluster(`1x0x${known.processors}`);
    return { trace: known, nodes: named ?? pool ?? (await presentNodes(await connect(), engine)) };
  });
  const variants = changes.flatMap((change) => {
    const changed = reading.try(() => engine.changeCluster(nodes, change));
    return changed === null ? [] : [{ label: change.text, nodes: changed }];
  });
  reading.check();
  const traceName = files.length > 0 ? files.map(({ name }) => name).join(", ") : "this cluster's past";
  const wishes: Wishes = { trace, traceName, variants: [{ label: "", nodes }, ...variants] };
  return { wishes, policies, placement, numbers };
}

function namedNodes({ values }: ParsedOptions, context: CommandContext, engine: ReplayEngine): readonly Node[] | null {
  const cluster = values.get("cluster")?.at(-1);
  if (cluster !== undefined) return engine.parseCluster(cluster);
  const file = values.get("nodes")?.at(-1);
  return file === undefined ? null : engine.readNodes(readText(file, context, engine), file);
}

/** A file's text, or standard input's (`-`); unpacked if gzip packed it. */
function readText(name: string, { files }: CommandContext, { gunzip }: ReplayEngine): string {
  let data: Uint8Array;
  try {
    data = name === "-" ? files.readWhile(null, () => true) : files.read(name);
  } catch (error) {
    throw new UserError(`can't read ${name}: ${reasonOf(error)}`);
  }
  try {
    const isPacked = data[0] === 0x1f && data[1] === 0x8b;
    return new TextDecoder().decode(isPacked ? gunzip(data) : data);
  } catch (error) {
    throw new UserError(`can't unpack ${name}: ${reasonOf(error)}`, "is it whole? gzip -t tells");
  }
}

function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}

/** Connects where something is asked of this cluster, and once only. */
async function withCluster<T>(context: CommandContext, use: (connect: () => Promise<Peer>) => Promise<T>): Promise<T> {
  let opened: Promise<Connected> | null = null;
  try {
    return await use(async () => {
      opened ??= context.connect();
      return (await opened).peer;
    });
  } finally {
    await (opened as Promise<Connected> | null)?.then(
      ({ peer }) => peer.close(),
      () => {},
    );
  }
}

/** What accounting knows of this cluster. */
async function ownPast(peer: Peer, engine: ReplayEngine): Promise<Trace> {
  const records: HistoryRecord[] = [];
  const params = { filter: historyFilter({}), duplicates: false, steps: false };
  await peer.stream("jobs.history", params, (item) => void records.push(...item.records));
  const trace = engine.traceOfRecords(records.map(({ job }) => job));
  if (trace.jobs.length > 0) return trace;
  throw new UserError(
    "no job of this cluster is over yet: there is nothing to replay",
    "name a trace: mgpu sim --cluster 8x8 FILE",
  );
}

async function presentNodes(peer: Peer, engine: ReplayEngine): Promise<readonly Node[]> {
  const { nodes } = await peer.call("nodes.list", {});
  if (nodes.length === 0)
    throw new UserError("this cluster has no node", "--cluster names one: 8x8 is 8 nodes of 8 GPUs");
  return engine.idle(
    nodes.map(({ name, inventory, usage, weight, activeFeatures }): Node => {
      return { name, inventory, usage, settings: { weight, activeFeatures }, registeredAt: 0, drain: null, down: null };
    }),
  );
}

/** Replays to the end; `null` if the user ended it. */
async function drive(
  steps: Generator<Progress, Outcome>,
  { clock, stdio, session }: CommandContext,
  isQuiet: boolean,
): Promise<Outcome | null> {
  let isInterrupted = false;
  const stop = ["SIGINT", "SIGTERM"] as const;
  const interrupt = (): void => {
    isInterrupted = true;
  };
  const cancels = stop.map((name) => session.onSignal(name, interrupt));
  const shows = stdio.stderrIsTerminal && !isQuiet;
  let shownAt = Number.NEGATIVE_INFINITY;
  try {
    for (;;) {
      const begin = clock.monotonic();
      let step = steps.next();
      while (!step.done && clock.monotonic() - begin < SLICE_MS) step = steps.next();
      if (step.done) return step.value;
      if (shows && clock.monotonic() - shownAt >= PROGRESS_MS) {
        shownAt = clock.monotonic();
        stdio.err(`\r${progressText(step.value)}\x1b[K`);
      }
      await sleep(clock, 0);
      if (isInterrupted) return null;
    }
  } finally {
    if (shows) stdio.err("\r\x1b[K");
    for (const cancel of cancels) cancel();
  }
}

function progressText({ done, of, label, events, eventsLikely }: Progress): string {
  const share = Math.min(1, (done + Math.min(0.99, events / eventsLikely)) / of);
  const full = Math.floor(share * PROGRESS_BAR);
  const bar = `${"#".repeat(full)}${".".repeat(PROGRESS_BAR - full)}`;
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)}%  ${done + 1} of ${of}: ${label}`;
}

function writeReport(
  outcome: Outcome,
  wishes: Wishes,
  parsed: ParsedOptions,
  context: CommandContext,
  engine: ReplayEngine,
): void {
  const { values } = parsed;
  const { trace, traceName, variants } = wishes;
  const nodes = variants[0]?.nodes ?? [];
  const cluster = engine.describeCluster(nodes);
  const title = `${traceName}: ${countOf(trace.jobs.length, "job")} on ${cluster}`;
  const save = (long: string, text: () => string): void => {
    const path = values.get(long)?.at(-1);
    if (path === undefined) return;
    try {
      context.files.write(path, new TextEncoder().encode(text()));
    } catch (error) {
      throw new UserError(`can't write ${path}: ${reasonOf(error)}`);
    }
  };
  save("csv", () =>
    engine.csvText(
      outcome,
      nodes.some(({ inventory }) => inventory.gpus.length > 0),
    ),
  );
  save("svg", () => engine.svgText(outcome, title));
  if (values.has("json")) {
    const head = { trace: traceName, format: trace.format, jobs: trace.jobs.length, cluster };
    context.stdio.out(engine.jsonText(outcome, head));
    return;
  }
  const width = context.session.terminal.size()?.columns ?? WIDTH_DEFAULT;
  const options = {
    isAscii: values.has("ascii") || !isUtf8(context.environment),
    hasCharts: !values.has("no-chart"),
    width,
  };
  context.stdio.out(engine.reportText(outcome, title, options));
}

/** Whether the locale says so, as setlocale(3) would find it. */
function isUtf8({ LC_ALL, LC_CTYPE, LANG }: CommandContext["environment"]): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((text) => text !== undefined && text !== "");
  return locale !== undefined && /utf-?8/i.test(locale);
}
