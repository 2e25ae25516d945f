/** Clients that come straight to a node: over the real door, to a socket that gives every word back. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Guests } from "../../../src/node/guests.ts";
import { realSecureDoor, secureNet } from "../../../src/platform/secure.ts";
import { createSimTime } from "../../../src/sim/time.ts";

const STEP = { jobId: 12, attempt: 1, stepId: 0 } as const;

let folder: string;
let holder: Server;
let guests: Guests;
let port: number;
let time: ReturnType<typeof createSimTime>;
let log: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mgt-guests-"));
  holder = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await new Promise<void>((resolve) => holder.listen(join(folder, "h"), resolve));
  time = createSimTime(0);
  log = [];
  const note = (message: string, fields: object = {}): void => void log.push(`${message} ${JSON.stringify(fields)}`);
  guests = new Guests({
    clock: time.clockFor(() => true),
    log: { debug: note, info: note, warn: note, error: note },
    door: realSecureDoor(),
  });
  port = (await guests.listen({ host: "127.0.0.1", port: 0 })) ?? 0;
});

afterEach(() => {
  guests.close();
  holder.close();
  rmSync(folder, { recursive: true });
});

const keyOf = (letter: string): string => letter.repeat(64);

function expectGuest(name: string, letter: string, who = "user/ada/1", owner?: number): void {
  const guest = { identity: `stream/${name}/1`, key: keyOf(letter) };
  guests.expect({
    key: STEP,
    address: () => ({ path: join(folder, "h"), ...(owner === undefined ? {} : { owner }) }),
    who,
    guest,
  });
}

/** Connects; a word comes back, or the reason why not. The connection stays open. */
async function come(name: string, letter: string): Promise<{ heard: string; ended: Promise<void> }> {
  let hear: (text: string) => void = () => {};
  let end: () => void = () => {};
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const events = {
    data: (chunk: Uint8Array) => hear(Buffer.from(chunk).toString()),
    drain() {},
    close(problem: string | null) {
      hear(`closed ${problem}`);
      end();
    },
  };
  try {
    const net = secureNet({ identity: `stream/${name}/1`, key: keyOf(letter) });
    const connection = await net.connect({ path: `127.0.0.1:${port}` }, events);
    connection.write(Buffer.from("word"));
    return { heard: await heard, ended };
  } catch (error) {
    return { heard: (error as { code: string }).code, ended };
  }
}

const REFUSED = expect.stringMatching(/^ERR_SSL/);

test("who is expected gets through to its step, once", async () => {
  expectGuest("aa", "1");
  expect((await come("aa", "1")).heard).toBe("word");
  expect((await come("aa", "1")).heard).toEqual(REFUSED);
  expect(log.join("\n")).toMatch(/stream opened {"who":"user\/ada\/1","from":"127.0.0.1","step":"12.1.0"}/);
  expect(log.join("\n")).toMatch(/refused a connection .*no such key: stream\/aa\/1/);
});

test("a step's user leads nobody to a socket of somebody else", async () => {
  const uid = process.getuid?.() ?? 0;
  expectGuest("aa", "1", "user/ada/1", uid);
  expect((await come("aa", "1")).heard).toBe("word");
  expectGuest("bb", "2", "user/ada/1", uid + 1);
  expect((await come("bb", "2")).heard).toMatch(/^closed/);
});

test("nobody else gets in: a wrong key, another's name, a token whose time is over", async () => {
  expectGuest("aa", "1");
  expect((await come("aa", "2")).heard).toEqual(REFUSED);
  expect((await come("bb", "1")).heard).toEqual(REFUSED);
  // A wrong guess does not use it up.
  expect((await come("aa", "1")).heard).toBe("word");
  expectGuest("cc", "3");
  while (time.advance());
  expect((await come("cc", "3")).heard).toEqual(REFUSED);
});

test("a void key ends its streams, and those that were about to begin", async () => {
  expectGuest("aa", "1");
  expectGuest("bb", "2");
  expectGuest("cc", "3", "user/eve/1");
  const open = await come("aa", "1");
  const other = await come("cc", "3");
  expect(guests.identities.sort()).toEqual(["user/ada/1", "user/eve/1"]);
  expect(guests.cut("user/ada/1")).toBe(1);
  await open.ended;
  expect((await come("bb", "2")).heard).toEqual(REFUSED);
  expect([other.heard, guests.cut("user/eve/1")]).toEqual(["word", 1]);
});

test("a port that is taken is told, unless any will do", async () => {
  const other = new Guests({
    clock: time.clockFor(() => true),
    log: { debug() {}, info() {}, warn: (text) => void log.push(text), error() {} },
    door: realSecureDoor(),
  });
  expect(await other.listen({ host: "127.0.0.1", port })).toBeNull();
  expect(log.at(-1)).toBe("no listening for clients: their streams go through the controller");
  expect(await other.listen({ host: "127.0.0.1", port: null })).toBeGreaterThan(0);
  other.close();
});
