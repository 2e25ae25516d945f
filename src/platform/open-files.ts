/**
 * Limits of open files. Node raises its own soft limit to the hard one when it starts, and its children would inherit
 * that: programs that go through all possible descriptors, or use select(2), suffer from a million of them. So what
 * it was before is found out, and handed on from daemon to daemon in MGPU_NOFILE.
 */

import { readFileSync } from "node:fs";

const VARIABLE = "MGPU_NOFILE";

/** The variable for a daemon that this program starts: the soft limit that this program itself was started with. */
export function openFilesVariable(): Record<string, string> {
  const known = fromEnvironment() ?? softLimitOf(process.ppid);
  return known === undefined ? {} : { [VARIABLE]: String(known) };
}

/** The soft limit that programs of users should get; null if ours will do. */
export function openFilesForJobs(): number | null {
  const soft = fromEnvironment();
  const own = softLimitOf(process.pid);
  return soft !== undefined && own !== undefined && soft < own ? soft : null;
}

/** The soft limit in the text of /proc/PID/limits: `Max open files  1024  524288  files`. */
export function parseOpenFiles(limits: string): number | undefined {
  const match = /^Max open files +(\d+) /m.exec(limits);
  return match ? Number(match[1]) : undefined;
}

function fromEnvironment(): number | undefined {
  const text = process.env[VARIABLE] ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Whoever started us has the limits that we had, unless it is a program of Node itself. */
function softLimitOf(pid: number): number | undefined {
  try {
    return parseOpenFiles(readFileSync(`/proc/${pid}/limits`, "latin1"));
  } catch {
    // Gone, or hidden from us.
    return undefined;
  }
}
