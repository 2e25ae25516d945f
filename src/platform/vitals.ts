/** How this machine is doing: from /proc, cheap enough for every heartbeat. */

import * as os from "node:os";
import { textOf } from "./kernel-text.ts";

/** What a node tells of its machine from time to time. */
export interface Vitals {
  /** Load average of the last minute, in hundredths. */
  readonly loadCenti: number;
  /** What the kernel could give to programs. */
  readonly freeMemoryMiB: number;
  /** Milliseconds since 1970; 0 where the kernel does not tell. */
  readonly bootAt: number;
  readonly sockets: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
  /** By this machine's clock, milliseconds since 1970. */
  readonly now: number;
}

/** A function that looks anew each time; the processors are looked at once. */
export function createVitals(): () => Vitals {
  const topology = parseTopology(textOf("/proc/cpuinfo"));
  const bootAt = parseBootTime(textOf("/proc/stat"));
  return () => ({
    loadCenti: Math.round((os.loadavg()[0] ?? 0) * 100),
    freeMemoryMiB: parseMemFree(textOf("/proc/meminfo")) ?? Math.floor(os.freemem() / 2 ** 20),
    bootAt,
    now: Date.now(),
    ...topology,
  });
}

/** MiB of the MemFree line of /proc/meminfo, which is what Slurm shows; `undefined` if there is none. */
export function parseMemFree(text: string): number | undefined {
  const match = /^MemFree:\s+(\d+) kB$/m.exec(text);
  return match ? Math.floor(Number(match[1]) / 1024) : undefined;
}

/** Milliseconds since 1970 of the btime line of /proc/stat; 0 if there is none. */
export function parseBootTime(text: string): number {
  return Number(/^btime (\d+)$/m.exec(text)?.[1] ?? 0) * 1000;
}

/** Sockets, cores and threads of /proc/cpuinfo; one core a processor where it does not name them. */
export function parseTopology(text: string): Pick<Vitals, "sockets" | "coresPerSocket" | "threadsPerCore"> {
  const processors = text.split(/\n\n+/).filter((block) => /^processor\s*:/m.test(block));
  const field = (block: string, name: string): string | undefined =>
    new RegExp(`^${name}\\s*:\\s*(\\d+)$`, "m").exec(block)?.[1];
  const packages = new Set<string>();
  const cores = new Set<string>();
  for (const block of processors) {
    const [socket, core] = [field(block, "physical id"), field(block, "core id")];
    if (socket === undefined || core === undefined) continue;
    packages.add(socket);
    cores.add(`${socket}.${core}`);
  }
  const count = Math.max(1, processors.length);
  if (cores.size === 0) return { sockets: 1, coresPerSocket: count, threadsPerCore: 1 };
  return {
    sockets: packages.size,
    coresPerSocket: Math.max(1, Math.round(cores.size / packages.size)),
    threadsPerCore: Math.max(1, Math.round(count / cores.size)),
  };
}
