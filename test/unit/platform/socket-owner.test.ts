import { linkSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connection, type ConnectionEvents, realNet } from "../../../src/platform/net.ts";

const uid = process.getuid?.() ?? 0;
const EVENTS: ConnectionEvents = { data() {}, drain() {}, close() {} };

let folder: string;
let server: Server;
let visitors: number;
beforeEach(async () => {
  folder = mkdtempSync("/tmp/mgpu-owner-");
  visitors = 0;
  server = createServer((socket) => {
    visitors += 1;
    socket.on("error", () => {}).resume();
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "real.sock"), resolve));
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const connect = (name: string, owner?: number): Promise<Connection> =>
  realNet().connect({ path: join(folder, name), ...(owner === undefined ? {} : { owner }) }, EVENTS);

describe("a socket that must be somebody's", () => {
  it("is connected to if it is, and holds no descriptor afterwards", async () => {
    const before = readdirSync("/proc/self/fd").length;
    (await connect("real.sock", uid)).close();
    await expect.poll(() => visitors).toBe(1);
    await expect.poll(() => readdirSync("/proc/self/fd").length).toBe(before);
  });

  it("is not looked for behind a symbolic link, wherever that leads", async () => {
    symlinkSync("real.sock", join(folder, "link.sock"));
    await expect(connect("link.sock", uid)).rejects.toMatchObject({
      code: "EPERM",
      message: `${folder}/link.sock is no socket: nobody connects to what it may lead to`,
    });
    // Where nobody else can put one, links are followed as ever.
    (await connect("link.sock")).close();
    await expect.poll(() => visitors).toBe(1);
  });

  it("is refused if it is another's, under any name of its own", async () => {
    linkSync(join(folder, "real.sock"), join(folder, "hard.sock"));
    await expect(connect("hard.sock", uid + 1)).rejects.toMatchObject({
      code: "EPERM",
      message: `the socket ${folder}/hard.sock belongs to uid ${uid}, not ${uid + 1}`,
    });
    expect(visitors).toBe(0);
  });

  it("is refused if it is none, and missed if it is not there or nobody listens", async () => {
    writeFileSync(join(folder, "plain"), "");
    await expect(connect("plain", uid)).rejects.toMatchObject({ code: "EPERM" });
    await expect(connect("gone.sock", uid)).rejects.toMatchObject({ code: "ENOENT" });
    linkSync(join(folder, "real.sock"), join(folder, "stale.sock"));
    await new Promise((resolve) => server.close(resolve));
    await expect(connect("stale.sock", uid)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
