/**
 * Programs that jobs may run (security.allowed_script_paths): files in certain folders, after all symbolic links.
 * Scripts count by their file, whose text must be what was submitted; interpreters of the system by the file that
 * they are given. It keeps people to what was agreed on: it is no fence around what an allowed program does.
 */

import { FEED_SCRIPT } from "../core/feed/job.ts";
import type { ProgramSpec } from "../core/jobspec.ts";
import { INTERPRETER_FOLDERS, plainWords, programOf } from "../core/program-words.ts";
import { RpcError } from "../protocol/errors.ts";

/** Along which programs are looked for where a job's environment does not say. */
const PATH = INTERPRETER_FOLDERS.join(":");

/** What is asked of this machine's files. They reject, in words, where a file system does not answer. */
export interface ProgramFiles {
  /** The path without symbolic links; `null` where nothing is, or links go in a circle. */
  resolve(path: string): Promise<string | null>;
  /** A file's bytes; `null` where it can't be read. */
  read(path: string): Promise<Uint8Array | null>;
}

/** A program as it is submitted. */
export interface Submitted {
  readonly kind: "batch" | "run" | "alloc";
  readonly program: Pick<ProgramSpec, "argv" | "programs" | "workDir" | "taskProlog" | "taskEpilog">;
  readonly environment: Readonly<Record<string, string>>;
  /** Of a batch job. */
  readonly script: Uint8Array | null;
}

/** Scripts that only carry a command: their texts before it. */
const WRAP_HEAD = "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n";

/**
 * @throws RpcError PERMISSION with what is not allowed, and what is; any program is where `allowed` is empty. UNREADABLE
 * where nobody can say, since a file system does not answer
 */
export async function checkPrograms(
  files: ProgramFiles,
  allowed: readonly string[],
  submitted: readonly Submitted[],
): Promise<void> {
  if (allowed.length === 0) return;
  try {
    await checkAll(files, allowed, submitted);
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError("UNREADABLE", `the programs can't be checked: ${(error as Error).message}`);
  }
}

async function checkAll(files: ProgramFiles, allowed: readonly string[], submitted: readonly Submitted[]) {
  const folders = (await Promise.all(allowed.map((path) => files.resolve(path)))).flatMap((path) => path ?? []);
  for (const one of submitted) {
    const problem = await programProblem(files, folders, one);
    if (problem === "") continue;
    const hint = `${problem}; security.allowed_script_paths allows files in ${allowed.join(", ")}`;
    throw new RpcError("PERMISSION", "Access/permission denied", hint);
  }
}

async function programProblem(files: ProgramFiles, folders: readonly string[], one: Submitted): Promise<string> {
  const { kind, program, script } = one;
  if (kind === "batch") return scriptProblem(files, folders, one, script ?? new Uint8Array());
  const { argv, programs, taskProlog, taskEpilog } = program;
  // salloc's command runs where it was typed; what its steps run is looked at when they come.
  const lines = kind === "alloc" ? [] : programs.length > 0 ? programs.map((task) => task.argv) : [argv];
  const hooks = [taskProlog, taskEpilog].flatMap((path) => (path === undefined ? [] : [[path]]));
  return firstProblem([...lines, ...hooks].map((words) => wordsProblem(files, folders, one, words)));
}

async function scriptProblem(
  files: ProgramFiles,
  folders: readonly string[],
  one: Submitted,
  script: Uint8Array,
): Promise<string> {
  const text = new TextDecoder().decode(script);
  if (text === FEED_SCRIPT) return commandProblem(files, folders, one, one.program.argv[1] ?? "");
  if (text.startsWith(WRAP_HEAD)) return commandProblem(files, folders, one, text.slice(WRAP_HEAD.length));
  const [path = ""] = one.program.argv;
  if (!path.startsWith("/")) return "a script from standard input is no file";
  const real = await files.resolve(path);
  const problem = placeProblem(path, real, folders);
  if (problem !== "" || real === null) return problem;
  const there = await files.read(real);
  const isSame = there?.length === script.length && there.every((byte, at) => byte === script[at]);
  return isSame ? "" : `${path}: not what was submitted`;
}

function commandProblem(files: ProgramFiles, folders: readonly string[], one: Submitted, text: string) {
  const words = plainWords(text);
  return "problem" in words ? words.problem : wordsProblem(files, folders, one, words);
}

async function wordsProblem(
  files: ProgramFiles,
  folders: readonly string[],
  one: Submitted,
  words: readonly string[],
): Promise<string> {
  const meant = programOf(words);
  if ("problem" in meant) return meant.problem;
  const found = await findProgram(files, one, meant.program);
  if (meant.file === null) return placeProblem(meant.program, found, folders);
  const interpreter = placeProblem(meant.program, found, [
    ...folders,
    ...(await resolveAll(files, INTERPRETER_FOLDERS)),
  ]);
  if (interpreter !== "") return interpreter;
  return placeProblem(meant.file, await files.resolve(absolute(meant.file, one.program.workDir)), folders);
}

/** As the node finds it: along PATH, unless it has a slash. */
async function findProgram(
  files: ProgramFiles,
  { environment, program: { workDir } }: Submitted,
  name: string,
): Promise<string | null> {
  if (name.includes("/")) return files.resolve(absolute(name, workDir));
  for (const folder of (environment.PATH ?? PATH).split(":")) {
    const found = await files.resolve(`${absolute(folder === "" ? "." : folder, workDir)}/${name}`);
    if (found !== null) return found;
  }
  return null;
}

function placeProblem(path: string, real: string | null, folders: readonly string[]): string {
  if (real === null) return `${path}: no such file here`;
  const isIn = folders.some((folder) => real === folder || real.startsWith(`${folder === "/" ? "" : folder}/`));
  if (isIn) return "";
  return real === path
    ? `${path} is in none of the allowed folders`
    : `${path} is ${real}, in none of the allowed folders`;
}

function absolute(path: string, folder: string): string {
  return path.startsWith("/") ? path : `${folder}/${path}`;
}

async function resolveAll(files: ProgramFiles, paths: readonly string[]): Promise<string[]> {
  return (await Promise.all(paths.map((path) => files.resolve(path)))).flatMap((path) => path ?? []);
}

async function firstProblem(problems: readonly Promise<string>[]): Promise<string> {
  return (await Promise.all(problems)).find((problem) => problem !== "") ?? "";
}
