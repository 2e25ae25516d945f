/**
 * Where groups that limit memory may be made, see cgroups(7): root's below the root of the hierarchy, as Slurm does where it
 * manages them itself; a user's in a systemd unit that was delegated, beside the group that the daemon itself is in.
 */

import { DAEMON_GROUP } from "../util/daemon-group.ts";
import type { GroupFiles } from "./group-files.ts";

/** What a process knows of its own groups. */
export interface OwnGroups {
  readonly pid: number;
  readonly uid: number;
  /** Text of /proc/self/mountinfo and /proc/self/cgroup. */
  readonly mounts: string;
  readonly groups: string;
}

export interface MemoryPlace {
  readonly version: 1 | 2;
  /** The folder of all groups that mgpu makes, which need not exist. */
  readonly folder: string;
  /** A folder that exists, for daemons that were started in a job. */
  readonly outside: string;
}

const FOLDER = "mgpu";

/**
 * Looks for it.
 * @param scope names the groups of this daemon below `folder`
 * @param isForced also hand the memory controller on at the root of the hierarchy, which others see
 */
export function findMemoryPlace(
  files: GroupFiles,
  own: OwnGroups,
  scope: string,
  isForced: boolean,
): MemoryPlace | { readonly problem: string } {
  const mount = findMount(files, own.mounts);
  if (!mount) return { problem: "this machine has no cgroups that limit memory" };
  const now = pathOf(own.groups, mount.version);
  const [before = "", inside] = now.split(`/${FOLDER}/`, 2);
  // Of another mgpu or of Slurm (`/system.slice/slurmstepd.scope/job_7/...`), whose limit must hold for what we start, too.
  if (/\/job_\d/.test(now) && !inside?.startsWith(`${scope}/`))
    return { problem: `this daemon runs in the job ${now}` };
  const path = inside === undefined ? now : `${before}/${DAEMON_GROUP}`;
  if (mount.version === 1) return own.uid === 0 ? placeIn(mount, mount.folder) : onlyRoot();
  return own.uid === 0 ? rootPlace(files, mount, isForced) : delegatedPlace(files, mount, path);
}

interface Mount {
  readonly version: 1 | 2;
  readonly folder: string;
}

/** A line of mountinfo: `31 23 0:28 ROOT FOLDER OPTIONS [FIELDS] - TYPE SOURCE OPTIONS`, see proc(5). */
function findMount(files: GroupFiles, mounts: string): Mount | null {
  const lines = mounts.split("\n").flatMap((line) => {
    const [, folder = "", type = "", options = ""] = /^\S+ \S+ \S+ \S+ (\S+) .* - (\S+) \S+ (\S+)$/.exec(line) ?? [];
    return folder === "" ? [] : [{ folder, type, options: options.split(",") }];
  });
  const unified = lines.find(
    ({ type, folder }) => type === "cgroup2" && hasMemory(files, `${folder}/cgroup.controllers`),
  );
  if (unified) return { version: 2, folder: unified.folder };
  const old = lines.find(({ type, options }) => type === "cgroup" && options.includes("memory"));
  return old ? { version: 1, folder: old.folder } : null;
}

/** `0::/user.slice/...`, or `4:memory:/...`. */
function pathOf(groups: string, version: 1 | 2): string {
  const lines = groups.split("\n").map((line) => /^(\d+):([^:]*):(.*)$/.exec(line) ?? []);
  const own = lines.find(([, number, names = ""]) =>
    version === 2 ? number === "0" && names === "" : names.split(",").includes("memory"),
  );
  return own?.[3] ?? "/";
}

function rootPlace(files: GroupFiles, mount: Mount, isForced: boolean): ReturnType<typeof findMemoryPlace> {
  const control = `${mount.folder}/cgroup.subtree_control`;
  if (hasMemory(files, control)) return placeIn(mount, mount.folder);
  const problem = `the memory controller is not handed on in ${control}`;
  if (!isForced) return { problem: `${problem}; node.memory_enforcement: cgroup does that` };
  return handOn(files, control, problem) ?? placeIn(mount, mount.folder);
}

function delegatedPlace(files: GroupFiles, mount: Mount, path: string): ReturnType<typeof findMemoryPlace> {
  const unit = path.slice(0, path.lastIndexOf("/"));
  const folder = `${mount.folder}${unit}`;
  const problem = `the cgroup ${path} is not delegated to this user`;
  const control = `${folder}/cgroup.subtree_control`;
  if (!path.endsWith(`/${DAEMON_GROUP}`) || !files.mayWrite(control) || !files.mayWrite(`${folder}/cgroup.procs`)) {
    return { problem: `${problem}; a unit of mgpu systemd --user is, with systemd 254 or later` };
  }
  if (!hasMemory(files, `${folder}/cgroup.controllers`)) {
    return { problem: `the cgroup ${unit} is delegated without the memory controller` };
  }
  const place = { ...placeIn(mount, folder), outside: `${folder}/${DAEMON_GROUP}` };
  return handOn(files, control, `the cgroup ${unit} can't be divided`) ?? place;
}

function handOn(files: GroupFiles, control: string, problem: string): { readonly problem: string } | null {
  try {
    files.write(control, "+memory");
    return null;
  } catch (error) {
    return { problem: `${problem}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function onlyRoot(): { readonly problem: string } {
  return { problem: "cgroups are of version 1, where only root's daemons can make any" };
}

function placeIn({ version }: Mount, folder: string): MemoryPlace {
  return { version, folder: `${folder}/${FOLDER}`, outside: folder };
}

function hasMemory(files: GroupFiles, path: string): boolean {
  return (files.read(path) ?? "").trim().split(/\s+/).includes("memory");
}
