/**
 * What processes used, read from /proc: CPU time, memory, page faults, bytes. A process's own numbers have those of
 * its children that it waited for in them; memory is of the moment, and the highest that it was.
 */

import * as fs from "node:fs";

/** What a process used, its reaped children included. */
export interface ProcessUsage extends SpentTime {
  /** Now, and the most so far. */
  readonly rssKiB: number;
  readonly peakRssKiB: number;
  readonly vmKiB: number;
  readonly peakVmKiB: number;
  /** Bytes, of whatever kind of file; 0 where the kernel does not say. */
  readonly read: number;
  readonly written: number;
}

/** CPU time in milliseconds, and page faults that needed the disk. */
export interface SpentTime {
  readonly userMs: number;
  readonly systemMs: number;
  readonly pages: number;
}

/** Linux tells programs times in hundredths of a second, whatever its own clock does. */
const TICK_MS = 10;

/** Fields of /proc/PID/stat, by their numbers in proc(5). */
const FIELD = { majorFaults: 12, childMajorFaults: 13, user: 14, system: 15, childUser: 16, childSystem: 17 } as const;

/** Reads what a process used; `null` for one that is gone. @param root `/proc`, but for tests */
export function processUsage(pid: number, root = "/proc"): ProcessUsage | null {
  const read = (name: string): string => readText(`${root}/${pid}/${name}`);
  const stat = statFields(read("stat"));
  const status = read("status");
  if (stat === null || status === "") return null;
  const io = read("io");
  const kib = (name: string): number => numberAfter(status, name);
  return {
    userMs: (stat(FIELD.user) + stat(FIELD.childUser)) * TICK_MS,
    systemMs: (stat(FIELD.system) + stat(FIELD.childSystem)) * TICK_MS,
    pages: stat(FIELD.majorFaults) + stat(FIELD.childMajorFaults),
    rssKiB: kib("VmRSS"),
    peakRssKiB: kib("VmHWM"),
    vmKiB: kib("VmSize"),
    peakVmKiB: kib("VmPeak"),
    read: numberAfter(io, "rchar"),
    written: numberAfter(io, "wchar"),
  };
}

/** Children that ended in the same turn: what they used together is told of each in equal parts. */
class Group {
  readonly spent: SpentTime;
  members = 0;

  constructor(spent: SpentTime) {
    this.spent = spent;
  }

  join(): SpentTime {
    this.members++;
    const share = (of: (spent: SpentTime) => number): number => of(this.spent) / this.members;
    return {
      get userMs() {
        return share(({ userMs }) => userMs);
      },
      get systemMs() {
        return share(({ systemMs }) => systemMs);
      },
      get pages() {
        return share(({ pages }) => pages);
      },
    };
  }
}

/**
 * What children used that this program waited for, with all that they waited for: exactly, and for one small read a
 * child. The kernel keeps one sum for all, so that of one child is what the sum grew by when it was reaped; Node reaps
 * all that have ended in one turn before it tells of the first.
 */
export class ChildMeter {
  private last: SpentTime;
  private group: Group | null = null;
  private readonly root: string;

  constructor(root = "/proc") {
    this.root = root;
    this.last = this.sum();
  }

  /** To be asked once for each child, when its end is told. Read the answer later: it may still be shared out. */
  take(): SpentTime {
    if (this.group === null) {
      this.group = new Group(this.grown());
      setImmediate(() => {
        this.group = null;
      });
    }
    return this.group.join();
  }

  /** A child of our own was reaped: nobody's program. */
  skip(): void {
    this.grown();
  }

  private grown(): SpentTime {
    const { last } = this;
    this.last = this.sum();
    return {
      userMs: Math.max(0, this.last.userMs - last.userMs),
      systemMs: Math.max(0, this.last.systemMs - last.systemMs),
      pages: Math.max(0, this.last.pages - last.pages),
    };
  }

  private sum(): SpentTime {
    const stat = statFields(readText(`${this.root}/self/stat`));
    if (stat === null) return { userMs: 0, systemMs: 0, pages: 0 };
    return {
      userMs: stat(FIELD.childUser) * TICK_MS,
      systemMs: stat(FIELD.childSystem) * TICK_MS,
      pages: stat(FIELD.childMajorFaults),
    };
  }
}

/** Fields of a line of /proc/PID/stat by number, from 3 on: the command's name before may hold anything. */
function statFields(line: string): ((number: number) => number) | null {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  if (fields.length < 20) return null;
  return (number) => Number(fields[number - 3]) || 0;
}

/** `VmRSS:	     148 kB`, `rchar: 148` */
function numberAfter(text: string, name: string): number {
  const at = text.startsWith(`${name}:`) ? 0 : text.indexOf(`\n${name}:`) + 1;
  if (at === 0 && !text.startsWith(`${name}:`)) return 0;
  return Number.parseInt(text.slice(at + name.length + 1, at + name.length + 40), 10) || 0;
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
