/**
 * Control groups that keep steps within their memory, each in that of its job's start, whose limit holds for all of its
 * steps on this node:
 *
 *   mgpu/SCOPE/job_12.1/step_0        12.1: job and attempt
 *
 * The kernel ends what goes beyond. Files of version 2 are as Documentation/admin-guide/cgroup-v2.rst of the kernel says,
 * those of version 1 as cgroup-v1/memory.rst. All of it belongs to the daemon's user: nobody else leaves or changes it.
 */

import { type GroupFiles, realGroupFiles } from "./group-files.ts";
import { textOf } from "./kernel-text.ts";
import { findMemoryPlace, type MemoryPlace, type OwnGroups } from "./memory-place.ts";

/** A step of a start of a job. */
export interface GroupKey {
  readonly jobId: number;
  readonly attempt: number;
  readonly stepId: number | string;
}

export interface MemoryGroups {
  readonly version: 1 | 2;
  /** The folder of all of this daemon's groups. */
  readonly folder: string;
  /**
   * Makes a step's group, with limits in MiB, 0 for none. Where it is.
   * @throws Error of the system
   */
  make(key: GroupKey, limits: { readonly stepMiB: number; readonly jobMiB: number }): string;
  /**
   * Puts a process into a step's group.
   * @param owner the uid that it must have; `null` for any
   * @throws Error of the system, or if it is another's, or in a job's group already
   */
  enter(key: GroupKey, pid: number, owner: number | null): void;
  /** How a step's group fared; `null` if there is none. */
  read(key: GroupKey): GroupUse | null;
  /**
   * Removes a step's group, and the job's with its last one. What is still in there is killed, but for daemons.
   * @returns whether it is gone; else ask once more a little later
   */
  remove(key: GroupKey): boolean;
  /** Groups that are there, of whatever daemon of this node. */
  all(): GroupKey[];
}

/** What a group says of itself. */
export interface GroupUse {
  /** Processes that the kernel ended because there was no memory left for them. */
  readonly kills: number;
  /** The most that was in use at once, caches included; 0 where the kernel does not tell. */
  readonly peakMiB: number;
}

const MIB = 1024 * 1024;

/** A line of /proc/PID/cgroup, of what limits memory: `0::/PATH`, or `4:memory:/PATH`. Slurm's jobs are named like ours. */
const IN_A_JOB = /^(0:|\d+:([^:]*,)?memory(,[^:]*)?):.*\/job_\d/;

/** As Slurm's MinRAMSpace: a shell does not start in less. Whoever asks for less is watched all the same. */
const LIMIT_MIB_MIN = 30;

/**
 * This machine's groups, or why there can be none. Proves it by making one.
 * @param scope tells the daemons of a machine apart
 * @param isForced see {@link findMemoryPlace}
 */
export function openMemoryGroups(scope: string, isForced: boolean): MemoryGroups | { readonly problem: string } {
  return tryMemoryGroups(realGroupFiles(), ownGroups(), scope, isForced);
}

/** The same with given files. */
export function tryMemoryGroups(
  files: GroupFiles,
  own: OwnGroups,
  scope: string,
  isForced: boolean,
): MemoryGroups | { readonly problem: string } {
  const place = findMemoryPlace(files, own, scope, isForced);
  if ("problem" in place) return place;
  const groups = memoryGroups(files, place, scope);
  const probe: GroupKey = { jobId: 0, attempt: 0, stepId: "probe" };
  try {
    // A command in a job started this daemon anew: its limit, and its end, are not ours.
    if (own.groups.includes(`/mgpu/${scope}/job_`)) files.write(`${place.outside}/cgroup.procs`, String(own.pid));
    groups.make(probe, { stepMiB: LIMIT_MIB_MIN, jobMiB: LIMIT_MIB_MIN });
    groups.remove(probe);
    return groups;
  } catch (error) {
    return { problem: `no cgroup can be made in ${place.folder}: ${messageOf(error)}` };
  }
}

/** Whether groups could be made here, without making any: where, or why not. */
export function lookForMemoryPlace(): MemoryPlace | { readonly problem: string } {
  return findMemoryPlace(realGroupFiles(), ownGroups(), "", false);
}

/** How a group at a path fared; `null` if there is none. */
export function readGroupUse(path: string, files: Pick<GroupFiles, "read"> = realGroupFiles()): GroupUse | null {
  const events = files.read(`${path}/memory.events`) ?? files.read(`${path}/memory.oom_control`);
  if (events === null) return null;
  const peak = files.read(`${path}/memory.peak`) ?? files.read(`${path}/memory.max_usage_in_bytes`);
  const kills = Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
  return { kills, peakMiB: Math.ceil(Number(peak ?? 0) / MIB) };
}

function ownGroups(): OwnGroups {
  return {
    ...{ pid: process.pid, uid: process.getuid?.() ?? -1 },
    ...{ mounts: textOf("/proc/self/mountinfo"), groups: textOf("/proc/self/cgroup") },
  };
}

function memoryGroups(files: GroupFiles, place: MemoryPlace, scope: string): MemoryGroups {
  const { version } = place;
  const folder = `${place.folder}/${scope}`;
  const jobOf = ({ jobId, attempt }: GroupKey): string => `${folder}/job_${jobId}.${attempt}`;
  const stepOf = (key: GroupKey): string => `${jobOf(key)}/step_${key.stepId}`;
  return {
    version,
    folder,
    make(key, { stepMiB, jobMiB }) {
      for (const parent of [place.folder, folder, jobOf(key)]) {
        files.make(parent);
        share(files, version, parent);
      }
      limit(files, version, jobOf(key), jobMiB);
      files.make(stepOf(key));
      limit(files, version, stepOf(key), stepMiB);
      // Half a step is of no use to anybody. Not the job: other steps go on.
      if (version === 2) files.write(`${stepOf(key)}/memory.oom.group`, "1");
      return stepOf(key);
    },
    enter(key, pid, owner) {
      if (owner !== null && files.ownerOf(pid) !== owner) throw new Error(`process ${pid} is not of uid ${owner}`);
      const paths = (files.read(`/proc/${pid}/cgroup`) ?? "").split("\n");
      const own = stepOf(key).slice(place.folder.lastIndexOf("/"));
      if (paths.some((path) => path.endsWith(own))) return;
      // Out of one job's limit into another's.
      if (paths.some((path) => IN_A_JOB.test(path))) throw new Error(`process ${pid} is in a job's cgroup already`);
      files.write(`${stepOf(key)}/cgroup.procs`, String(pid));
    },
    read: (key) => readGroupUse(stepOf(key), files),
    remove(key) {
      const isGone = removeGroup(files, stepOf(key), place.outside);
      // Fails while there are others in them, which is as it should be.
      if (isGone && tryRemove(files, jobOf(key))) tryRemove(files, folder);
      return isGone;
    },
    all() {
      return files.groupsIn(folder).flatMap((job) => {
        const [, jobId, attempt] = /^job_(\d+)\.(\d+)$/.exec(job) ?? [];
        if (attempt === undefined) return [];
        const steps = files.groupsIn(`${folder}/${job}`).flatMap((name) => /^step_(.+)$/.exec(name)?.[1] ?? []);
        const key = { jobId: Number(jobId), attempt: Number(attempt) };
        // One without steps goes with a step that it does not have.
        return (steps.length === 0 ? ["none"] : steps).map((stepId) => ({ ...key, stepId }));
      });
    },
  };
}

/** Lets the groups in one have limits, and what is in them count there too. */
function share(files: GroupFiles, version: 1 | 2, path: string): void {
  if (version === 2) return files.write(`${path}/cgroup.subtree_control`, "+memory");
  // The only way there is since Linux 5.11; before, the root's word is taken over.
  const setting = `${path}/memory.use_hierarchy`;
  if (files.read(setting)?.trim() === "0") files.write(setting, "1");
}

function limit(files: GroupFiles, version: 1 | 2, path: string, mib: number): void {
  if (mib === 0) return;
  const bytes = String(Math.max(mib, LIMIT_MIB_MIN) * MIB);
  const [memory, swap] =
    version === 2
      ? [
          ["memory.max", bytes],
          ["memory.swap.max", "0"],
        ]
      : [
          ["memory.limit_in_bytes", bytes],
          ["memory.memsw.limit_in_bytes", bytes],
        ];
  files.write(`${path}/${memory?.[0]}`, memory?.[1] ?? "");
  // Kernels without swap in their groups have no such file.
  if (files.read(`${path}/${swap?.[0]}`) !== null) files.write(`${path}/${swap?.[0]}`, swap?.[1] ?? "");
}

function removeGroup(files: GroupFiles, path: string, outside: string): boolean {
  for (const pid of (files.read(`${path}/cgroup.procs`) ?? "").split("\n").map(Number)) {
    if (pid === 0) continue;
    if (files.isDaemon(pid)) tryMove(files, pid, outside);
    else files.kill(pid);
  }
  return tryRemove(files, path);
}

function tryMove(files: GroupFiles, pid: number, folder: string): void {
  try {
    files.write(`${folder}/cgroup.procs`, String(pid));
  } catch {
    // Gone meanwhile; if not, it is tried once more.
  }
}

function tryRemove(files: GroupFiles, path: string): boolean {
  try {
    files.remove(path);
    return true;
  } catch (error) {
    return (error as { readonly code?: unknown }).code === "ENOENT";
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
