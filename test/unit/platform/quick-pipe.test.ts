import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Connection, type ConnectionEvents, type Listener, realNet } from "../../../src/platform/net.ts";
import { type Connect, quickPipe } from "../../../src/platform/quick-pipe.ts";

const folder = mkdtempSync(join(tmpdir(), "mgpu-pipe-"));
let listener: Listener | null = null;

afterEach(() => {
  listener?.close();
  listener = null;
  rmSync(folder, { recursive: true, force: true });
});

/** Node 20 has it: a null here would mean that no command starts quickly. */
const connect = quickPipe() as Connect;

interface Side {
  readonly events: ConnectionEvents;
  readonly received: () => Buffer;
  readonly closed: Promise<string>;
  readonly drained: () => number;
}

function side(): Side {
  const chunks: Uint8Array[] = [];
  let drains = 0;
  let close: (problem: string) => void = () => {};
  const closed = new Promise<string>((resolve) => {
    close = resolve;
  });
  const events = {
    data: (chunk: Uint8Array) => void chunks.push(chunk),
    drain: () => {
      drains += 1;
    },
    close,
  };
  return { events, received: () => Buffer.concat(chunks), closed, drained: () => drains };
}

async function pair(): Promise<{ here: Side; there: Side; ours: Connection; theirs: Connection }> {
  const address = { path: join(mkdtempSync(join(tmpdir(), "mgpu-pipe-")), "s") };
  const there = side();
  const accepted = new Promise<Connection>((resolve) => {
    void realNet()
      .listen(address, (connection) => {
        resolve(connection);
        return there.events;
      })
      .then((listening) => {
        listener = listening;
        void connect(address, here.events).then(opened);
      });
  });
  const here = side();
  let opened: (connection: Connection) => void = () => {};
  const ours = await new Promise<Connection>((resolve) => {
    opened = resolve;
  });
  return { here, there, ours, theirs: await accepted };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let triesLeft = 2000; !isTrue(); triesLeft--) {
    if (triesLeft === 0) throw new Error("it never came");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("bytes go both ways, and an end is an orderly one", async () => {
  const { here, there, ours, theirs } = await pair();
  expect(ours.write(Buffer.from("hello"))).toBe(true);
  theirs.write(Buffer.from("good day"));
  await until(() => there.received().length === 5 && here.received().length === 8);
  expect(there.received().toString()).toBe("hello");
  expect(here.received().toString()).toBe("good day");
  ours.close();
  expect(await there.closed).toBe("");
  expect(await here.closed).toBe("");
  expect(ours.write(Buffer.from("late"))).toBe(false);
});

test("a reader that stands still makes write wait, and nothing is lost", async () => {
  const { there, ours, theirs, here } = await pair();
  theirs.pause();
  const part = Buffer.alloc(64 * 1024);
  let sent = 0;
  for (let isFree = true; isFree && sent < 1000; sent++) isFree = ours.write(part.fill(sent % 251));
  expect(sent).toBeLessThan(1000);
  expect(here.drained()).toBe(0);
  theirs.resume();
  await until(() => here.drained() === 1 && there.received().length === sent * part.length);
  const whole = there.received();
  const wrong = Array.from({ length: sent }, (_, at) => whole[at * part.length] === at % 251).indexOf(false);
  // The one buffer was filled again only where it had been taken at once; the last one was still on its way.
  expect(wrong).toBe(-1);
});

test("what was written before the end arrives", async () => {
  const { there, ours, theirs } = await pair();
  theirs.pause();
  let sent = 0;
  while (ours.write(Buffer.alloc(64 * 1024, 7))) sent += 1;
  sent += 1;
  ours.close();
  theirs.resume();
  expect(await there.closed).toBe("");
  expect(there.received().length).toBe(sent * 64 * 1024);
});

test("one that stands still hears nothing until it goes on", async () => {
  const { here, ours, theirs } = await pair();
  ours.pause();
  theirs.write(Buffer.from("later"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(here.received().length).toBe(0);
  ours.resume();
  await until(() => here.received().toString() === "later");
});

test("the other side ends, or dies", async () => {
  const { here, theirs } = await pair();
  theirs.close();
  expect(await here.closed).toBe("");
});

test("nobody there", async () => {
  const failed = connect({ path: "/nowhere/at/all" }, side().events);
  await expect(failed).rejects.toMatchObject({ code: "ENOENT", syscall: "connect" });
  const long = connect({ path: `/${"x".repeat(200)}` }, side().events);
  await expect(long).rejects.toHaveProperty("syscall", "connect");
});
