/**
 * `mgpu-srun --pty` as a session that outlives its client: outside of a job a batch job, whose script starts the holder by
 * Slurm's srun, so that the program has all that a step has; within a job a step, whose srun goes on without us.
 */

import { formatSession, parseSession, SESSION_FILE, sessionFolder } from "../../config/slurm-sessions.ts";
import { errnoText } from "../../util/errno.ts";
import { shellWord } from "../../util/shell-word.ts";
import { type OptionShape, type Order, translatedOrder, usersEnvironment, withoutProfile } from "./hand-over.ts";
import { Refusal } from "./ports.ts";
import { slurmMeant } from "./sessions.ts";
import type { Slurm } from "./slurm.ts";
import { type Token, takeApart } from "./words.ts";
import { activated, activationCode } from "./wrapper.ts";

/** An srun with a terminal that can be left. */
export interface SessionWish extends Order {
  /** What sbatch has: the rest is for the step. */
  readonly batchOptions: readonly OptionShape[];
  readonly size: { readonly columns: number; readonly rows: number };
  /** Seconds without a key typed or anything printed after which it is ended; `null` for never. */
  readonly inactivityS: number | null;
}

/** A session that has been asked for. */
export interface StartedSession {
  readonly jobId: number;
  /** `null` for a job of its own. */
  readonly stepId: number | null;
  /** What is said on stderr. */
  readonly notes: readonly string[];
  /** What stood in its way before it began, and forgets it: lines of Slurm's and of the node's. */
  complaints(): readonly string[];
}

/** Said while a step is waited for. */
export interface SessionEvents {
  say(line: string): void;
  /** Aborted when the user does not want it any more. */
  readonly signal: AbortSignal;
}

/** Options that the client and the holder heed by themselves. */
const OWN: ReadonlySet<string> = new Set([
  ...["pty", "no-pty", "detach-keys", "on-disconnect", "inactivity-timeout", "immediate", "quiet", "verbose"],
  ...["unbuffered", "disable-status", "quit-on-interrupt"],
]);

/** Options that a terminal leaves no room for. */
const OTHERS: ReadonlySet<string> = new Set(["output", "error", "input", "label", "multi-prog", "bcast"]);

/** Another meaning in sbatch, or one for what runs the script. */
const OF_STEPS: ReadonlySet<string> = new Set(["wait", "export"]);

const ID_BYTES = 12;

/** What sbatch may take, should its controller be busy. */
const SUBMIT_LIMIT_MS = 150_000;

const LOOK_MS = 100;

/** Starts it. @throws Refusal with Slurm's words, or for what can't be said to Slurm */
export async function startSession(slurm: Slurm, wish: SessionWish, events: SessionEvents): Promise<StartedSession> {
  const { tokens: all, rest } = takeApart(wish);
  const typed = withoutProfile(all, wish);
  const barred = typed.filter(({ long }) => OTHERS.has(long)).map(({ long }) => `--${long} can't be used with --pty`);
  const tokens = [...fromVariables(wish), ...typed].filter(({ long }) => !OWN.has(long) && !OTHERS.has(long));
  const job = wish.environment.SLURM_JOB_ID || wish.environment.SLURM_JOBID || "";
  const named = tokens.filter(({ long }) => long === "jobid").at(-1)?.value ?? job;
  const program = rest[0] === "--" ? rest.slice(1) : rest;
  const start = new Start(slurm, wish, program, [...new Set(barred)], events);
  return named === "" ? start.ownJob(tokens) : start.stepOf(tokens, Number(named));
}

/** Where srun's own variables stand for options, sbatch has others. */
function fromVariables({ environment, options, batchOptions }: SessionWish): Token[] {
  if (environment.SLURM_JOB_ID) return [];
  return options.flatMap(({ long, argument, variables }) => {
    const value = environment[variables?.srun ?? ""];
    const isBatch = batchOptions.some((one) => one.long === long) && !OF_STEPS.has(long);
    if (!value || !isBatch || OWN.has(long) || OTHERS.has(long)) return [];
    return [{ long, value, words: [argument === "none" ? `--${long}` : `--${long}=${value}`] }];
  });
}

class Start {
  readonly #slurm: Slurm;
  readonly #wish: SessionWish;
  readonly #program: readonly string[];
  /** What was found so far that stands in its way. */
  readonly #problems: readonly string[];
  readonly #events: SessionEvents;
  /** Path of the session's file, without its ending. */
  readonly #stem: string;

  constructor(
    slurm: Slurm,
    wish: SessionWish,
    program: readonly string[],
    problems: readonly string[],
    events: SessionEvents,
  ) {
    this.#slurm = slurm;
    this.#wish = wish;
    this.#program = program;
    this.#problems = problems;
    this.#events = events;
    const { places, random } = slurm.ports;
    this.#stem = `${sessionFolder(places.home)}/${random.hex(ID_BYTES)}`;
  }

  /** A job that is there for the session. */
  async ownJob(tokens: readonly Token[]): Promise<StartedSession> {
    const { batchOptions } = this.#wish;
    const isOfJob = ({ long }: Token): boolean =>
      !OF_STEPS.has(long) && (long === "" || batchOptions.some((one) => one.long === long) || OWN_OF_MGPU.has(long));
    const { words, notes, argv } = await this.#translate(
      tokens.filter((token) => isOfJob(token) && token.long !== "job-name"),
    );
    const stepWords = tokens.filter((token) => !isOfJob(token)).flatMap((token) => token.words);
    const name = tokens.findLast(({ long }) => long === "job-name")?.value ?? this.#name;
    const environment = usersEnvironment(this.#slurm.environmentOf(this.#wish.environment));
    const script = this.#script([`--job-name=${name}`, ...stepWords], environment, argv);
    this.#makeFile(argv, tokens, null);
    const own = [`--job-name=${name}`, "--no-requeue", `--output=${asPattern(this.#stem)}.log`, "--parsable"];
    const ran = await this.#slurm.ports.programs.run({
      file: this.#slurm.command("sbatch"),
      args: [...words, ...own],
      environment: withoutBatchVariables(environment),
      input: new TextEncoder().encode(script),
      limitMs: SUBMIT_LIMIT_MS,
    });
    const jobId = Number(/^(\d+)/m.exec(ran.stdout)?.[1]);
    const said = linesOf(ran.stderr).map((line) => line.replace(/^sbatch: (error: )?/, ""));
    if (ran.code !== 0 || !jobId) {
      this.#forget();
      throw new Refusal(said.map(asSrun).concat(said.length > 0 ? [] : [`sbatch ended with exit code ${ran.code}`]));
    }
    this.#slurm.changed();
    if (this.#events.signal.aborted) await this.#revoke(jobId);
    return { jobId, stepId: null, notes: [...notes, ...said], complaints: () => this.#complaints() };
  }

  /** The user has gone by the time that Slurm has it. Without its file it would end as soon as it starts. @throws always */
  async #revoke(jobId: number): Promise<never> {
    this.#forget();
    await this.#slurm.ask("scancel", [String(jobId)]);
    throw new Refusal(`Job allocation ${jobId} has been revoked`);
  }

  /** A step of a job that runs. */
  async stepOf(tokens: readonly Token[], jobId: number): Promise<StartedSession> {
    const { words, notes, argv } = await this.#translate(tokens);
    const { programs, sessionFiles, nodePath, clock } = this.#slurm.ports;
    this.#makeFile(argv, tokens, jobId);
    const file = `${this.#stem}${SESSION_FILE}`;
    const srun = await programs
      .startApart({
        file: this.#slurm.command("srun"),
        // Slurm would name the step after Node.
        args: [`--job-name=${this.#name}`, ...words, "--", nodePath, this.#bundle, file, ...argv],
        environment: usersEnvironment(this.#slurm.environmentOf(this.#wish.environment)),
        log: `${this.#stem}.log`,
      })
      .catch((error: unknown) => {
        throw new Refusal(`srun can't be started: ${errnoText(error)}`);
      });
    let code: number | null = null;
    void srun.exited.then((ended) => {
      code = ended;
    });
    let told = 0;
    for (;;) {
      const place = parseSession(sessionFiles.read(file) ?? "")?.place;
      // Who has gone before it began does not come to it: it ends with its srun.
      if (place && !this.#events.signal.aborted) return { ...place, notes, complaints: () => this.#complaints() };
      const isOver = code;
      const lines = linesOf(sessionFiles.read(`${this.#stem}.log`) ?? "");
      const news = lines.filter((line) => !ERROR.test(line));
      for (const line of news.slice(told)) this.#events.say(withoutName(line));
      told = news.length;
      if (isOver !== null) {
        this.#forget();
        const errors = lines.filter((line) => ERROR.test(line)).map(withoutName);
        throw new Refusal(errors.length > 0 ? errors : [`srun ended with exit code ${isOver}`]);
      }
      if (this.#events.signal.aborted) srun.signal("SIGTERM");
      await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
    }
  }

  async #translate(tokens: readonly Token[]) {
    const { words, plan, notes, problems: found } = await translatedOrder(this.#slurm, this.#wish, tokens);
    const problems = [...this.#problems, ...found];
    if (problems.length > 0) throw new Refusal(problems, "man mgpu-slurm tells what Slurm can be told");
    const { activation } = plan;
    const code = activation === null ? "" : activationCode(activation, usersEnvironment(this.#wish.environment));
    return { words, notes, argv: code === "" ? this.#program : activated(this.#program, code) };
  }

  /** Of a job or step that nobody named. */
  get #name(): string {
    const [program = ""] = this.#program;
    return program.slice(program.lastIndexOf("/") + 1);
  }

  get #bundle(): string {
    return `${this.#slurm.ports.launcherFolder.replace(/\/bin$/, "")}/dist/slurm-hold.cjs`;
  }

  #script(
    stepWords: readonly string[],
    environment: Readonly<Record<string, string>>,
    argv: readonly string[],
  ): string {
    const { nodePath } = this.#slurm.ports;
    const kept = Object.entries(environment).filter(([name]) => name === "ENVIRONMENT" || BATCH_VARIABLE.test(name));
    return [
      "#!/bin/bash",
      "# The session of an mgpu-srun --pty: man mgpu-slurm.",
      "unset ENVIRONMENT",
      ...kept.map(([name, value]) => `export ${name}=${shellWord(value)}`),
      `program=${shellWord(this.#bundle)} node=${shellWord(nodePath)} srun=${shellWord(this.#slurm.command("srun"))}`,
      'complain() { echo "mgpu-srun: error: $1 on node ${SLURMD_NODENAME:-$(hostname)}: mgpu and Node.js must be on the nodes at the same place as here, for example in a folder that they share" >&2; exit 1; }',
      '[ -f "$program" ] || complain "$program is missing"',
      '[ -x "$node" ] || node=$(command -v node) || complain "node is missing"',
      '[ -x "$srun" ] || srun=srun',
      // Since 22.05 srun does not take it over from the job.
      '[ -z "$SLURM_CPUS_PER_TASK" ] || set -- --cpus-per-task="$SLURM_CPUS_PER_TASK"',
      `exec "$srun" "$@" ${stepWords.map(shellWord).join(" ")} -- "$node" "$program" ${[this.#stem + SESSION_FILE, ...argv].map(shellWord).join(" ")}`,
      "",
    ].join("\n");
  }

  #makeFile(argv: readonly string[], tokens: readonly Token[], stepOf: number | null): void {
    const { size, inactivityS, environment } = this.#wish;
    const order = {
      ...{ argv, ...size, isOwnJob: stepOf === null },
      ...(inactivityS === null ? {} : { inactivityS }),
    };
    // Of several clusters nobody knows which one has it; 12_3 is no number of a job.
    const isUnclear = tokens.some(({ long }) => long === "clusters") || Number.isNaN(stepOf);
    const slurm = isUnclear ? "" : slurmMeant(this.#slurm, environment);
    const awaited = slurm === "" ? {} : { awaited: { slurm, since: this.#slurm.ports.clock.now(), stepOf } };
    const path = `${this.#stem}${SESSION_FILE}`;
    try {
      this.#slurm.ports.sessionFiles.create(path, formatSession({ order: { ...order, ...awaited }, place: null }));
    } catch (error) {
      throw new Refusal(`${path} can't be written: ${errnoText(error)}`);
    }
  }

  #complaints(): readonly string[] {
    const lines = linesOf(this.#slurm.ports.sessionFiles.read(`${this.#stem}.log`) ?? "");
    this.#forget();
    return lines.map(withoutName);
  }

  #forget(): void {
    for (const ending of [SESSION_FILE, ".log"]) this.#slurm.ports.sessionFiles.remove(this.#stem + ending);
  }
}

/** Options of ours that are translated into some of the job's. */
const OWN_OF_MGPU: ReadonlySet<string> = new Set(["gpu-mem", "model", "node-gpu-ids", "conda-env", "venv", "notify"]);

const BATCH_VARIABLE = /^SBATCH_\w+$/;

/** What sbatch would read from them was not meant for srun. */
function withoutBatchVariables(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !BATCH_VARIABLE.test(name)));
}

/** What a command of Slurm's says of the end; other lines are of what it waits for. */
const ERROR = /^\S+: error: /;

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/** A path in which sbatch replaces nothing. */
function asPattern(path: string): string {
  return path.replaceAll("%", "%%");
}

function withoutName(line: string): string {
  return line.replace(/^(mgpu-)?srun: (error: )?/, "");
}

/** What srun says where sbatch says that. */
function asSrun(line: string): string {
  return line.replace("Batch job submission failed", "Unable to allocate resources");
}
