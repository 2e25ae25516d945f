/** What a job takes over from the shell in which it was submitted: file mode mask, limits, login variables. */

import * as fs from "node:fs";
import { userInfo } from "node:os";

/** Rows of /proc/self/limits, by Slurm's names. Linux keeps all ten under these titles (fs/proc/base.c). */
const LIMIT_ROWS: Readonly<Record<string, string>> = {
  "Max address space": "AS",
  "Max core file size": "CORE",
  "Max cpu time": "CPU",
  "Max data size": "DATA",
  "Max file size": "FSIZE",
  "Max locked memory": "MEMLOCK",
  "Max open files": "NOFILE",
  "Max processes": "NPROC",
  "Max resident set": "RSS",
  "Max stack size": "STACK",
};

/** Between whatever login scripts print and the variables. */
const MARKER = "\n--mgpu-environment--\0";

/** Variables of the shell that was asked, no business of a job. */
const OF_THE_SHELL: ReadonlySet<string> = new Set(["_", "SHLVL", "PWD", "OLDPWD"]);

/** Most bytes of an environment; Linux takes about so many in a program's arguments. */
const BYTES_MAX = 4 * 1024 * 1024;

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The shell that started this process, as far as it shows. */
export function realShell() {
  return {
    /** File mode bits that new files don't get. */
    umask: (): number => process.umask(),
    /** Soft limits by Slurm's names, -1 for none. Empty where the machine does not tell. */
    limits: (): Record<string, number> => readLimits(),
    loginEnvironment,
  };
}

/** Soft limits as /proc/PID/limits shows them: a title, then the soft and the hard limit. */
export function parseLimits(text: string): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const match = /^(\S+(?: \S+)*?) {2,}(\d+|unlimited)\s/.exec(line);
    const name = LIMIT_ROWS[match?.[1] ?? ""];
    const soft = match?.[2];
    if (name !== undefined && soft !== undefined) limits[name] = limitValue(soft);
  }
  return limits;
}

/** Variables as `env -0` prints them, behind {@link MARKER}; `null` if there are none. */
export function parseLogin(text: string): Record<string, string> | null {
  const at = text.lastIndexOf(MARKER);
  if (at < 0) return null;
  const variables: Record<string, string> = {};
  for (const pair of text.slice(at + MARKER.length).split("\0")) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, Math.max(0, equals));
    if (name !== "" && !OF_THE_SHELL.has(name)) variables[name] = pair.slice(equals + 1);
  }
  return Object.keys(variables).length === 0 ? null : variables;
}

/** Limits beyond what a number holds exactly are as good as none. */
function limitValue(soft: string): number {
  const value = Number(soft);
  return Number.isSafeInteger(value) ? value : -1;
}

/**
 * Our own limits are the shell's, but for open files: Node raises that one to the hard limit when it starts. Whoever
 * started us still has what we had.
 */
function readLimits(): Record<string, number> {
  const own = parseLimits(limitsText("self"));
  // Of the other one no other line counts.
  const parents = parseLimits(/^Max open files .*$/m.exec(limitsText(String(process.ppid)))?.[0] ?? "").NOFILE;
  if (own.NOFILE === undefined || parents === undefined || parents < 0) return own;
  return { ...own, NOFILE: own.NOFILE < 0 ? parents : Math.min(parents, own.NOFILE) };
}

/** Empty for a process that is gone or hidden from us. */
function limitsText(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/limits`, "utf8");
  } catch {
    return "";
  }
}

/**
 * The variables that a login shell of this user sets, starting from next to nothing; `null` if it does not say so in
 * time. The shell and whatever it started are killed then.
 */
function loginEnvironment(timeoutMs: number): Promise<Record<string, string> | null> {
  const { name, home, shell } = account();
  const env = { HOME: home, USER: name, LOGNAME: name, SHELL: shell, PATH: DEFAULT_PATH };
  const script = `printf '${MARKER.replace("\n", "\\n").replace("\0", "\\0")}'; exec env -0`;
  const cwd = fs.existsSync(home) ? home : "/";
  // Loaded here: every command would pay for it.
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn(shell, ["-l", "-c", script], { env, cwd, stdio: ["ignore", "pipe", "ignore"], detached: true });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (): void => {
      clearTimeout(timer);
      kill(child.pid);
      child.stdout.destroy();
      resolve(parseLogin(Buffer.concat(chunks).toString("utf8")));
    };
    // What has come by then may be all: a program that a login script left behind can hold the pipe open.
    const timer = setTimeout(finish, timeoutMs);
    child.on("error", finish);
    child.on("close", finish);
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BYTES_MAX) chunks.push(chunk);
    });
  });
}

/** The user as the system's records have him. */
function account(): { readonly name: string; readonly home: string; readonly shell: string } {
  try {
    const { username, homedir, shell } = userInfo();
    return { name: username, home: homedir, shell: shell || "/bin/sh" };
  } catch {
    return { name: String(process.getuid?.() ?? 0), home: "/", shell: "/bin/sh" };
  }
}

/** Ends a process group; one that is gone is no matter. */
function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
