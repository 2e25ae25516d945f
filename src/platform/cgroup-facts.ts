/** What the kernel's control groups would let this process do. */

import { accessSync, constants } from "node:fs";
import { textOf } from "./kernel-text.ts";
import { lookForMemoryPlace } from "./memory-groups.ts";

export interface CgroupFacts {
  /** 2, 1 for the old hierarchies alone, 0 for none. */
  readonly version: number;
  /** Our own group: `/user.slice/user-1000.slice/...`. */
  readonly path: string;
  /** Controllers that we may hand on to groups of our own. */
  readonly delegated: string[];
  /** Where jobs get groups that limit their memory; or, where they get none, why. Of a node daemon, else of this process. */
  readonly memory?: { readonly folder: string; readonly problem: string; readonly isRequired?: boolean };
}

const ROOT = "/sys/fs/cgroup";

/** See cgroups(7), "Cgroups delegation": who may write `cgroup.procs` and `cgroup.subtree_control` of its group. */
export function readCgroup(): CgroupFacts {
  const path = parseOwnCgroup(textOf("/proc/self/cgroup"));
  const all = textOf(`${ROOT}/cgroup.controllers`);
  const place = lookForMemoryPlace();
  const memory = "problem" in place ? { folder: "", ...place } : { folder: place.folder, problem: "" };
  if (all === "") return { version: path === "" ? 0 : 1, path, delegated: [], memory };
  const folder = `${ROOT}${path === "/" ? "" : path}`;
  const mayWrite = canWrite(`${folder}/cgroup.procs`) && canWrite(`${folder}/cgroup.subtree_control`);
  const delegated = mayWrite ? textOf(`${folder}/cgroup.controllers`).trim().split(/\s+/).filter(Boolean) : [];
  return { version: 2, path, delegated, memory };
}

/** The path of `0::/user.slice/...`, the line of version 2; of any line where there is none. */
export function parseOwnCgroup(text: string): string {
  return /^0::(.*)$/m.exec(text)?.[1] ?? /^\d+:[^:]*:(.*)$/m.exec(text)?.[1] ?? "";
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
