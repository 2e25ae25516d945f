/** Memory of processes that go on running. */

import { readFileSync } from "node:fs";

/** What a process has in memory now. @param {number} pid */
export function residentMiB(pid) {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} shows no VmRSS`);
  return Number(kib) / 1024;
}
