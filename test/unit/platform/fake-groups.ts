/** Control groups of version 1 or 2 in memory, with the kernel's rules as far as memory groups meet them. */

import type { GroupFiles } from "../../../src/platform/group-files.ts";

export const ROOT = "/sys/fs/cgroup";

export class FakeGroups implements GroupFiles {
  readonly version: 1 | 2;
  /** Texts of files by path; folders are in `folders`. */
  readonly files = new Map<string, string>();
  readonly folders = new Set<string>();
  /** Folders that are not ours. */
  readonly closed = new Set<string>();
  /** Uids by pid; who is not there is gone. */
  readonly owners = new Map<number, number>();
  readonly daemons = new Set<number>();
  readonly killed: number[] = [];
  /** Where each process is. */
  private readonly places = new Map<number, string>();

  constructor(version: 1 | 2, top = ROOT) {
    this.version = version;
    this.folders.add(top);
    this.fill(top);
  }

  read(path: string): string | null {
    const pid = /^\/proc\/(\d+)\/cgroup$/.exec(path)?.[1];
    if (pid !== undefined) return `0::${(this.places.get(Number(pid)) ?? ROOT).slice(ROOT.length) || "/"}\n`;
    if (path.endsWith("/cgroup.procs")) return this.inside(folderOf(path)).map(String).join("\n");
    return this.files.get(path) ?? null;
  }

  write(path: string, text: string): void {
    const folder = folderOf(path);
    if (!this.mayWrite(path)) throw problem("EACCES", `EACCES: permission denied, open '${path}'`);
    if (path.endsWith("/cgroup.procs")) {
      if (!this.owners.has(Number(text))) throw problem("ESRCH", "ESRCH: no such process, write");
      if (this.version === 2 && this.shares(folder)) throw problem("EBUSY", "EBUSY: resource busy or locked, write");
      this.places.set(Number(text), folder);
    } else if (path.endsWith("/cgroup.subtree_control")) {
      // cgroups(7): no processes in inner nodes, but for the root.
      const isRoot = !this.files.has(`${folder}/cgroup.type`);
      if (!isRoot && this.inside(folder).length > 0) throw problem("EBUSY", "EBUSY: resource busy or locked, write");
      if (!this.files.get(`${folder}/cgroup.controllers`)?.includes("memory")) throw problem("ENOENT", "ENOENT, write");
      this.files.set(path, "memory");
      for (const child of this.groupsIn(folder)) this.fill(`${folder}/${child}`);
    } else if (this.files.has(path)) this.files.set(path, text);
    else throw problem("ENOENT", `ENOENT: no such file or directory, open '${path}'`);
  }

  make(path: string): void {
    if (this.closed.has(folderOf(path))) throw problem("EROFS", `EROFS: read-only file system, mkdir '${path}'`);
    if (!this.folders.has(folderOf(path)))
      throw problem("ENOENT", `ENOENT: no such file or directory, mkdir '${path}'`);
    if (this.folders.has(path)) return;
    this.folders.add(path);
    this.fill(path);
  }

  remove(path: string): void {
    if (!this.folders.has(path)) throw problem("ENOENT", "ENOENT");
    if (this.inside(path).length > 0 || this.groupsIn(path).length > 0) throw problem("EBUSY", "EBUSY");
    this.folders.delete(path);
    for (const file of [...this.files.keys()]) if (folderOf(file) === path) this.files.delete(file);
  }

  groupsIn(path: string): string[] {
    return [...this.folders].filter((one) => folderOf(one) === path).map((one) => one.slice(path.length + 1));
  }

  mayWrite(path: string): boolean {
    return this.folders.has(folderOf(path)) && !this.closed.has(folderOf(path));
  }

  ownerOf(pid: number): number | null {
    return this.owners.get(pid) ?? null;
  }

  isDaemon(pid: number): boolean {
    return this.daemons.has(pid);
  }

  kill(pid: number): void {
    this.killed.push(pid);
    // As a process that is in the middle of a disk's write: gone a little later.
    queueMicrotask(() => this.places.delete(pid));
  }

  /** A process in a group. */
  place(pid: number, folder: string, uid = 0): void {
    this.owners.set(pid, uid);
    this.places.set(pid, folder);
  }

  inside(folder: string): number[] {
    return [...this.places].flatMap(([pid, place]) => (place === folder ? [pid] : []));
  }

  private shares(folder: string): boolean {
    return this.files.has(`${folder}/cgroup.type`) && this.files.get(`${folder}/cgroup.subtree_control`) === "memory";
  }

  /** The files that the kernel shows in a group. */
  private fill(folder: string): void {
    const set = (name: string, text: string): void => {
      if (!this.files.has(`${folder}/${name}`)) this.files.set(`${folder}/${name}`, text);
    };
    const isRoot = folder === ROOT;
    if (this.version === 1) {
      set("memory.use_hierarchy", isRoot ? "0" : (this.files.get(`${folderOf(folder)}/memory.use_hierarchy`) ?? "0"));
      set("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
      for (const name of ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]) set(name, "9223372036854771712\n");
      set("memory.max_usage_in_bytes", "0\n");
      return;
    }
    const has = isRoot || this.files.get(`${folderOf(folder)}/cgroup.subtree_control`)?.includes("memory") === true;
    this.files.set(`${folder}/cgroup.controllers`, has ? "cpu memory pids\n" : "cpu pids\n");
    set("cgroup.subtree_control", "");
    if (isRoot) return;
    set("cgroup.type", "domain\n");
    if (!has) return;
    for (const name of ["memory.max", "memory.swap.max"]) set(name, "max\n");
    set("memory.oom.group", "0\n");
    set("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n");
    set("memory.peak", "0\n");
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function problem(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
