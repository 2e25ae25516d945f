/** Who runs this process, and where. Without node:os, whose loading costs a command as much as two questions to the kernel. */

import { readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { User } from "../core/jobspec.ts";

/** Longer lists of users are left to the system. */
const PASSWD_CHARS_MAX = 64 * 1024;

/** Uid, gid and name; the number stands for the name where the machine does not know it. */
export function currentUser(): User {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  return { uid, gid, name: nameOf(uid) };
}

/** This machine's name, without its domain. */
export function currentHost(): string {
  return (textOf("/proc/sys/kernel/hostname").trim() || hostname()).split(".")[0] ?? "localhost";
}

/** The machine's own list first, where the system would look first too. */
function nameOf(uid: number): string {
  const listed = textOf("/etc/passwd");
  if (listed.length <= PASSWD_CHARS_MAX) {
    const name = nameIn(listed, uid);
    if (name !== undefined) return name;
  }
  try {
    return userInfo().username;
  } catch {
    return String(uid);
  }
}

/** Who has this number in a list of users, by lines of passwd(5); those of remarks and of NIS are the system's to read. */
export function nameIn(listed: string, uid: number): string | undefined {
  return new RegExp(`^([^:+\\-#\\s][^:\\n]*):[^:\\n]*:${uid}:`, "m").exec(listed)?.[1];
}

/** Empty for a file that can't be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
