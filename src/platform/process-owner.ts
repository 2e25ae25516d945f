/** Signals for processes whose pids others said: root must not be led to end what is not theirs. */

import { readFileSync } from "node:fs";

/**
 * Sends a signal to a process; with a uid only if the process has all of that user's ids and no other. One that is gone,
 * or another's, is left alone.
 */
export function signalOwned(pid: number, signal: "SIGTERM" | "SIGKILL", uid: number | undefined): void {
  // 0 and numbers below it mean groups of processes; 1 is the machine's first.
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  try {
    if (uid === undefined || isOf(pid, uid)) process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Real, effective, saved and file system's uid: a setuid program that the user started is not the user's. proc_pid_status(5). */
function isOf(pid: number, uid: number): boolean {
  const line = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "";
  const uids = line.split("\t");
  return uids.length === 4 && uids.every((one) => one === String(uid));
}
