/** Which folders of sessions are taken for left behind. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeSessionFolder, SESSION_FOLDER_BYTES, sweepSessionFolders } from "../../../src/platform/session-folders.ts";

const parent = mkdtempSync(join(tmpdir(), "mgf-"));
afterAll(() => rmSync(parent, { recursive: true }));

const NOW = 1e12;
const HOST = "n1";
const SOCKET = "holder.sock";

/** One that was made long ago. */
function old(folder = makeSessionFolder(parent, HOST)): string {
  utimesSync(folder, 1, 1);
  return folder;
}

function listenIn(folder: string): Promise<() => void> {
  const server = createServer();
  return new Promise((resolve) => server.listen(join(folder, SOCKET), () => resolve(() => void server.close())));
}

test("those in which nobody listens any more, of this user alone", async () => {
  const empty = old();
  expect(empty).toHaveLength(parent.length + SESSION_FOLDER_BYTES);
  const killed = makeSessionFolder(parent, HOST);
  writeFileSync(join(killed, "scratch"), "");
  const alive = makeSessionFolder(parent, HOST);
  const stop = await listenIn(alive);
  // As the socket's file of one that was killed: whoever connects is refused.
  writeFileSync(join(killed, SOCKET), "");
  const young = makeSessionFolder(parent, HOST);
  utimesSync(young, NOW / 1000 - 5, NOW / 1000 - 5);
  const open = makeSessionFolder(parent, HOST);
  chmodSync(open, 0o777);
  chmodSync(empty, 0o711);

  const far = makeSessionFolder(parent, "n2");
  const other = join(parent, "mgpu-session-x");
  mkdirSync(other, { mode: 0o700 });
  const link = `${empty.slice(0, -6)}link00`;
  symlinkSync(other, link);
  for (const folder of [killed, alive, open, other, far]) old(folder);
  await sweepSessionFolders(parent, HOST, SOCKET, NOW);
  expect([empty, killed].map(existsSync)).toEqual([false, false]);
  expect([alive, young, open, other, link, far].map(existsSync)).toEqual([true, true, true, true, true, true]);
  expect(readdirSync(alive)).toEqual([SOCKET]);
  stop();
});

test("a folder that is not there is no matter", async () => {
  await sweepSessionFolders(join(parent, "none"), HOST, SOCKET, NOW);
});
