/**
 * Everything about a launch that can be found wrong before anything is started: the work folder, the programs, the
 * files. All problems are found at once, in Slurm's words and with Slurm's exit codes.
 *
 * A FIFO is not opened here: that would wait for its other end, and could not be given up. A small shell in the
 * task's place opens it and then becomes the program. So the step runs while it waits, as a program does that opens
 * the FIFO itself: it can be signalled, and it has no time limit but the job's.
 *
 * Promise: a plan that fails leaves no descriptor open and has emptied no file.
 */

import type { ExitStatus } from "../../core/job.ts";
import type { Outcome, SystemProblem } from "../../platform/system-problem.ts";
import type { StepLaunch, TaskLaunch } from "../../protocol/holder.ts";
import { mergeVariables } from "../../util/variables.ts";
import { batchSpool } from "./batch-spool.ts";
import { OPEN_WAIT_MS } from "./limits.ts";
import { type HolderPorts, within } from "./ports.ts";
import { openingLines, type PlainOpening, plainOpening, type StreamRole, taskOpener } from "./task-opener.ts";

/** A descriptor of the holder's, or the client at the other end of a pipe. */
type PlannedStream = number | "client";

export interface PlannedTask {
  readonly task: number;
  /** Absolute. */
  readonly file: string;
  readonly argv: readonly string[];
  /** A shell that prepares the process, and then becomes the program that follows. */
  readonly opener: readonly string[];
  /** The same for a shell that forks the task's process itself, see `openingLines`. */
  openingIn(variables: Readonly<Record<string, string>>): readonly string[] | null;
  /** The same for a program that starts scripts without a shell, see `plainOpening`. */
  openingWithout(): PlainOpening | null;
  /** What runs after it: an absolute path. */
  readonly epilog: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: PlannedStream;
  readonly stdout: PlannedStream;
  /** `stdout` for the same pipe as stdout's. */
  readonly stderr: PlannedStream | "stdout";
}

export interface LaunchPlan {
  readonly tasks: readonly PlannedTask[];
  /** Closes the descriptors of all files; once, after the start. */
  close(): void;
}

export interface LaunchProblems {
  readonly problems: readonly string[];
  readonly exits: ReadonlyMap<number, ExitStatus>;
}

type PlanPorts = Pick<HolderPorts, "clock" | "processes" | "openFiles">;

interface FileWish {
  readonly task: number;
  readonly role: StreamRole;
  /** Of a file that is made. */
  readonly mode: number | undefined;
  /** Absolute. */
  readonly path: string;
  readonly truncate: boolean;
  /** In place of what an earlier start of the job wrote there, which may still write (on a node that was lost). */
  readonly isAnew: boolean;
}

const NULL_DEVICE = "/dev/null";

/** Marks our daemons: a task that had it would not be found when its job is cleared away. */
const DAEMON_VARIABLE = "MGPU_DAEMON";

/** Exit code of a task whose folder or files could not be had, as in Slurm. */
const SETUP_FAILED = 1;

/**
 * Finds programs and opens files. Resolves to a plan, or to everything that is wrong.
 * @param hasGate the tasks wait at a gate, whose ends they have as the descriptors after their streams (gate.ts)
 */
export async function planLaunch(
  ports: PlanPorts,
  launch: StepLaunch,
  hasGate = false,
): Promise<LaunchPlan | LaunchProblems> {
  const found = new Problems();
  const folder = ports.processes.folderProblem(launch.workDir);
  if (folder) {
    for (const { task } of launch.tasks) {
      found.add(task, `couldn't chdir to ${launch.workDir}: ${folder.text}`, SETUP_FAILED);
    }
    return found;
  }
  const files = programFiles(ports, launch, found);
  const opened = await openFiles(
    ports,
    launch.tasks.flatMap((task) => fileWishes(launch, task)),
    found,
  );
  if (found.problems.length > 0) {
    opened.close();
    return found;
  }
  await opened.truncate();
  const tasks = launch.tasks.map((task) =>
    plannedTask(ports, launch, task, files.get(task.task) ?? "", opened, hasGate),
  );
  return { tasks, close: opened.close };
}

class Problems implements LaunchProblems {
  readonly problems: string[] = [];
  readonly exits = new Map<number, ExitStatus>();

  /** A task's first problem gives its exit code. */
  add(task: number, text: string, code: number): void {
    this.problems.push(text);
    if (!this.exits.has(task)) this.exits.set(task, { code, signal: 0 });
  }
}

/** The file of each task's program. */
function programFiles(ports: PlanPorts, launch: StepLaunch, found: Problems): Map<number, string> {
  const files = new Map<number, string>();
  const looked = new Map<string, ReturnType<HolderPorts["processes"]["findProgram"]>>();
  for (const task of launch.tasks) {
    const name = launch.batch ? batchSpool(launch.batch.spool).script : (task.argv[0] ?? "");
    const searchPath = task.environment.PATH ?? launch.environment.PATH ?? "";
    const memo = `${searchPath}\0${name}`;
    const program = looked.get(memo) ?? ports.processes.findProgram(name, searchPath, launch.workDir);
    looked.set(memo, program);
    if ("file" in program) files.set(task.task, program.file);
    else found.add(task.task, programProblem(name, program, launch.batch !== null), program.problem.number || 1);
  }
  return files;
}

function programProblem(
  name: string,
  { problem, interpreter }: { readonly problem: SystemProblem; readonly interpreter?: string },
  isBatch: boolean,
): string {
  if (interpreter !== undefined && problem.code === "ENOENT") {
    return `execve(): bad interpreter(${interpreter}): ${problem.text}`;
  }
  if (isBatch && problem.code === "ENOEXEC") {
    return (
      "This does not look like a batch script.  The first line must start with #! followed by the path to an " +
      "interpreter. For instance: #!/bin/sh"
    );
  }
  return execProblem(name, problem);
}

/** Slurm's words for a program that the system refuses to start. */
export function execProblem(name: string, problem: SystemProblem): string {
  return `execve(): ${name}: ${problem.text}`;
}

/** The files that a task needs, /dev/null included. A batch script has no client: its pipes are /dev/null. */
function fileWishes(launch: StepLaunch, task: TaskLaunch): FileWish[] {
  const wishes: FileWish[] = [];
  const relayed = launch.batch === null;
  const absolute = (path: string): string => (path.startsWith("/") ? path : `${launch.workDir}/${path}`);
  const mode = launch.umask === undefined ? undefined : 0o666 & ~launch.umask;
  const wish = (role: StreamRole, path: string, truncate: boolean): void => {
    const isAnew = truncate && !relayed && launch.key.attempt > 1;
    wishes.push({ task: task.task, role, mode, path: absolute(path), truncate, isAnew });
  };
  if (launch.pty) {
    if (task.stdout.to === "file") wish("stdout", task.stdout.path, !task.stdout.append);
    return wishes;
  }
  const { stdin } = task;
  if (stdin.from === "file") wish("stdin", stdin.path, false);
  else if (stdin.from === "null" || !relayed) wish("stdin", NULL_DEVICE, false);
  for (const role of ["stdout", "stderr"] as const) {
    const target = task[role];
    if (target.to === "file") wish(role, target.path, !target.append);
    else if (target.to === "null" || (target.to === "client" && !relayed)) wish(role, NULL_DEVICE, false);
  }
  return wishes;
}

interface OpenedFiles {
  get(task: number, role: StreamRole): number | undefined;
  /** The streams of a task that are FIFOs; a descriptor of /dev/null stands for each. */
  fifos(task: number): ReadonlyMap<StreamRole, string>;
  /** Empties, or replaces, what is not to be appended to. */
  truncate(): Promise<void>;
  close(): void;
}

/** Opens each output once, however many tasks share it: they then write one after another, not over one another. */
async function openFiles(ports: PlanPorts, wishes: readonly FileWish[], found: Problems): Promise<OpenedFiles> {
  const { processes } = ports;
  const opening = new Map<string, Promise<Outcome<OpenFile>>>();
  const opened = new Map<string, OpenFile>();
  // Each task reads all of its input: sharing one open file, each would get what the others left.
  const nameOf = ({ task, role, path }: FileWish): string => {
    if (role !== "stdin") return `>${path}`;
    return path === NULL_DEVICE ? `<${path}` : `<${task}:${path}`;
  };
  for (const wish of wishes) {
    const name = nameOf(wish);
    if (!opening.has(name)) opening.set(name, openFile(ports, wish));
  }
  for (const wish of wishes) {
    const outcome = await opening.get(nameOf(wish));
    if (outcome === undefined) continue;
    if ("value" in outcome) opened.set(nameOf(wish), outcome.value);
    else found.add(wish.task, `Could not open ${wish.role} file ${wish.path}: ${outcome.problem.text}`, SETUP_FAILED);
  }
  const byTask = new Map(wishes.map((wish) => [`${wish.task}.${wish.role}`, nameOf(wish)]));
  const fifos = wishes.filter((wish) => opened.get(nameOf(wish))?.isFifo);
  return {
    get: (task, role) => opened.get(byTask.get(`${task}.${role}`) ?? "")?.descriptor,
    fifos: (task) => new Map(fifos.flatMap((wish) => (wish.task === task ? [[wish.role, wish.path]] : []))),
    async truncate() {
      const byName = new Map(wishes.filter((wish) => wish.truncate).map((wish) => [nameOf(wish), wish]));
      for (const [name, wish] of byName) {
        const file = opened.get(name);
        if (!file) continue;
        const fresh = wish.isAnew && processes.detachOutput(wish.path) ? await openFile(ports, wish) : null;
        if (fresh && "value" in fresh) {
          processes.closeDescriptor(file.descriptor);
          opened.set(name, fresh.value);
        } else processes.truncate(file.descriptor);
      }
    },
    close() {
      for (const { descriptor } of opened.values()) processes.closeDescriptor(descriptor);
      opened.clear();
    },
  };
}

interface OpenFile {
  readonly descriptor: number;
  readonly isFifo: boolean;
}

function openFile({ clock, processes }: PlanPorts, wish: FileWish): Promise<Outcome<OpenFile>> {
  const opening = openOrStandIn(processes, wish);
  const late: Outcome<OpenFile> = { problem: { code: "ETIMEDOUT", number: 110, text: "Connection timed out" } };
  return within(clock, OPEN_WAIT_MS, opening, late, (outcome) => {
    if ("value" in outcome) processes.closeDescriptor(outcome.value.descriptor);
  });
}

async function openOrStandIn(
  processes: HolderPorts["processes"],
  { role, path, mode }: FileWish,
): Promise<Outcome<OpenFile>> {
  const use = role === "stdin" ? "read" : "write";
  const found: Outcome<boolean> = path === NULL_DEVICE ? { value: false } : await processes.isFifo(path, use);
  if ("problem" in found) return found;
  const isFifo = found.value;
  const real = isFifo ? NULL_DEVICE : path;
  const opened = await (use === "read" ? processes.openInput(real) : processes.openOutput(real, mode));
  return "problem" in opened ? opened : { value: { descriptor: opened.value, isFifo } };
}

function plannedTask(
  { processes, openFiles }: PlanPorts,
  launch: StepLaunch,
  task: TaskLaunch,
  file: string,
  opened: OpenedFiles,
  hasGate: boolean,
): PlannedTask {
  const { stderr } = task;
  const environment = withoutMark(mergeVariables(launch.environment, task.environment));
  const { prolog } = launch;
  const epilog = epilogOf(processes, launch, environment);
  const wishes = {
    umask: launch.umask,
    prolog,
    rlimits: launch.rlimits,
    openFiles,
    remark: remarkOf(task, epilog),
    cpuBind: task.cpuBind,
    // The wrapper of a batch script has descriptors of its own before those of the script.
    ...(hasGate ? { gateAt: launch.batch && !launch.pty ? 6 : 3 } : {}),
  };
  const sharesOutput = stderr.to === "stdout";
  const stdout = opened.get(task.task, "stdout") ?? "client";
  const errorStream = sharesOutput ? (stdout === "client" ? "stdout" : stdout) : undefined;
  const opening = { ...wishes, fifos: opened.fifos(task.task), sharesOutput, environment };
  return {
    task: task.task,
    file,
    argv: [file, ...task.argv.slice(1)],
    get opener() {
      return taskOpener(processes, opening);
    },
    openingIn: (variables) => openingLines(opening, variables),
    openingWithout: () => plainOpening(opening),
    epilog: "file" in epilog ? epilog.file : null,
    environment,
    stdin: opened.get(task.task, "stdin") ?? "client",
    stdout,
    stderr: errorStream ?? opened.get(task.task, "stderr") ?? "client",
  };
}

/** Of some sixty variables, mostly none is that one: then they are not copied once more. */
function withoutMark(variables: Record<string, string>): Readonly<Record<string, string>> {
  if (!(DAEMON_VARIABLE in variables)) return variables;
  const { [DAEMON_VARIABLE]: _daemon, ...environment } = variables;
  return environment;
}

type Epilog = { readonly file: string } | { readonly problem: string };

function epilogOf(
  processes: HolderPorts["processes"],
  { epilog, workDir }: StepLaunch,
  { PATH = "" }: Readonly<Record<string, string>>,
): Epilog {
  if (epilog === undefined) return { problem: "" };
  const found = processes.findProgram(epilog, PATH, workDir);
  return "file" in found ? found : { problem: `slurmstepd: error: --task-epilog: ${epilog}: ${found.problem.text}` };
}

/** As in Slurm, a task runs also where its epilog can't. */
function remarkOf({ remark }: TaskLaunch, epilog: Epilog): string | undefined {
  const lines = [remark ?? "", "problem" in epilog ? epilog.problem : ""].filter(Boolean);
  return lines.length === 0 ? undefined : lines.join("\n");
}
