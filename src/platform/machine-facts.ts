/**
 * What `mgpu doctor` wants to know of a machine: limits, disks, GPUs, cgroups, locale, programs. Every question is
 * bounded in time, and none is an error: what can't be told is left empty, with the reason where that is of use.
 */

import { readlinkSync, statSync } from "node:fs";
import * as os from "node:os";
import { type CgroupFacts, readCgroup } from "./cgroup-facts.ts";
import { type DriverFacts, examineDriver } from "./driver-facts.ts";
import { ownAddresses } from "./host.ts";
import { namesIn, textOf } from "./kernel-text.ts";
import { type Asker, examineFolder, examinePython, type FolderFacts, type PythonFacts } from "./user-facts.ts";

/** A soft and a hard limit, as the kernel counts it; -1 for none. */
export interface LimitFacts {
  readonly soft: number;
  readonly hard: number;
}

export interface MachineFacts {
  readonly hostname: string;
  /** By this machine's clock, milliseconds since 1970. */
  readonly now: number;
  readonly uid: number;
  /** Of this process, by Slurm's names: NOFILE, MEMLOCK, NPROC. Node raises its own soft NOFILE. */
  readonly limits: Readonly<Record<string, LimitFacts>>;
  readonly folders: FolderFacts[];
  readonly driver: DriverFacts;
  readonly cgroup: CgroupFacts;
  readonly python: PythonFacts;
  /** The first of LC_ALL, LC_CTYPE and LANG that says something; empty otherwise. */
  readonly locale: string;
  /** `Europe/Berlin`, and minutes ahead of UTC now. */
  readonly zone: { readonly name: string; readonly offsetMin: number };
  /** Firewalls that are switched on here, by the names of their commands. */
  readonly firewalls: string[];
  /** Numbers of this machine, loopback left out. */
  readonly addresses: string[];
  /** There is hardware for RDMA, whose programs lock memory. */
  readonly hasRdma: boolean;
}

/** Which folders, and whose view of them counts. */
export interface Examination {
  /** Looked at with our own rights. */
  readonly own: readonly { readonly what: string; readonly path: string }[];
  /** Who asks: programs and folders of theirs are looked at with their rights, if we are root. */
  readonly asker: Asker;
}

/** Looks at the machine; never rejects, and answers within ten seconds. */
export async function examineMachine({ own, asker }: Examination): Promise<MachineFacts> {
  const theirs = [
    { what: "home folder", path: asker.home },
    { what: "working folder", path: asker.cwd },
    { what: "temporary files", path: "/tmp" },
  ];
  const [driver, python, ...folders] = await Promise.all([
    examineDriver(),
    examinePython(asker),
    ...own.map(({ what, path }) => examineFolder(what, path, null)),
    ...theirs.map(({ what, path }) => examineFolder(what, path, asker)),
  ]);
  return {
    hostname: os.hostname(),
    now: Date.now(),
    uid: process.getuid?.() ?? 0,
    limits: parseLimitPairs(textOf("/proc/self/limits")),
    folders,
    driver,
    cgroup: readCgroup(),
    python,
    locale: process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || "",
    zone: { name: Intl.DateTimeFormat().resolvedOptions().timeZone, offsetMin: -new Date().getTimezoneOffset() },
    firewalls: findFirewalls(),
    addresses: ownAddresses(),
    hasRdma: hasEntries("/sys/class/infiniband"),
  };
}

const LIMIT_ROWS: Readonly<Record<string, string>> = {
  "Max locked memory": "MEMLOCK",
  "Max open files": "NOFILE",
  "Max processes": "NPROC",
};

/** Soft and hard limits of /proc/PID/limits, see proc_pid_limits(5). */
export function parseLimitPairs(text: string): Record<string, LimitFacts> {
  const limits: Record<string, LimitFacts> = {};
  for (const line of text.split("\n")) {
    const [, title = "", soft = "", hard = ""] = /^(\S+(?: \S+)*?) {2,}(\S+) +(\S+)/.exec(line) ?? [];
    const name = LIMIT_ROWS[title];
    if (name !== undefined) limits[name] = { soft: limitOf(soft), hard: limitOf(hard) };
  }
  return limits;
}

function limitOf(text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : -1;
}

/** Rules can't be read by everybody; whether a firewall is switched on can. */
function findFirewalls(): string[] {
  const found: string[] = [];
  if (/^ENABLED=yes$/m.test(textOf("/etc/ufw/ufw.conf"))) found.push("ufw");
  if (runs("firewalld")) found.push("firewall-cmd");
  return found;
}

/** Whether a program of that name runs, a script's included: the kernel keeps 15 characters of it. */
function runs(name: string): boolean {
  return namesIn("/proc").some((pid) => /^\d+$/.test(pid) && textOf(`/proc/${pid}/comm`).trim() === name);
}

/** Daemons of mgpu of this user whose program file is gone: they were started from another version. */
export function findOrphanedDaemons(): { readonly pid: number; readonly program: string; readonly file: string }[] {
  return namesIn("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || !isOwn(pid)) return [];
    const file = textOf(`/proc/${pid}/cmdline`).split("\0")[1] ?? "";
    const program = /\/(mgpuctld|mgpud|mgpu-stepd)\.cjs$/.exec(file)?.[1];
    return program === undefined || exists(pid, file) ? [] : [{ pid: Number(pid), program, file }];
  });
}

/** What others' processes call themselves, and which files they mean by it, is theirs to choose. */
function isOwn(pid: string): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === process.getuid?.();
  } catch {
    return false;
  }
}

/** As the process sees it, without opening it, which could wait for ever; one that is hidden from us is none of ours. */
function exists(pid: string, file: string): boolean {
  try {
    readlinkSync(`/proc/${pid}/root`);
  } catch {
    return true;
  }
  try {
    statSync(`/proc/${pid}/root${file}`);
    return true;
  } catch {
    return false;
  }
}

function hasEntries(folder: string): boolean {
  return namesIn(folder).length > 0;
}
