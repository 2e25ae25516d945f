/**
 * Folders and programs as a user meets them. Each question is a small program of its own, with the user's rights if we
 * are root: a file system that hangs holds up nothing but its own answer.
 */

import { spawn } from "node:child_process";

/** Whose view counts. */
export interface Asker {
  readonly uid: number;
  readonly gid: number;
  /** Of theirs, where we are root and they are not. */
  readonly groups?: readonly number[];
  readonly home: string;
  readonly cwd: string;
  /** Their PATH. */
  readonly path: string;
  /** Programs of theirs may not run: only the system's python3 is looked at, and without what lies in their home. */
  readonly isRestricted?: boolean | undefined;
}

export interface FolderFacts {
  /** What it is for: `state folder`. */
  readonly what: string;
  readonly path: string;
  /** - `missing`: there is none
   *  - `silent`: its file system does not answer */
  readonly state: "there" | "missing" | "silent";
  /** Why nothing can be written there, or it can't be made, in the system's words; empty if a test showed that it can. */
  readonly problem: string;
  /** -1 where the file system does not tell. */
  readonly freeMiB: number;
  readonly freeInodes: number;
  /** Of the file system: `ext2/ext3`, `nfs`. */
  readonly kind: string;
  /** Inode number: the same folder has the same on each machine that shares it. */
  readonly inode: number;
}

export interface PythonFacts {
  /** Where PATH finds python3; empty if it does not. */
  readonly path: string;
  readonly version: string;
  /** Empty if there is none. */
  readonly torch: string;
  /** What torch was built for: `12.1`; empty without CUDA. */
  readonly cuda: string;
  /** What went wrong; empty otherwise. */
  readonly problem: string;
}

/** Where only an administrator puts programs. */
const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";

const FOLDER_MS = 4000;
const PYTHON_MS = 8000;

/** Far beyond what these programs print. */
const OUTPUT_BYTES_MAX = 16 * 1024;

/** Writing one page shows full disks, quotas and read-only file systems alike. */
const FOLDER_SCRIPT = `
cd -- "$1" 2>/dev/null || {
  if [ -d "$1" ]; then echo "problem Permission denied"; exit; fi
  echo missing
  [ "$2" = make ] || exit
  above=$1
  until [ -e "$above" ]; do above=$(dirname -- "$above"); done
  mkdir -- "$above/.mgpu-doctor-$$" 2>&1 | sed -n '1s/.*: /problem /p'
  rmdir -- "$above/.mgpu-doctor-$$" 2>/dev/null
  exit
}
stat -f -c 'space %S %a %d %T' . 2>/dev/null
stat -c 'inode %i' . 2>/dev/null
if [ "$2" = look ]; then
  [ -w . ] || echo "problem nothing can be written there"
  exit
fi
file=.mgpu-doctor-$$
set -C
{ head -c 4096 /dev/zero >"$file"; } 2>&1 | sed -n '1s/.*: /problem /p'
rm -f -- "$file" 2>/dev/null
echo end`;

/** Without loading torch, which takes seconds. */
const PYTHON_SCRIPT = `
import importlib.util, os, platform, sys
print("version", platform.python_version())
found = importlib.util.find_spec("torch")
if found and found.origin:
    told = {}
    with open(os.path.join(os.path.dirname(found.origin), "version.py")) as file:
        exec(file.read(), told)
    print("torch", told.get("__version__", "?"))
    print("cuda", told.get("cuda") or "")
`;

/**
 * Looks at a folder, or at where it would be made if it is mgpu's own.
 * @param asker with whose rights; `null` for our own. A working folder is only looked at: nobody wants files there.
 */
export async function examineFolder(what: string, path: string, asker: Asker | null): Promise<FolderFacts> {
  const isOurs = what === "state folder" || what === "spool";
  const mode = isOurs ? "make" : what === "working folder" ? "look" : "write";
  const ran = await runAs(asker, ["sh", "-c", FOLDER_SCRIPT, "sh", path, mode], FOLDER_MS);
  return { what, path, ...parseFolder(ran.output, ran.isLate) };
}

/** Reads what the script printed. */
export function parseFolder(output: string, isLate: boolean): Omit<FolderFacts, "what" | "path"> {
  const [, size = "", free = "", inodes = "", kind = ""] = /^space (\d+) (\d+) (\d+) (.*)$/m.exec(output) ?? [];
  const known = {
    freeMiB: size === "" ? -1 : Math.floor((Number(size) * Number(free)) / 2 ** 20),
    freeInodes: inodes === "" ? -1 : Number(inodes),
    kind,
    inode: Number(/^inode (\d+)$/m.exec(output)?.[1] ?? 0),
  };
  if (isLate) return { ...known, state: "silent", problem: "its file system does not answer" };
  const told = /^problem (.*)$/m.exec(output)?.[1];
  if (/^missing$/m.test(output)) return { ...known, state: "missing", problem: told ?? "" };
  const problem = told ?? (known.inode === 0 ? "it can't be looked at" : "");
  return { ...known, state: "there", problem };
}

/** The python3 that a job of the user would run. For root it is the system's: a PATH may lead to programs of anybody. */
export async function examinePython(asker: Asker): Promise<PythonFacts> {
  const isOnlySystems = asker.uid === 0 || asker.isRestricted === true;
  // Without -I python runs what it finds in the home folder (usercustomize, .pth files).
  const [path, mode] = isOnlySystems ? [SYSTEM_PATH, "-I"] : [asker.path, ""];
  const script = `PATH=$2; path=$(command -v python3) || exit 0; echo "path $path"; exec "$path" $3 -c "$1" 2>&1`;
  const { output, isLate } = await runAs(asker, ["sh", "-c", script, "sh", PYTHON_SCRIPT, path, mode], PYTHON_MS);
  return parsePython(output, isLate);
}

/** Reads what the script printed. */
export function parsePython(output: string, isLate: boolean): PythonFacts {
  const word = (name: string): string => new RegExp(`^${name} (.*)$`, "m").exec(output)?.[1] ?? "";
  const facts = { path: word("path"), version: word("version"), torch: word("torch"), cuda: word("cuda") };
  if (isLate) return { ...facts, problem: `it did not answer within ${PYTHON_MS / 1000} s` };
  const isWell = facts.path === "" || facts.version !== "";
  return { ...facts, problem: isWell ? "" : (output.trim().split("\n").at(-1) ?? "").slice(0, 200) };
}

/** For root, to be somebody else. */
function identityWords({ uid, gid, groups = [] }: Asker): string[] {
  const others = groups.length > 0 ? `--groups=${groups.join(",")}` : "--clear-groups";
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, others, "--"];
}

/** Runs a program for what it prints; a program that is late is not waited for. What it started is killed in any case. */
function runAs(
  asker: Asker | null,
  argv: readonly string[],
  timeoutMs: number,
): Promise<{ readonly output: string; readonly isLate: boolean }> {
  const own = process.getuid?.() ?? 0;
  const isOther = asker !== null && own === 0 && asker.uid !== 0;
  const identity = isOther ? identityWords(asker) : [];
  const [program = "", ...args] = [...identity, ...argv];
  // Not the user's PATH, which may not even lead to a shell.
  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: asker?.home ?? "/", LC_ALL: "C.UTF-8" };
  return new Promise((resolve) => {
    let output = "";
    const finish = (isLate: boolean): void => {
      clearTimeout(timer);
      resolve({ output, isLate });
    };
    const child = spawn(program, args, { cwd: "/", env, detached: true, stdio: ["ignore", "pipe", "ignore"] });
    const timer = setTimeout(() => {
      killGroup(child.pid);
      child.stdout.destroy();
      child.unref();
      finish(true);
    }, timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      if (output.length < OUTPUT_BYTES_MAX) output += chunk.toString("utf8");
    });
    child.once("error", () => finish(false));
    // Now, not when the output is closed: what still runs has it open.
    child.once("exit", () => killGroup(child.pid));
    child.once("close", () => finish(false));
  });
}

/** A program and what it started. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}
