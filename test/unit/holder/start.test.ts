/** The holder behind a real socket, with the real client: what no hand-made sink can show. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type HolderProcess, startHolder } from "../../../src/node/holder/start.ts";
import { realNet } from "../../../src/platform/net.ts";
import { PROTOCOL } from "../../../src/protocol/envelope.ts";
import { connectPeer } from "../../../src/rpc/connect.ts";
import type { Peer } from "../../../src/rpc/types.ts";
import { type AttachItem, joined, launch, stepKey, TOKEN, task, until } from "./harness.ts";
import { realPorts } from "./ports.ts";

const folders: string[] = [];
const holders: HolderProcess[] = [];

afterEach(() => {
  for (const holder of holders.splice(0)) holder.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function serve() {
  const folder = mkdtempSync(join(tmpdir(), "mgpu-stepd-"));
  folders.push(folder);
  const ports = { ...realPorts(folder), net: realNet() };
  const socket = join(folder, "stepd.sock");
  const holder = await startHolder(ports, { socket, version: "1.2.3", pid: process.pid, startedAt: 1 });
  holders.push(holder);
  const hello = { role: "client", protocol: PROTOCOL, version: "1", user: { uid: 0, gid: 0, name: "u" } } as const;
  const dial = () => connectPeer(ports, { path: socket }, hello);
  return { ports, holder, socket, dial };
}

function attachTo(peer: Peer, key: ReturnType<typeof stepKey>, items: AttachItem[], limit = Number.POSITIVE_INFINITY) {
  let enough = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const result = peer.stream("step.attach", { key, token: TOKEN }, async (item) => {
    items.push(item);
    if (items.length < limit) return;
    enough();
    await new Promise(() => {});
  });
  result.catch(() => {});
  return { result, stopped };
}

test("200 MB pass through; a client that stops reading loses nothing to its successor", async () => {
  const { dial } = await serve();
  const { peer, answer } = await dial();
  expect(answer).toMatchObject({ daemon: "mgpu-stepd", version: "1.2.3" });
  const key = stepKey();
  const bytes = 200_000_000;
  await peer.call("holder.launch", launch(key, [task(["head", "-c", String(bytes), "/dev/zero"])]));
  const first = (await dial()).peer;
  const got: AttachItem[] = [];
  await attachTo(first, key, got, 50).stopped;
  const before = process.memoryUsage().rss;
  first.close();
  let position = joined(got).length;
  const result = await peer.stream("step.attach", { key, token: TOKEN }, (item) => {
    if (item.type !== "data") return;
    expect(item.offset).toBeLessThanOrEqual(position);
    position = Math.max(position, item.offset + item.data.length);
  });
  expect(position).toBe(bytes);
  expect(result).toEqual({ exits: [{ task: 0, exit: { code: 0, signal: 0 } }], problem: "" });
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
});

test("lines of many small tasks all arrive, and the holder ends when it is asked to", async () => {
  const { dial, holder, socket, ports } = await serve();
  const { peer } = await dial();
  const key = stepKey();
  const numbers = Array.from({ length: 16 }, (_, index) => index);
  const items: AttachItem[] = [];
  const { result } = attachTo(peer, key, items);
  const tasks = numbers.map((number) => task(["seq", "1", "1000"], { task: number }));
  await peer.call("holder.launch", launch(key, tasks));
  expect((await result).exits).toHaveLength(16);
  for (const number of numbers) expect(joined(items, number).toString().split("\n")).toHaveLength(1001);
  await until(async () => (await peer.call("holder.status", {})).steps[0]?.phase === "ended", "the end");
  expect(await peer.call("holder.shutdown", {})).toEqual({ ending: true });
  await holder.ended;
  expect(await peer.closed).toBeDefined();
  expect(existsSync(socket)).toBe(false);
  expect(ports.table.find("")).toEqual([]);
});
