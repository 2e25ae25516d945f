/** Users as this machine knows them, those of a directory service included. */

import { execFile } from "node:child_process";

export interface KnownUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** A user with all that a login would get. */
export interface Account extends KnownUser {
  readonly home: string;
  readonly shell: string;
  /** Numbers of all groups, the first one's included. */
  readonly groups: readonly number[];
}

const PATIENCE_MS = 5000;

/** A user by name or number; `null` if there is none, or nobody can say. */
export async function findUser(name: string): Promise<KnownUser | null> {
  const found = parsePasswd(await answerOf("getent", ["passwd", "--", name]));
  return found && { name: found.name, uid: found.uid, gid: found.gid };
}

/** The same with groups and login data. */
export async function findAccount(name: string): Promise<Account | null> {
  const found = parsePasswd(await answerOf("getent", ["passwd", "--", name]));
  if (!found) return null;
  const groups = (await answerOf("id", ["-G", "--", found.name])).split(/\s+/).filter((text) => /^\d+$/.test(text));
  return { ...found, groups: groups.length > 0 ? groups.map(Number) : [found.gid] };
}

/** A group's number by its name or number; `null` if there is none. */
export async function findGroup(name: string): Promise<number | null> {
  const [, , gid = ""] = (await answerOf("getent", ["group", "--", name])).split("\n", 1)[0]?.split(":") ?? [];
  return /^\d+$/.test(gid) ? Number(gid) : null;
}

/** What a program prints; empty if it fails or takes too long. */
function answerOf(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: PATIENCE_MS }, (error, out) => resolve(error ? "" : out));
  });
}

/** The first line of passwd(5): `ada:x:1000:1000:Ada:/home/ada:/bin/bash`. */
function parsePasswd(text: string): Omit<Account, "groups"> | null {
  const [name = "", , uid = "", gid = "", , home = "", shell = ""] = (text.split("\n", 1)[0] ?? "").split(":");
  if (name === "" || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return null;
  return { name, uid: Number(uid), gid: Number(gid), home: home || "/", shell: shell || "/bin/sh" };
}
