/**
 * Strangers at the controller's door: noise, floods, slow senders, credentials that are wrong, made up, used up, revoked or
 * recorded, and lies about uids. Each is refused and told; memory stays flat; the service goes on. Prints the counts.
 */

import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";

const CLUSTER = new TestCluster({ env: { MGPU_NODE_ID: "c1" } });

let port = 0;
let pid = 0;

beforeAll(async () => {
  const said = await CLUSTER.ok("mgpu", ["up", "--listen", "127.0.0.1:0"]);
  port = Number(/127\.0\.0\.1:(\d+)#/.exec(said)?.[1]);
  pid = await CLUSTER.pidOf("mgpuctld");
}, 60_000);

afterAll(() => CLUSTER.stop(), 60_000);

function residentMiB(): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** Sends bytes and waits until we are thrown out; how many bytes came back. */
function thrownOut(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    let got = 0;
    const socket = createConnection(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      got += chunk.length;
    });
    socket.once("close", () => resolve(got));
  });
}

/** Tries a credential; `null` if it got in. */
function proves(identity: string, key: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connectTls({
      ...{ host: "127.0.0.1", port, ciphers: "TLS_AES_128_GCM_SHA256", checkServerIdentity: () => undefined },
      pskCallback: () => ({ identity, psk: Buffer.from(key, "hex") }),
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "refused"));
    socket.once("close", () => resolve("closed"));
    socket.once("secureConnect", () => {
      // One that was let in by mistake would stay.
      setTimeout(() => {
        resolve(null);
        socket.destroy();
      }, 500);
    });
  });
}

async function issued(name: string, role: string): Promise<{ identity: string; key: string; line: string }> {
  const text = await CLUSTER.ok("mgpu", ["key", "issue", name, "--user", "nobody", "--role", role]);
  const [, line = "", identity = "", key = ""] = /^mgpu login [^=]+=(\S+#([^:\s]+):([0-9a-f]+))$/m.exec(text) ?? [];
  return { identity, key, line };
}

test("strangers are refused, told, and cost nothing", async () => {
  const counts: Record<string, number> = {};
  const before = residentMiB();

  const noise = Array.from({ length: 300 }, (_, index) => randomBytes(1 + ((index * 97) % 4000)));
  const huge = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.alloc(1 << 20)]);
  const junk = [...noise, ...Array(20).fill(huge), Buffer.from("GET / HTTP/1.1\r\n\r\n")];
  for (let at = 0; at < junk.length; at += 50) {
    const answers = await Promise.all(junk.slice(at, at + 50).map(thrownOut));
    // A TLS alert and nothing else.
    expect(Math.max(...answers)).toBeLessThan(64);
  }
  counts["noise and huge frames"] = noise.length + 21;

  const secret = (text: string): string => createHash("sha256").update(text).digest("hex");
  const forged = [
    ...Array.from({ length: 200 }, (_, index) => [`user/root/${index + 1}`, secret(`guess ${index}`)] as const),
    ...Array.from(
      { length: 100 },
      (_, index) => [`join/${secret(`${index}`).slice(0, 8)}/1`, secret("x").slice(32)] as const,
    ),
    ...["job/1.1/1", "door/00/1", "back/00/1", "administrator/../1", "node/c1/1", "x".repeat(120)].map(
      (identity) => [identity, secret("y")] as const,
    ),
  ];
  for (let at = 0; at < forged.length; at += 20) {
    const outcomes = await Promise.all(forged.slice(at, at + 20).map(([identity, key]) => proves(identity, key)));
    expect(outcomes).not.toContain(null);
  }
  counts["forged credentials"] = forged.length;

  const ada = await issued("ada", "user");
  expect(await proves(ada.identity, ada.key)).toBe(null);
  expect(await proves(ada.identity, secret("wrong"))).not.toBe(null);
  await CLUSTER.ok("mgpu", ["key", "revoke", "ada"]);
  for (let turn = 0; turn < 50; turn++) expect(await proves(ada.identity, ada.key)).not.toBe(null);
  const next = await issued("ada", "user");
  expect([next.identity, await proves(ada.identity, ada.key)]).toEqual(["user/ada/2", expect.any(String)]);
  counts["revoked and wrong keys"] = 52;

  // Whoever runs the command is root here; the key is a user's.
  const lie = await CLUSTER.run("mgpu", ["key", "list"], { env: { MGPU_CONTROLLER: next.line } });
  const end = await CLUSTER.run("mgpu", ["down", "--force"], { env: { MGPU_CONTROLLER: next.line } });
  for (const { code, stderr } of [lie, end])
    expect([code, stderr]).toEqual([1, expect.stringContaining("Access/permission denied")]);
  counts["lies about who somebody is"] = 2;

  const idle: Socket[] = [];
  for (let count = 0; count < 3000; count++) {
    const socket = createConnection(port, "127.0.0.1").on("error", () => {});
    idle.push(socket);
    // Slow senders: one byte of a handshake, and silence.
    if (count % 3 === 0) socket.write(Buffer.from([22]));
    if (count % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await expect
    .poll(() => idle.filter((socket) => !socket.destroyed).length, { timeout: 20_000 })
    .toBeLessThanOrEqual(64);
  counts["idle and slow connections"] = idle.length;
  expect(await CLUSTER.ok("mgpu-srun", ["echo", "still here"])).toBe("still here\n");
  await expect.poll(() => idle.filter((socket) => !socket.destroyed).length, { timeout: 20_000 }).toBe(0);
  await expect.poll(() => proves(next.identity, next.key), { timeout: 10_000 }).toBe(null);

  const after = residentMiB();
  expect(after).toBeLessThan(before + 80);
  expect(await CLUSTER.pidOf("mgpuctld")).toBe(pid);
  const book = readFileSync(join(CLUSTER.home, "log/audit.log"), "utf8").trim().split("\n");
  const refused = book.map((line) => JSON.parse(line) as { message: string; count?: number });
  const told = refused.filter(({ message }) => message === "refused a connection");
  counts["refusals told in lines of the log"] = told.length;
  expect(told.length).toBeGreaterThan(10);
  expect(book.length).toBeLessThan(2000);
  console.log(
    `${JSON.stringify(counts, null, 1)}\nmemory of mgpuctld: ${before.toFixed(0)} MiB before, ${after.toFixed(0)} after`,
  );
}, 240_000);
