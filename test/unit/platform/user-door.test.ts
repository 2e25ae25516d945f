/** How users get to root's controller. Sockets of others can be made by root only; CI is root. */

import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { askAtDoor } from "../../../src/platform/door-question.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { UserDoor } from "../../../src/platform/user-door.ts";
import {
  closedFolder,
  makeOwnFolder,
  makeUserFolder,
  openUserLog,
  spoolOf,
} from "../../../src/platform/user-folders.ts";
import type { Account } from "../../../src/platform/users.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("\n*** NOT ROOT: the door for users is not tested ***\n");

const ADA: Account = { uid: 64_001, gid: 64_002, name: "ada", home: "/", shell: "/bin/sh", groups: [64_002] };

describe.runIf(isRoot)("the door", () => {
  let runtime: string;
  let door: UserDoor;
  let accepted: string[];
  let warnings: string[];

  beforeEach(async () => {
    runtime = mkdtempSync(join(tmpdir(), "mgt-door-"));
    accepted = [];
    warnings = [];
    door = makeDoor();
    await door.open();
  });
  afterEach(() => {
    door.close();
    rmSync(runtime, { recursive: true, force: true });
  });

  const findAda = async (name: string): Promise<Account | null> => (name === String(ADA.uid) ? ADA : null);

  function makeDoor(findAccount = findAda, staysOpen = false): UserDoor {
    const log = { ...silentLog(), warn: (text: string) => void warnings.push(text) };
    return new UserDoor({ log, findAccount }, runtime, (connection, user) => {
      accepted.push(user.name);
      if (!staysOpen) connection.close();
      return { data() {}, drain() {}, close() {} };
    });
  }

  const controller = (): string => join(runtime, "controller.sock");
  const connect = (path: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = createConnection({ path });
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString();
      });
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
      socket.once("close", () => resolve(text));
      socket.write("0\n");
    });

  test("gives a user a socket that only that user can open, once", async () => {
    const path = await askAtDoor(controller(), ADA.uid);
    expect(path).toBe(join(runtime, `${ADA.uid}/controller.sock`));
    expect(await askAtDoor(controller(), ADA.uid)).toBe(path);
    const { uid, gid, mode } = statSync(path);
    expect([uid, gid, mode & 0o777]).toEqual([ADA.uid, ADA.gid, 0o600]);
    const folder = statSync(join(runtime, String(ADA.uid)));
    expect([folder.uid, folder.mode & 0o777, statSync(runtime).mode & 0o777]).toEqual([0, 0o711, 0o711]);
    await connect(path);
    expect(accepted).toEqual(["ada"]);
  });

  test("knows no strangers, no root, and no other words", async () => {
    await expect(askAtDoor(controller(), 64_009)).rejects.toThrow("this machine knows no user 64009");
    for (const words of ["0\n", "x".repeat(100), "-1\n", "1 \n2\n"]) {
      const socket = createConnection({ path: join(runtime, "door.sock") });
      const answer = new Promise<string>((resolve) => socket.once("data", (chunk) => resolve(chunk.toString())));
      socket.write(words);
      expect(await answer).toBe("no number of a user\n");
    }
  });

  test("who had a socket has it again after a restart", async () => {
    const path = await askAtDoor(controller(), ADA.uid);
    door.close();
    door = makeDoor();
    await door.open();
    await vi.waitUntil(async () => (await connect(path)) === "" && accepted.length > 0);
    expect(accepted).toEqual(["ada"]);
  });

  test("after a restart a user database that hangs keeps nobody waiting but those whom it does not tell of", async () => {
    await askAtDoor(controller(), ADA.uid);
    for (let uid = 65_001; uid <= 65_009; uid++) mkdirSync(join(runtime, String(uid)));
    door.close();
    let asked = 0;
    const findNobody = (name: string): Promise<Account | null> => {
      if (name === String(ADA.uid)) return Promise.resolve(ADA);
      asked += 1;
      return new Promise(() => {});
    };
    door = makeDoor(findNobody);
    await door.open();
    expect(asked).toBeLessThanOrEqual(4);
    expect(await askAtDoor(controller(), ADA.uid)).toBe(join(runtime, `${ADA.uid}/controller.sock`));
  });

  test("one user has so many connections and no more, and the door too; each is said once", async () => {
    door.close();
    door = makeDoor(findAda, true);
    await door.open();
    const path = await askAtDoor(controller(), ADA.uid);
    const open: Socket[] = [];
    let refused = 0;
    const connectMany = (to: string, count: number): void => {
      for (let at = 0; at < count; at++) {
        const socket = createConnection({ path: to, allowHalfOpen: true });
        open.push(socket);
        socket.on("error", () => {});
        socket.once("end", () => {
          refused += 1;
        });
        socket.resume();
      }
    };
    connectMany(path, 256);
    await vi.waitUntil(() => accepted.length === 256);
    connectMany(path, 3);
    await vi.waitUntil(() => refused === 3);
    expect([accepted.length, warnings]).toEqual([256, ["a user has too many connections; more are refused"]]);
    // Nobody else is kept out.
    expect(await askAtDoor(controller(), ADA.uid)).toBe(path);
    connectMany(join(runtime, "door.sock"), 140);
    await vi.waitUntil(() => warnings.length === 2);
    expect(warnings[1]).toBe("too many connections at the door; more are refused");
    for (const socket of open) socket.destroy();
  });

  test("an answer that leads elsewhere is not followed, and without a door there is an error of the system", async () => {
    door.close();
    await expect(askAtDoor(controller(), ADA.uid)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("folders of users are root's, and nothing else in their place is taken for one", () => {
    const own = makeOwnFolder(runtime, ADA);
    expect([statSync(own).uid, statSync(own).mode & 0o777]).toEqual([ADA.uid, 0o700]);
    expect(makeOwnFolder(runtime, ADA)).toBe(own);
    symlinkSync("/etc", join(runtime, "64005"));
    expect(() => makeUserFolder(runtime, 64_005)).toThrow("is not a folder");
    mkdirSync(join(runtime, "64006/own"), { recursive: true });
    expect(() => makeOwnFolder(runtime, { uid: 64_006, gid: 1 })).toThrow("belongs to uid 0, not 64006");
    writeFileSync(join(runtime, "precious"), "");
    symlinkSync(join(runtime, "precious"), join(runtime, "log"));
    expect(() => openUserLog(join(runtime, "log"), ADA)).toThrow("ELOOP");
    expect(statSync(join(runtime, "precious")).uid).toBe(0);
  });

  test("what users write lies in the spool, behind links of root's, and is cleared away after a boot", async () => {
    chmodSync(runtime, 0o755);
    const spool = join(runtime, "spool");
    const own = makeOwnFolder(runtime, ADA, spool);
    expect(own).toBe(join(runtime, `${ADA.uid}/own`));
    expect(readlinkSync(own)).toBe(join(spool, `${ADA.uid}/own`));
    expect([statSync(own).uid, statSync(own).mode & 0o777, lstatSync(own).uid]).toEqual([ADA.uid, 0o700, 0]);
    const log = join(runtime, `${ADA.uid}/log`);
    expect([realpathSync(log), statSync(log).uid, statSync(log).mode & 0o777]).toEqual([
      join(spool, `${ADA.uid}`),
      0,
      0o711,
    ]);
    writeFileSync(join(own, "script"), "");
    makeOwnFolder(runtime, ADA, spool);
    expect(readdirSync(own)).toEqual(["script"]);
    // A boot takes the runtime folder away.
    rmSync(join(runtime, `${ADA.uid}`), { recursive: true });
    makeOwnFolder(runtime, ADA, spool);
    expect(readdirSync(own)).toEqual([]);
    await vi.waitUntil(() => readdirSync(join(spool, `${ADA.uid}`)).join() === "own");
    rmSync(own);
    symlinkSync("/etc", own);
    expect(() => makeOwnFolder(runtime, ADA, spool)).toThrow(
      `${own} is not a link to ${spool}/${ADA.uid}/own: remove it`,
    );
  });

  test("without a place for a spool, and with a folder of an earlier version, users' files lie in the runtime folder", () => {
    const own = makeOwnFolder(runtime, ADA, "/proc/none");
    expect(lstatSync(own).isDirectory()).toBe(true);
    expect(lstatSync(join(runtime, `${ADA.uid}/log`)).isDirectory()).toBe(true);
    expect(makeOwnFolder(runtime, ADA, join(runtime, "spool"))).toBe(own);
    expect(lstatSync(own).isDirectory()).toBe(true);
    expect([spoolOf("/run/mgpu"), spoolOf("/run/user/0/mgpu"), spoolOf("/tmp/mgpu-0")]).toEqual([
      "/var/spool/mgpu",
      "/var/spool/user-0-mgpu",
      "/tmp/mgpu-0",
    ]);
  });

  test("says which folder others can't pass", () => {
    chmodSync(runtime, 0o755);
    expect(closedFolder(join(runtime, "new"))).toBe("");
    chmodSync(runtime, 0o700);
    expect(closedFolder(join(runtime, "new"))).toBe(runtime);
  });
});
