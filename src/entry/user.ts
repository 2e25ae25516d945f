/** Who runs this process. */

import { userInfo } from "node:os";
import type { User } from "../core/jobspec.ts";

/** Uid, gid and name; the number stands for the name where the machine does not know it. */
export function currentUser(): User {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  return { uid, gid, name: nameOf(uid) };
}

function nameOf(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    return String(uid);
  }
}
