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

/** getent(1): the key is in none of the databases. */
const EXIT_NONE = 2;

/** Why nobody can say who somebody is: a matter of this machine, and mostly one that passes. */
class UserLookupError extends Error {
  readonly nodeFault = true;
}

/** A user by name or number; `null` if there is none. @throws UserLookupError if nobody can say */
export async function findUser(name: string): Promise<KnownUser | null> {
  const found = parsePasswd(await entryOf("passwd", name));
  return found && { name: found.name, uid: found.uid, gid: found.gid };
}

/** The same with groups and login data. @throws UserLookupError if nobody can say */
export async function findAccount(name: string): Promise<Account | null> {
  const found = parsePasswd(await entryOf("passwd", name));
  if (!found) return null;
  const { exit, out } = await answerOf("id", ["-G", "--", found.name]);
  // Without some of them files that a user may read seem closed: better no answer than half of one.
  if (exit !== 0)
    throw new UserLookupError(`this machine can't say the groups of ${found.name}: id ended with ${exit}`);
  const groups = out.split(/\s+/).filter((text) => /^\d+$/.test(text));
  return { ...found, groups: groups.length > 0 ? groups.map(Number) : [found.gid] };
}

/** A group's number by its name or number; `null` if there is none. @throws UserLookupError if nobody can say */
export async function findGroup(name: string): Promise<number | null> {
  const [, , gid = ""] = (await entryOf("group", name)).split("\n", 1)[0]?.split(":") ?? [];
  return /^\d+$/.test(gid) ? Number(gid) : null;
}

/** An entry of a database; empty if there is none. */
async function entryOf(database: "passwd" | "group", key: string): Promise<string> {
  const { exit, out } = await answerOf("getent", [database, "--", key]);
  if (exit === EXIT_NONE) return "";
  if (exit !== 0)
    throw new UserLookupError(`this machine can't say who ${key} is: getent ${database} ended with ${exit}`);
  return out;
}

/** How a program ends, and what it prints. @throws UserLookupError if it can't be started, or takes too long */
function answerOf(program: string, args: readonly string[]): Promise<{ readonly exit: number; readonly out: string }> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: PATIENCE_MS }, (error, out) => {
      const exit = error?.code ?? 0;
      if (!error || (typeof exit === "number" && exit > 0)) return resolve({ exit: Number(exit), out });
      const why = error.killed ? `has not answered for ${PATIENCE_MS / 1000} s` : `failed: ${error.signal ?? exit}`;
      reject(new UserLookupError(`this machine can't look up users: ${program} ${why}`));
    });
  });
}

/** The first line of passwd(5): `ada:x:1000:1000:Ada:/home/ada:/bin/bash`. */
function parsePasswd(text: string): Omit<Account, "groups"> | null {
  const [name = "", , uid = "", gid = "", , home = "", shell = ""] = (text.split("\n", 1)[0] ?? "").split(":");
  if (name === "" || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return null;
  return { name, uid: Number(uid), gid: Number(gid), home: home || "/", shell: shell || "/bin/sh" };
}
