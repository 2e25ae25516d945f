/** The user database: no such user is one thing, no answer another. getent and id are programs of the test's own. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findAccount, findGroup, findUser } from "../../../src/platform/users.ts";

const ADA = "echo ada:x:1000:100:Ada:/home/ada:/bin/zsh";

let folder: string;
let path: string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-users-"));
  path = process.env.PATH;
  process.env.PATH = `${folder}:${path}`;
});

afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

function program(name: "getent" | "id", text: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, name), 0o755);
}

test("a user is known with all groups", async () => {
  program("getent", ADA);
  program("id", "echo 100 44 7");
  const user = { uid: 1000, gid: 100, name: "ada" };
  expect(await findUser("1000")).toEqual(user);
  expect(await findAccount("ada")).toEqual({ ...user, home: "/home/ada", shell: "/bin/zsh", groups: [100, 44, 7] });
});

test("exit code 2 says that there is none", async () => {
  program("getent", "exit 2");
  expect([await findUser("bob"), await findAccount("bob"), await findGroup("lab")]).toEqual([null, null, null]);
});

test.each([
  ["exit 1", "getent passwd ended with 1"],
  ["kill -9 $$", "getent failed: SIGKILL"],
])("no answer is no answer: %s", async (text, words) => {
  program("getent", text);
  for (const ask of [findUser, findAccount]) {
    await expect(ask("ada")).rejects.toMatchObject({ nodeFault: true, message: expect.stringContaining(words) });
  }
  await expect(findGroup("lab")).rejects.toMatchObject({ nodeFault: true });
});

test("groups that nobody can say are not left out", async () => {
  program("getent", ADA);
  program("id", "echo 100; exit 1");
  const message = "this machine can't say the groups of ada: id ended with 1";
  await expect(findAccount("ada")).rejects.toMatchObject({ nodeFault: true, message });
});
