/** Users as this machine knows them, those of a directory service included. */

import { execFile } from "node:child_process";

export interface KnownUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

const PATIENCE_MS = 5000;

/** A user by name or number; `null` if there is none, or nobody can say. */
export function findUser(name: string): Promise<KnownUser | null> {
  return new Promise((resolve) => {
    execFile("getent", ["passwd", "--", name], { timeout: PATIENCE_MS }, (error, out) => {
      resolve(error ? null : parsePasswd(out));
    });
  });
}

/** The first line of passwd(5): `ada:x:1000:1000:Ada:/home/ada:/bin/bash`. */
function parsePasswd(text: string): KnownUser | null {
  const [name = "", , uid = "", gid = ""] = (text.split("\n")[0] ?? "").split(":");
  return name !== "" && /^\d+$/.test(uid) && /^\d+$/.test(gid) ? { name, uid: Number(uid), gid: Number(gid) } : null;
}
