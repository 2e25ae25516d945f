/** Sockets whose files go away under them. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listenOn } from "../../../src/platform/listener.ts";
import { makePrivateFolder } from "../../../src/platform/runtime-folder.ts";

/** Others may pass root's, to what its daemons made for them. */
const FOLDER_MODE = process.getuid?.() === 0 ? 0o711 : 0o700;

let folder: string;
let socket: string;
let said: string[];
let taken: number;
const closers: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgt-listen-"));
  socket = join(folder, "run/s");
  said = [];
  taken = 0;
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
});

const note = (text: string): void => void said.push(text);

async function listen() {
  const greet = (one: Socket): void => {
    one.on("error", () => {});
    one.end("hello");
  };
  const server = await listenOn(socket, greet, {
    makeFolder: () => makePrivateFolder(dirname(socket)),
    log: { info: note, error: note },
    onTaken: () => void taken++,
    everyMs: 5,
  });
  closers.push(server.close);
  return server;
}

/** What a caller is told; its error's code if it is not let in. */
function call(): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const caller = createConnection({ path: socket });
    caller.on("data", (chunk) => {
      text += chunk;
    });
    caller.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    caller.once("close", () => resolve(text));
  });
}

const answers = (): Promise<void> => expect.poll(call, { timeout: 5000, interval: 5 }).toBe("hello");

describe("a socket that is looked after", () => {
  test("has its folder made, for us alone", async () => {
    await listen();
    expect(await call()).toBe("hello");
    expect([statSync(dirname(socket)).mode & 0o777, statSync(socket).mode & 0o777]).toEqual([FOLDER_MODE, 0o600]);
  });

  test("comes back when its file or its folder is removed, as private as before", async () => {
    await listen();
    rmSync(socket);
    await answers();
    rmSync(dirname(socket), { recursive: true });
    await answers();
    expect([statSync(dirname(socket)).mode & 0o777, statSync(socket).mode & 0o777]).toEqual([FOLDER_MODE, 0o600]);
    expect(said).toEqual(Array(2).fill("the socket was gone; listening at a new one"));
  });

  test("says once why it can't come back, and comes back as soon as it can", async () => {
    await listen();
    rmSync(dirname(socket), { recursive: true });
    writeFileSync(dirname(socket), "in the way");
    await expect.poll(() => said.length, { timeout: 5000, interval: 5 }).toBe(1);
    expect(said[0]).toMatch(/^the socket is gone and can't be made again: .*run/);
    rmSync(dirname(socket));
    await answers();
    expect(said).toHaveLength(2);
  });

  test("replaces a file that nobody listens at", async () => {
    await listen();
    rmSync(socket);
    writeFileSync(socket, "");
    await answers();
  });

  test("keeps its connections", async () => {
    const accepted: Socket[] = [];
    const server = await listenOn(socket, (one) => void accepted.push(one), {
      makeFolder: () => makePrivateFolder(dirname(socket)),
      log: { info: note, error: note },
      onTaken: () => {},
      everyMs: 5,
    });
    closers.push(server.close);
    const caller = createConnection({ path: socket });
    await expect.poll(() => accepted.length, { interval: 5 }).toBe(1);
    rmSync(dirname(socket), { recursive: true });
    await expect.poll(() => existsSync(socket), { timeout: 5000, interval: 5 }).toBe(true);
    const told = new Promise<string>((resolve) => caller.once("data", (chunk) => resolve(String(chunk))));
    accepted[0]?.write("still here");
    expect(await told).toBe("still here");
    caller.destroy();
    for (const one of accepted) one.destroy();
  });

  test("leaves the path to another program that listens there, also when it ends", async () => {
    const server = await listen();
    rmSync(socket);
    mkdirSync(dirname(socket), { recursive: true });
    const other = createServer((one) => {
      one.on("error", () => {});
      one.end("another");
    });
    await new Promise<void>((resolve) => other.listen(socket, resolve));
    closers.push(() => void other.close());
    await expect.poll(() => taken, { timeout: 5000, interval: 5 }).toBe(1);
    server.close();
    expect(await call()).toBe("another");
    expect([taken, said]).toEqual([1, ["another program listens at our socket's path now"]]);
  });

  test("goes for good when it is closed", async () => {
    (await listen()).close();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([existsSync(socket), said]).toEqual([false, []]);
  });
});

test("without upkeep nothing is made", async () => {
  await expect(listenOn(socket, () => {}, null)).rejects.toThrow(/EACCES|ENOENT/);
  await expect(listenOn(`/${"x".repeat(110)}`, () => {}, null)).rejects.toThrow("longer than the 107 bytes");
});
