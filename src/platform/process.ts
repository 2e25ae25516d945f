/**
 * Processes, and the files and pipes they are started with, as an argument. What a user can get wrong comes back
 * as a value with the system's own words, never as an exception.
 *
 * A limit of Node: a child that dies of a real-time signal is told as exit code 0.
 */

import { type ChildProcess, spawn as spawnChild } from "node:child_process";
import * as fs from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { makeFolders } from "./folders.ts";
import { type ByteSource, type ByteTarget, PipePool, pipeSource, pipeTarget } from "./pipes.ts";
import { ChildMeter, type SpentTime } from "./process-usage.ts";
import { realScriptFolders, type ScriptFolders } from "./script-folders.ts";
import { realScripts, type Scripts } from "./script-forker.ts";
import { attempt, attemptNow, type Outcome, problemOf, type SystemProblem, systemProblem } from "./system-problem.ts";

/** A program that could be started, or why not; `interpreter` when its `#!` line names one that is missing. */
type FoundProgram = { readonly file: string } | { readonly problem: SystemProblem; readonly interpreter?: string };

/** How a process ended: one of the two is 0. */
export interface ProcessExit {
  readonly code: number;
  readonly signal: number;
}

export interface SpawnRequest {
  /** Absolute. */
  readonly file: string;
  /** The first is the name that the program sees itself called by. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workDir: string;
  /** The child's descriptors 0, 1, 2 ...; the caller still closes its own. */
  readonly descriptors: readonly number[];
  /** Makes it the leader of a session and process group of its own. */
  readonly ownSession: boolean;
  /** `spent` is what it used, with all that it waited for; read it later than in the same turn. */
  onExit(exit: ProcessExit, spent: SpentTime): void;
}

export interface Processes {
  /**
   * Finds what execve would start: names without a slash along `searchPath`, others against `workDir`.
   * A file that is neither a binary nor begins with `#!` is ENOEXEC, as for the kernel.
   */
  findProgram(name: string, searchPath: string, workDir: string): FoundProgram;
  /** Why one can't work in a folder; null if one can. */
  folderProblem(path: string): SystemProblem | null;
  /**
   * Whether it is a FIFO, and one that may be opened so. Opening one waits for its other end, and such a wait can't
   * be ended in this program: it takes a thread for good. So a FIFO is for the child to open.
   */
  isFifo(path: string, use: "read" | "write"): Promise<Outcome<boolean>>;
  /** Opens for reading; may wait for as long as the file system takes. A FIFO is refused with EAGAIN. */
  openInput(path: string): Promise<Outcome<number>>;
  /**
   * Opens for appending, without truncating; makes missing parent folders (0755). A FIFO is refused with EAGAIN.
   * @param mode exactly what a file that is made gets; 0666 less this process's mask by default
   */
  openOutput(path: string, mode?: number): Promise<Outcome<number>>;
  /**
   * Removes a plain file's name: who has it open still writes, but to nothing that anybody sees. Links, devices and what
   * can't be removed stay.
   * @returns whether it was removed
   */
  detachOutput(path: string): boolean;
  /** Empties an open file; devices and pipes are left alone. */
  truncate(descriptor: number): void;
  closeDescriptor(descriptor: number): void;
  /** Writes to an open file; what a full disk does not take is lost. */
  writeAll(descriptor: number, data: Uint8Array): void;
  /** A pipe whose writing end is for a child (close it after the spawn). */
  pipeFromChild(): Promise<Outcome<{ readonly childEnd: number; readonly source: ByteSource }>>;
  /** A pipe whose reading end is for a child (close it after the spawn). */
  pipeToChild(): Promise<Outcome<{ readonly childEnd: number; readonly target: ByteTarget }>>;
  /**
   * Adds text to a file; `create` makes it and missing parent folders. May wait for as long as the file system takes.
   * A FIFO is refused with EAGAIN.
   */
  appendText(path: string, text: string, create: boolean): Promise<Outcome<null>>;
  /** Starts a process; resolves with its pid before it can have been reaped. */
  spawn(request: SpawnRequest): Promise<Outcome<number>>;
  /** Replaces a small file, visible whole or not at all; its folder is made if that one is missing (0700). Not durable. */
  writeFile(path: string, data: Uint8Array, mode: number): Outcome<null>;
  /** Makes a folder (0700) in one that exists; false if it was there. */
  makeFolder(path: string): Outcome<boolean>;
  /** Makes a small file where there is none. Not durable. */
  createFile(path: string, data: Uint8Array, mode: number): Outcome<null>;
  /** A small file's text; null if there is none, or something else in its place. */
  readText(path: string): string | null;
  removeFile(path: string): void;
  /** Makes so many pipes ahead: one by one they would take longer. Never rejects: who then needs one is told why. */
  prepare(pipes: number): Promise<void>;
  /** Starts batch scripts in less than {@link spawn} takes. */
  readonly scripts: Scripts;
  /** Their folders, used again. */
  readonly folders: ScriptFolders;
  /** Lets go of the pipes kept ready, and of what starts scripts. */
  close(): void;
}

export interface ProcessesOptions {
  /** Where FIFOs exist for a moment; made if missing (0700). The system's folder for temporary files by default. */
  readonly scratchFolder?: string;
  /** Descriptors without close-on-exec that no child may inherit: they are replaced by /dev/null in it. */
  readonly hiddenDescriptors?: () => Iterable<number>;
  /** Scripts are started by their own program from the first one on, not only while many come. */
  readonly isEager?: boolean;
}

/** What execvp searches when the environment has no PATH. */
const SEARCH_PATH_DEFAULT = "/bin:/usr/bin";

/** Of a file before it has the mode that it is to have. */
const PRIVATE_MODE = 0o600;

/** The start of a binary, and where it says of how many bits and for which machine it is (elf(5)). */
const ELF = "\x7fELF";
const ELF_CLASS_AT = 4;
const ELF_MACHINE_AT = 18;

/** Of files with a number or a path in them. */
const SMALL_BYTES_MAX = 64 * 1024;

/** The kernel reads no more of a script's first line. */
const INTERPRETER_LINE_BYTES = 256;

const openFile = promisify(fs.open);

/** The machine's processes. */
export function realProcesses(options: ProcessesOptions = {}): Processes {
  const meter = new ChildMeter();
  const pool = new PipePool(options.scratchFolder ?? tmpdir(), () => meter.skip());
  const hidden = options.hiddenDescriptors ?? (() => []);
  const scripts = realScripts({
    stdio: () => stdioOf(["pipe", "pipe", "ignore", "pipe"], hidden()),
    onReaped: () => meter.skip(),
    ...(options.isEager === undefined ? {} : { isEager: options.isEager }),
  });
  const folders = realScriptFolders({ script: "script", records: ["pid", "exit", "errors"] });
  return {
    findProgram,
    folderProblem,
    isFifo: (path, use) => attempt(() => isFifo(path, use)),
    openInput: (path) => attempt(() => openNotFifo(path, fs.constants.O_RDONLY)),
    openOutput: (path, mode) => attempt(() => openOutput(path, mode)),
    detachOutput: (path) =>
      !(
        "problem" in
        attemptNow(() => {
          if (!fs.lstatSync(path).isFile()) throw Object.assign(new Error("no plain file"), { code: "EINVAL" });
          fs.unlinkSync(path);
        })
      ),
    truncate(descriptor) {
      // Devices and pipes refuse with EINVAL, and have nothing to empty.
      attemptNow(() => fs.ftruncateSync(descriptor, 0));
    },
    writeAll(descriptor, data) {
      for (let at = 0; at < data.length; ) {
        const written = attemptNow(() => fs.writeSync(descriptor, data, at));
        if ("problem" in written) return;
        at += written.value;
      }
    },
    closeDescriptor: (descriptor) => void attemptNow(() => fs.closeSync(descriptor)),
    pipeFromChild: () => pool.take(fs.constants.O_RDONLY, (ours, childEnd) => ({ childEnd, source: pipeSource(ours) })),
    pipeToChild: () => pool.take(fs.constants.O_WRONLY, (ours, childEnd) => ({ childEnd, target: pipeTarget(ours) })),
    appendText: (path, text, create) => attempt(() => appendText(path, text, create)),
    spawn: (request) => spawnProcess(request, hidden(), meter),
    writeFile: (path, data, mode) => attemptNow(() => replaceFile(path, data, mode)),
    makeFolder: (path) => attemptNow(() => makeFolder(path)),
    createFile: (path, data, mode) => attemptNow(() => createFile(path, data, mode)),
    readText,
    removeFile: (path) => fs.rmSync(path, { force: true }),
    prepare: (pipes) => pool.prepare(pipes),
    scripts,
    folders,
    close() {
      pool.close();
      folders.close();
      scripts.close();
    },
  };
}

function findProgram(name: string, searchPath: string, workDir: string): FoundProgram {
  if (name === "") return { problem: systemProblem("ENOENT") };
  if (name.includes("/")) return checkProgram(resolve(workDir, name), workDir);
  let refused: FoundProgram = { problem: systemProblem("ENOENT") };
  for (const folder of (searchPath || SEARCH_PATH_DEFAULT).split(":")) {
    const found = checkProgram(resolve(workDir, folder, name), workDir);
    if ("file" in found || found.interpreter !== undefined) return found;
    // As execvp: a folder is passed over, a file that may not be executed only wins over finding nothing.
    if (found.problem.code === "ENOEXEC") return found;
    if (found.problem.code === "EACCES") refused = found;
  }
  return refused;
}

function checkProgram(file: string, workDir: string): FoundProgram {
  const checked = attemptNow(() => {
    const stat = fs.statSync(file);
    if (!stat.isDirectory()) fs.accessSync(file, fs.constants.X_OK);
    return stat;
  });
  if ("problem" in checked) return checked;
  // The kernel's number, with words that help more than its `Permission denied`.
  if (checked.value.isDirectory()) return { problem: { ...systemProblem("EISDIR"), number: constants.errno.EACCES } };
  // As the kernel; and looking into a FIFO would wait for a writer.
  if (!checked.value.isFile()) return { problem: systemProblem("EACCES") };
  const head = attemptNow(() => readHead(file));
  // Executable but not readable: only the kernel can tell.
  if ("problem" in head) return { file };
  if (head.value.startsWith("#!")) return checkInterpreter(file, head.value, workDir);
  if ((head.value.startsWith(ELF) && !isForeign(head.value)) || otherFormatsRun()) return { file };
  return { problem: systemProblem("ENOEXEC") };
}

/**
 * Whether a binary is for machines of another kind. A shell that is told to become it would take it for a script, so
 * this is found out before. One of fewer bits is left to the kernel, which may know how to run it.
 */
function isForeign(head: string): boolean {
  const own = attemptNow(() => readHead("/proc/self/exe"));
  if ("problem" in own || head.length < ELF_MACHINE_AT + 2) return false;
  const machineOf = (one: string): string => one.slice(ELF_MACHINE_AT, ELF_MACHINE_AT + 2);
  return head[ELF_CLASS_AT] === own.value[ELF_CLASS_AT] && machineOf(head) !== machineOf(own.value);
}

function checkInterpreter(file: string, head: string, workDir: string): FoundProgram {
  const line = (head.split("\n", 1)[0] ?? "").slice(2).replace(/^[ \t]+/, "");
  const interpreter = line.split(/[ \t]/, 1)[0] ?? "";
  if (interpreter === "") return { problem: systemProblem("ENOEXEC") };
  const checked = attemptNow(() => fs.accessSync(resolve(workDir, interpreter), fs.constants.X_OK));
  return "problem" in checked ? { problem: checked.problem, interpreter } : { file };
}

function readHead(file: string): string {
  const descriptor = fs.openSync(file, "r");
  try {
    const buffer = Buffer.alloc(INTERPRETER_LINE_BYTES);
    return buffer.toString("latin1", 0, fs.readSync(descriptor, buffer, 0, buffer.length, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Whether the kernel was taught further formats (binfmt_misc: foreign binaries, Windows programs on WSL). */
function otherFormatsRun(): boolean {
  const names = attemptNow(() => fs.readdirSync("/proc/sys/fs/binfmt_misc"));
  return "value" in names && names.value.some((name) => name !== "register" && name !== "status");
}

function folderProblem(path: string): SystemProblem | null {
  const checked = attemptNow(() => {
    if (!fs.statSync(path).isDirectory()) return "ENOTDIR";
    fs.accessSync(path, fs.constants.X_OK);
    return "";
  });
  if ("problem" in checked) return checked.problem;
  return checked.value === "" ? null : systemProblem(checked.value);
}

async function openOutput(path: string, mode?: number): Promise<number> {
  const open = (): Promise<number> => openOrMake(path, mode);
  try {
    return await open();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    makeFolders(dirname(path), 0o755);
    return open();
  }
}

async function openOrMake(path: string, mode?: number): Promise<number> {
  const { O_WRONLY, O_CREAT, O_APPEND, O_EXCL } = fs.constants;
  const flags = O_WRONLY | O_CREAT | O_APPEND;
  if (mode === undefined) return openNotFifo(path, flags);
  try {
    const made = await openFile(path, flags | O_EXCL, mode & PRIVATE_MODE);
    // Now the mask of this process has no say in it.
    fs.fchmodSync(made, mode);
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return openNotFifo(path, flags);
  }
}

async function appendText(path: string, text: string, create: boolean): Promise<null> {
  const { O_WRONLY, O_APPEND } = fs.constants;
  const descriptor = await (create ? openOutput(path) : openNotFifo(path, O_WRONLY | O_APPEND));
  try {
    await promisify(fs.write)(descriptor, Buffer.from(text));
    return null;
  } finally {
    fs.closeSync(descriptor);
  }
}

async function isFifo(path: string, use: "read" | "write"): Promise<boolean> {
  const stat = await new Promise<fs.Stats | null>((resolve) => {
    fs.stat(path, (error, found) => resolve(error ? null : found));
  });
  if (stat?.isFIFO() !== true) return false;
  await fs.promises.access(path, use === "read" ? fs.constants.R_OK : fs.constants.W_OK);
  return true;
}

/** Opens without waiting for a peer, then takes that mode away again: children would inherit it. */
async function openNotFifo(path: string, flags: number): Promise<number> {
  const { O_NOCTTY, O_NONBLOCK, O_CREAT } = fs.constants;
  const descriptor = await openFile(path, flags | O_NOCTTY | O_NONBLOCK, 0o666);
  try {
    const stat = fs.fstatSync(descriptor);
    if (stat.isFIFO()) throw Object.assign(new Error(`${path} is a FIFO`), { code: "EAGAIN" });
    // Such a one can be opened for reading, and then not be read.
    if (stat.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: "EISDIR" });
    // To files and folders it means nothing, nor to the one device that most launches open.
    if (!stat.isCharacterDevice() || path === "/dev/null") return descriptor;
    const blocking = await openFile(`/proc/self/fd/${descriptor}`, (flags & ~O_CREAT) | O_NOCTTY);
    fs.closeSync(descriptor);
    return blocking;
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function replaceFile(path: string, data: Uint8Array, mode: number): null {
  const temporary = `${path}.tmp`;
  const folder = dirname(path);
  if (!fs.existsSync(folder)) fs.mkdirSync(folder, 0o700);
  fs.rmSync(temporary, { force: true });
  fs.writeFileSync(temporary, data, { mode, flag: "wx" });
  // The umask may have taken bits away.
  fs.chmodSync(temporary, mode);
  fs.renameSync(temporary, path);
  return null;
}

function makeFolder(path: string): boolean {
  try {
    fs.mkdirSync(path, 0o700);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function createFile(path: string, data: Uint8Array, mode: number): null {
  const descriptor = fs.openSync(path, "wx", mode);
  try {
    // The umask may have taken bits away.
    fs.fchmodSync(descriptor, mode);
    fs.writeFileSync(descriptor, data);
    return null;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** It may be in a user's folder: not to wait at a FIFO, nor to follow a link, nor to fill memory. */
function readSmall(path: string): string {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
  const descriptor = fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  try {
    const { size } = fs.fstatSync(descriptor);
    if (!fs.fstatSync(descriptor).isFile() || size > SMALL_BYTES_MAX) {
      throw Object.assign(new Error(`${path} is no small file`), { code: "EINVAL" });
    }
    const buffer = Buffer.alloc(SMALL_BYTES_MAX);
    return buffer.toString("utf8", 0, fs.readSync(descriptor, buffer, 0, buffer.length, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}

function readText(path: string): string | null {
  const read = attemptNow(() => readSmall(path));
  return "value" in read ? read.value : null;
}

function spawnProcess(request: SpawnRequest, hidden: Iterable<number>, meter: ChildMeter): Promise<Outcome<number>> {
  const { file, argv, environment, workDir, descriptors, ownSession, onExit } = request;
  const stdio = stdioOf(descriptors, hidden);
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawnChild(file, argv.slice(1), {
        argv0: argv[0] ?? file,
        env: environment,
        cwd: workDir,
        stdio: stdio.list,
        detached: ownSession,
      });
    } catch (error) {
      return resolve({ problem: problemOf(error) });
    } finally {
      stdio.done();
    }
    child.once("error", (error) => resolve({ problem: problemOf(error) }));
    child.once("spawn", () => resolve({ value: child.pid as number }));
    child.once("exit", (code, signal) => {
      onExit({ code: code ?? 0, signal: signal === null ? 0 : constants.signals[signal] }, meter.take());
    });
  });
}

/** The stdio list that also covers the hidden descriptors in the child, with /dev/null; to be let go of after the start. */
function stdioOf(streams: readonly ("pipe" | "ignore" | number)[], hidden: Iterable<number>) {
  const list = [...streams];
  let nullDescriptor: number | null = null;
  for (const descriptor of hidden) {
    if (descriptor < streams.length) continue;
    while (list.length <= descriptor) list.push("ignore");
    nullDescriptor ??= fs.openSync("/dev/null", "r+");
    list[descriptor] = nullDescriptor;
  }
  const done = (): void => {
    if (nullDescriptor !== null) fs.closeSync(nullDescriptor);
  };
  return { list, done };
}
