/**
 * One step as the holder knows it, from its start until it is forgotten:
 *
 *   launching ──> running ──> ended ──forgotten by the agent and collected by a client──> (gone)
 *       └── could not start ────^
 */

import { formatStepKey, type StepKey } from "../../core/ids.ts";
import { EXIT_OK, type ExitStatus } from "../../core/job.ts";
import type { ProcessRef } from "../../platform/proctable.ts";
import type { HolderStep, StepLaunch } from "../../protocol/holder.ts";
import type { Gate } from "./gate.ts";
import { PROBLEM_CHARACTERS_MAX, PTY_UNCOLLECTED_MS, UNCOLLECTED_MS } from "./limits.ts";
import { type ErrorTarget, errorTarget } from "./notices.ts";
import { StepInput } from "./step-input.ts";
import { StepOutput } from "./step-output.ts";
import { TaskUsages } from "./step-usage.ts";
import type { TaskOutput, TerminalHandle } from "./task-output.ts";
import { TerminalOutput, type TerminalPorts } from "./terminal-output.ts";

export type StepKind = "plain" | "pty" | "batch";

export class Step {
  readonly key: StepKey;
  /** JOB.ATTEMPT.STEP */
  readonly name: string;
  readonly token: string;
  readonly workDir: string;
  readonly kind: StepKind;
  /** Task numbers, in the order of the launch. */
  readonly tasks: readonly number[];
  readonly output: TaskOutput;
  readonly used = new TaskUsages();
  /** Of a step with a terminal. */
  readonly terminal: (TaskOutput & TerminalHandle) | null;
  readonly input = new StepInput();
  /** The first process of each task; of a batch script, its wrapper. */
  readonly leaders = new Map<number, ProcessRef>();
  /** A batch script's spool folder. */
  readonly spool: string | null;
  /** Who kept the script said how it ended, and writes no more. */
  isSpoolFree = false;
  /** Of a session that is to be ended when nobody uses it for so long. Milliseconds. */
  readonly inactivityMs: number | null;
  phase: "running" | "ended" = "running";
  /** Its tasks were started; false also if they could not be. */
  isStarted = false;
  /** It could not start: what its tasks do now says nothing more. */
  private hasFailed = false;
  /** Someone terminated its job before it started. */
  isCancelled = false;
  /** It is killed because it, or its job here, used more memory than it may. */
  outOfMemory = false;
  /** Where its tasks wait, or waited, for their control group. */
  gate: Gate | null = null;
  /** What it, and its job here, may use; null for no limit. */
  readonly memory: NonNullable<StepLaunch["memory"]> | null;
  /** Where its first task's errors go. */
  readonly errorTarget: ErrorTarget;
  /** It was said there why it is ended. */
  isAnnounced = false;
  /** Its job is being terminated; when KILL comes, in milliseconds of the monotonic clock. */
  termination: { readonly killAtMs: number } | null = null;
  problem = "";
  clean = false;
  /** Milliseconds of the monotonic clock. */
  endedAtMs = 0;
  forgottenAtMs: number | null = null;
  /** Gives a terminal another size, once it has one; nothing to do for others. */
  resizePty: (columns: number, rows: number) => void = () => {};
  /** Lets go of what a terminal holds. */
  dispose: () => void = () => {};
  private readonly exits = new Map<number, ExitStatus>();

  constructor(launch: StepLaunch, ports: TerminalPorts) {
    this.key = launch.key;
    this.name = formatStepKey(launch.key);
    this.token = launch.token;
    this.workDir = launch.workDir;
    this.kind = launch.pty ? "pty" : launch.batch ? "batch" : "plain";
    this.tasks = launch.tasks.map(({ task }) => task);
    this.spool = this.kind === "batch" ? (launch.batch?.spool ?? null) : null;
    this.memory = launch.memory ?? null;
    this.inactivityMs = launch.pty?.inactivityS === undefined ? null : launch.pty.inactivityS * 1000;
    this.errorTarget = errorTarget(launch);
    this.terminal = this.makeTerminal(launch, ports);
    this.output = this.terminal ?? new StepOutput(ports.clock);
  }

  private makeTerminal({ pty, tasks: [first] }: StepLaunch, ports: TerminalPorts): TerminalOutput | null {
    if (this.kind !== "pty" || pty === null) return null;
    return new TerminalOutput(ports, first?.task ?? 0, pty, (columns, rows) => this.resizePty(columns, rows));
  }

  /** A batch script's files need nobody; anything else has a client that wants its exits. */
  get expectsClient(): boolean {
    return this.kind !== "batch";
  }

  get uncollectedMs(): number {
    return this.kind === "pty" ? PTY_UNCOLLECTED_MS : UNCOLLECTED_MS;
  }

  /** Notes a task's end; true if it was the last one. */
  noteExit(task: number, exit: ExitStatus): boolean {
    if (this.hasFailed) return false;
    this.exits.set(task, exit);
    this.output.addExit(task, exit);
    this.input.closeTarget(task);
    return this.exits.size === this.tasks.length;
  }

  /** Makes it a step that could not start. Tasks without an exit of their own were fine, and never ran. */
  fail(problems: Iterable<string>, exits: ReadonlyMap<number, ExitStatus>): void {
    this.problem = [...new Set(problems)].join("\n").slice(0, PROBLEM_CHARACTERS_MAX);
    this.exits.clear();
    for (const task of this.tasks) this.exits.set(task, exits.get(task) ?? EXIT_OK);
    this.hasFailed = true;
    this.input.close();
  }

  /** Lets go of the output that nobody collected; who asks later is told that there was some. */
  dropOutput(): void {
    const bytes = this.output.drop();
    if (bytes === 0) return;
    const text = `${bytes} bytes of output were let go because nobody collected them`;
    this.problem = this.problem === "" ? text : `${this.problem}\n${text}`;
  }

  /** The exits of the tasks that ended so far, in the order of the launch. */
  taskExits(): { readonly task: number; readonly exit: ExitStatus }[] {
    return this.tasks.flatMap((task) => {
      const exit = this.exits.get(task);
      return exit === undefined ? [] : [{ task, exit }];
    });
  }

  describe(): HolderStep {
    const { key, phase, problem, clean } = this;
    const exits = phase === "ended" ? this.taskExits().map(({ exit }) => exit) : [];
    const usage = phase === "ended" ? this.used.total : undefined;
    const waiting = phase === "running" ? (this.gate?.waiting ?? []) : [];
    const more = {
      ...(this.outOfMemory ? { outOfMemory: true } : {}),
      ...(usage ? { usage } : {}),
      ...(waiting.length > 0 ? { waiting: [...waiting] } : {}),
    };
    return { key, phase, exits, problem, clean, ...more };
  }
}
