/** The real door, on the loopback: who gets in, who does not, and what is said of those. */

import { connect as connectPlain, createServer, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Connection } from "../../../src/platform/net.ts";
import { realSecureDoor, type SecureListener, secureNet } from "../../../src/platform/secure.ts";

const KEY = "ab".repeat(32);
const KEYS = new Map<string, string>();

let listener: SecureListener;
let arrived: string[];
let refused: string[];

beforeEach(async () => {
  arrived = [];
  refused = [];
  KEYS.set("user/ada/1", KEY);
  listener = await realSecureDoor().listen({
    host: "127.0.0.1",
    port: 0,
    keyOf: (identity) => KEYS.get(identity) ?? null,
    accept(visitor) {
      arrived.push(visitor.identity);
      visitor.converse((connection) => ({
        data: (chunk) => void connection.write(chunk),
        drain() {},
        close() {},
      }));
    },
    onRefused: (_from, why, count) => void refused.push(count === 1 ? why : `${why} x${count}`),
  });
});

afterEach(() => listener.close());

/** Resolves with what comes back for a word, or the error's code. */
async function talk(identity: string, key: string): Promise<string> {
  let hear: (text: string) => void = () => {};
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  let connection: Connection;
  try {
    connection = await secureNet({ identity, key }).connect(
      { path: `127.0.0.1:${listener.port}` },
      {
        data: (chunk) => hear(Buffer.from(chunk).toString()),
        drain() {},
        close: (problem) => hear(`closed ${problem}`),
      },
    );
  } catch (error) {
    return (error as { code: string }).code;
  }
  connection.write(Buffer.from("word"));
  const answer = await heard;
  connection.close();
  return answer;
}

function raw(send: Uint8Array | string, port = listener.port): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectPlain(port, "127.0.0.1", () => socket.write(send));
    socket.on("error", () => {});
    socket.resume();
    socket.once("close", () => resolve());
  });
}

test("the right key gets in; the wrong one, an unknown and a revoked one do not", async () => {
  expect(await talk("user/ada/1", KEY)).toBe("word");
  expect(await talk("user/ada/1", "cd".repeat(32))).toBe("ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER");
  expect(await talk("user/ada/2", KEY)).toBe("ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE");
  KEYS.delete("user/ada/1");
  expect(await talk("user/ada/1", KEY)).toBe("ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE");
  expect(arrived).toEqual(["user/ada/1"]);
  expect(refused).toEqual([
    "wrong key",
    "no such key: user/ada/2",
    "no known key was offered",
    "no such key: user/ada/1",
  ]);
});

test("what is no TLS is refused and told", async () => {
  await raw("GET / HTTP/1.0\r\n\r\n");
  await raw(new Uint8Array([0, 0, 0, 9, 0x94, 0, 1]));
  await raw(Buffer.alloc(100_000, 0xff));
  expect([arrived, new Set(refused)]).toEqual([[], new Set(["not TLS 1.3"])]);
});

test("a recorded conversation is worth nothing the second time", async () => {
  const recorded: Buffer[] = [];
  const tap = createServer((near: Socket) => {
    const far = connectPlain(listener.port, "127.0.0.1");
    near.on("data", (chunk) => void recorded.push(chunk));
    near.pipe(far).pipe(near);
    for (const one of [near, far]) one.on("error", () => {});
  });
  await new Promise<void>((resolve) => void tap.listen(0, "127.0.0.1", resolve));
  const { port } = tap.address() as { port: number };
  const connection = await secureNet({ identity: "user/ada/1", key: KEY }).connect(
    { path: `127.0.0.1:${port}` },
    { data() {}, drain() {}, close() {} },
  );
  connection.write(Buffer.from("word"));
  await expect.poll(() => arrived.length).toBe(1);
  connection.close();
  tap.close();
  await raw(Buffer.concat(recorded));
  expect(arrived).toEqual(["user/ada/1"]);
  expect(refused.length).toBeGreaterThan(0);
});

test("a session ticket does not outlive its key", async () => {
  const options = {
    ...{ host: "127.0.0.1", port: listener.port, ciphers: "TLS_AES_128_GCM_SHA256" },
    checkServerIdentity: () => undefined,
  };
  const ticket = await new Promise<Buffer>((resolve) => {
    const first: TLSSocket = connectTls({
      ...options,
      pskCallback: () => ({ identity: "user/ada/1", psk: Buffer.from(KEY, "hex") }),
    });
    first.once("session", (session: Buffer) => {
      resolve(session);
      first.destroy();
    });
    first.on("error", () => {});
    first.resume();
  });
  KEYS.delete("user/ada/1");
  await new Promise<void>((resolve) => {
    const second = connectTls({ ...options, session: ticket, pskCallback: () => null });
    second.on("error", () => {});
    second.resume();
    second.once("close", () => resolve());
  });
  expect(arrived).toEqual(["user/ada/1"]);
});

test("more handshakes at once than one address may have are cut, and those inside go on", async () => {
  const idle = Array.from({ length: 200 }, () => connectPlain(listener.port, "127.0.0.1"));
  const closed = idle.map(
    (socket) =>
      new Promise((resolve) =>
        socket
          .on("error", () => {})
          .once("close", resolve)
          .resume(),
      ),
  );
  await Promise.race(closed);
  await expect.poll(() => idle.filter((socket) => socket.destroyed).length).toBe(200 - 64);
  expect(refused).toContain("too many handshakes at once");
  for (const socket of idle) socket.destroy();
  await Promise.all(closed);
  await expect.poll(() => talk("user/ada/1", KEY)).toBe("word");
});
