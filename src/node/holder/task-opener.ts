/**
 * How a task's program is started: by a shell in the task's own process, which does what only that process can do for
 * itself (file mode mask, limits, its pid as a variable, FIFOs) and then becomes the program.
 *
 * It uses no variable of its own: an exported one of that name would change in the program's environment.
 */

import type { Processes } from "../../platform/process.ts";
import type { TaskLaunch } from "../../protocol/holder.ts";
import { splitEnvironment } from "./batch-spool.ts";
import { SYSTEM_SEARCH_PATH } from "./ports.ts";

/** The stream kinds of a task, as messages name them. */
export type StreamRole = "stdin" | "stdout" | "stderr";

/** What a task's start has beyond its program. */
export interface TaskOpening {
  /** Absolute paths of the streams that are FIFOs. */
  readonly fifos: ReadonlyMap<StreamRole, string>;
  /** stderr goes where stdout goes. */
  readonly sharesOutput: boolean;
  readonly umask: number | undefined;
  /** Soft limits by Slurm's names, in setrlimit's units; -1 for none. */
  readonly rlimits: Readonly<Record<string, number>> | undefined;
  /** Soft limit of open files where `rlimits` names none; null to leave it as it is. */
  readonly openFiles: number | null;
  /** A line for stderr. */
  readonly remark: string | undefined;
  /** CPUs by number, none for all; what is told on stderr about them, around the pid. */
  readonly cpuBind?: TaskLaunch["cpuBind"];
  /** The descriptor to wait at before anything else (gate.ts); the next one is for telling the pid. */
  readonly gateAt?: number;
  /** A program whose output changes the task's environment, see {@link prologLines}. */
  readonly prolog?: string | undefined;
  /** The program's; what a shell would drop of it is set again. */
  readonly environment: Readonly<Record<string, string>>;
}

const SHELL = "/bin/sh";

const REDIRECTIONS = { stdin: "<", stdout: ">", stderr: "2>" } as const;

interface Limit {
  /** ulimit's letters: shells differ in that of NPROC. */
  readonly letters: readonly string[];
  /** Bytes in ulimit's unit, as POSIX shells have it. */
  readonly unit: number;
}

const KIB = 1024;
const BLOCK = 512;

const LIMITS: Readonly<Record<string, Limit>> = {
  AS: { letters: ["v"], unit: KIB },
  CORE: { letters: ["c"], unit: BLOCK },
  CPU: { letters: ["t"], unit: 1 },
  DATA: { letters: ["d"], unit: KIB },
  FSIZE: { letters: ["f"], unit: BLOCK },
  MEMLOCK: { letters: ["l"], unit: KIB },
  NOFILE: { letters: ["n"], unit: 1 },
  // bash has -u, dash has -p, which in bash is something that can't be set.
  NPROC: { letters: ["u", "p"], unit: 1 },
  RSS: { letters: ["m"], unit: KIB },
  STACK: { letters: ["s"], unit: KIB },
};

/** What shells change in an environment, as far as they can be kept from it: bash gives SHLVL and _ to all it starts. */
const SHELL_VARIABLES = ["PWD", "OLDPWD"];

/** The beginning of an argument list that the program's own follows. */
export function taskOpener(processes: Pick<Processes, "findProgram">, opening: TaskOpening): string[] {
  const { fifos, sharesOutput, remark, prolog, environment } = opening;
  const text = [
    ...gateLines(opening.gateAt),
    ...preparingLines(opening),
    ...(remark === undefined ? [] : [`printf '%s\\n' ${quoted(remark)} >&2`]),
    ...bindLines(processes, opening.cpuBind),
    "export SLURM_TASK_PID=$$",
    ...(prolog === undefined ? [] : prologLines(prolog)),
    // With the redirections: a shell that does these first keeps its old descriptors, and some pass them on.
    ['exec "$@"', ...redirections(fifos, sharesOutput)].join(" "),
  ].join("\n");
  const dropped = Object.entries(splitEnvironment(environment).dropped).map(([name, value]) => `${name}=${value}`);
  const env = dropped.length > 0 ? processes.findProgram("env", SYSTEM_SEARCH_PATH, "/") : null;
  const setting = env && "file" in env ? [env.file, ...dropped] : [];
  return [SHELL, "-c", text, SHELL, ...setting];
}

/**
 * The same as lines for a shell that has forked the task's process itself, where its pid is not `$$`; null where that does not do.
 * @param variables that the task gets as well
 */
export function openingLines(opening: TaskOpening, variables: Readonly<Record<string, string>>): string[] | null {
  const { environment } = opening;
  if (!isPlain(opening) || Object.keys(splitEnvironment(environment).dropped).length > 0) return null;
  return [
    ...preparingLines(opening),
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`),
    "read -r SLURM_TASK_PID _mgpu_rest </proc/self/stat",
    "unset _mgpu_rest",
    "export SLURM_TASK_PID",
  ];
}

/** What a program that starts scripts without a shell needs to know: `limits` end a shell where one can't be set. */
export interface PlainOpening {
  /** Octal. */
  readonly umask: string | undefined;
  readonly limits: readonly string[];
}

/** The same for {@link PlainOpening}; null where that does not do. */
export function plainOpening(opening: TaskOpening): PlainOpening | null {
  if (!isPlain(opening)) return null;
  const { umask, rlimits = {}, openFiles } = opening;
  // That program's own time would count for it.
  if ((rlimits.CPU ?? -1) >= 0) return null;
  const limits = openFiles === null || rlimits.NOFILE !== undefined ? rlimits : { ...rlimits, NOFILE: openFiles };
  const lines = Object.entries(limits).flatMap(([name, value]) => {
    const set = settingOf(name, value);
    return set === null ? [] : [`{ ${set.wanted}; } 2>/dev/null || exit 1`];
  });
  return { umask: umask === undefined ? undefined : octal(umask), limits: lines };
}

function isPlain({ fifos, remark, prolog, cpuBind, gateAt }: TaskOpening): boolean {
  return (
    gateAt === undefined && fifos.size === 0 && remark === undefined && prolog === undefined && cpuBind === undefined
  );
}

function octal(umask: number): string {
  return umask.toString(8).padStart(4, "0");
}

function preparingLines({ umask, rlimits = {}, openFiles, environment }: TaskOpening): string[] {
  return [
    ...SHELL_VARIABLES.map((name) => assignment(name, environment[name])),
    ...(umask === undefined ? [] : [`umask ${octal(umask)}`]),
    ...(openFiles === null || rlimits.NOFILE !== undefined ? [] : [`ulimit -S -n ${openFiles}`]),
    ...Object.entries(rlimits).flatMap(([name, value]) => limitLines(name, value)),
  ];
}

/** The subshell dies, and not the task, of a pipe that nobody reads any more. */
function gateLines(at: number | undefined): string[] {
  if (at === undefined) return [];
  const tell = at + 1;
  return [`(echo $$ >&${tell}) 2>/dev/null`, `read -r SLURM_TASK_PID <&${at}`, `exec ${at}<&- ${tell}>&-`];
}

/** Binds the shell, and so the program that it becomes. As in Slurm, what can't be bound runs all the same. */
function bindLines(processes: Pick<Processes, "findProgram">, cpuBind: TaskOpening["cpuBind"]): string[] {
  if (!cpuBind) return [];
  const { cpus, report } = cpuBind;
  const tell = (status: string): string =>
    report ? `printf '%s%s%s\\n' ${quoted(report.before)} $$ ${quoted(report.after + status)} >&2` : ":";
  if (cpus.length === 0) return [tell("")];
  const error = (words: string): string => `echo ${quoted(`slurmstepd: error: --cpu-bind: ${words}`)} >&2`;
  const taskset = processes.findProgram("taskset", SYSTEM_SEARCH_PATH, "/");
  if ("problem" in taskset) return [error("this node has no taskset (package util-linux): the task is not bound")];
  const list = cpus.join(",");
  const failed = `{ ${tell(" FAILED")}; ${error(`taskset can't bind the task to the CPUs ${list}`)}; }`;
  return [`if ${quoted(taskset.file)} -p -c ${list} $$ >/dev/null 2>&1; then ${tell("")}; else ${failed}; fi`];
}

/** Variables that some shells end at when they are to be changed. */
const UNCHANGEABLE = "PPID|UID|EUID|BASHOPTS|SHELLOPTS|BASH_VERSINFO";

/**
 * Runs a task prolog as slurm.conf(5) says of TaskProlog: lines `export NAME=value`, `unset NAME` and `print text` of
 * its output are carried out, others passed over. As in Slurm the task runs also after one that failed.
 */
function prologLines(prolog: string): string[] {
  const isName = `[!A-Za-z_]*|*[!A-Za-z0-9_]*|""|${UNCHANGEABLE}) ;;`;
  const warning = `"slurmstepd: error: --task-prolog failed status=$?"`;
  return [
    // dash would make another variable's text its value otherwise.
    `_mgpu_said=$(${quoted(prolog)} </dev/null) || echo ${warning} >&2`,
    "while IFS= read -r _mgpu_line; do",
    "case $_mgpu_line in",
    `"export "*=*) _mgpu_line=\${_mgpu_line#export }`,
    `case \${_mgpu_line%%=*} in ${isName} *) export "$_mgpu_line" ;; esac ;;`,
    `"unset "*) _mgpu_line=\${_mgpu_line#unset }`,
    `case $_mgpu_line in ${isName} *) unset "$_mgpu_line" ;; esac ;;`,
    `"print "*) printf '%s\\n' "\${_mgpu_line#print }" ;;`,
    "esac",
    "done <<_MGPU_END_",
    "$_mgpu_said",
    "_MGPU_END_",
    "unset _mgpu_said _mgpu_line",
  ];
}

/** A limit that this machine does not allow is set as far as it does, with a warning. Unknown names are passed over. */
function limitLines(name: string, value: number): string[] {
  const setting = settingOf(name, value);
  if (!setting) return [];
  const { wanted, each } = setting;
  const most = `"$(${each((letter) => `ulimit -H -${letter}`)})"`;
  const warning = `"slurmstepd: error: RLIMIT_${name} of ${value} is more than this node allows: "${most}`;
  const fall = `${each((letter) => `ulimit -S -${letter} ${most}`)}${value < 0 ? "" : `; echo ${warning} >&3`}`;
  return [`{ ${wanted} || { ${fall}; }; } 3>&2 2>/dev/null`];
}

/** How a shell sets a limit, and says anything else of it with each of its letters; null for unknown names. */
function settingOf(name: string, value: number) {
  const limit = LIMITS[name];
  if (!limit) return null;
  const { letters, unit } = limit;
  const each = (make: (letter: string) => string): string => letters.map(make).join(" || ");
  const text = value < 0 ? "unlimited" : String(value === 0 ? 0 : Math.max(1, Math.floor(value / unit)));
  return { wanted: each((letter) => `ulimit -S -${letter} ${text}`), each };
}

function redirections(fifos: ReadonlyMap<StreamRole, string>, sharesOutput: boolean): string[] {
  const opened = [...fifos].map(([role, path]) => `${REDIRECTIONS[role]}${quoted(path)}`);
  return sharesOutput && fifos.has("stdout") ? [...opened, "2>&1"] : opened;
}

function assignment(name: string, value: string | undefined): string {
  return value === undefined ? `unset ${name}` : `${name}=${quoted(value)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
