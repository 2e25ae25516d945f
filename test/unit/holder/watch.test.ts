/** Clients that look on at a step beside its own client. */

import { describe, expect, test } from "vitest";
import {
  type AttachItem,
  attach,
  call,
  context,
  launch,
  openHolder,
  shell,
  stepKey,
  TestSink,
  TOKEN,
  until,
} from "./harness.ts";

type Handlers = ReturnType<typeof openHolder>["handlers"];
type Key = ReturnType<typeof stepKey>;

function watch(handlers: Handlers, key: Key, automatic = true, token = TOKEN) {
  const sink = new TestSink<AttachItem>(automatic);
  const left = new AbortController();
  const done = handlers["step.watch"]({ key, token }, sink, context(left.signal));
  done.catch(() => {});
  const text = (): string =>
    sink.items.map((item) => (item.type === "data" ? Buffer.from(item.data).toString() : "")).join("");
  return { sink, done, text, leave: () => left.abort() };
}

const SPEAKER = "read x; echo $x; read x; echo $x";

const say = (handlers: Handlers, key: Key, offset: number, text: string, client?: string) =>
  call(handlers, "step.input", {
    ...{ key, token: TOKEN, task: null, offset, data: Buffer.from(text), eof: false },
    ...(client === undefined ? {} : { client }),
  });

describe("watch", () => {
  test("gets what comes from now on, and the exits, and takes nothing from the client", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell(SPEAKER, { stdin: { from: "client" } })]));
    const client = attach(handlers, key);
    await say(handlers, key, 0, "one\n");
    await until(() => client.text() === "one\n", "the first line");
    const watcher = watch(handlers, key);
    await until(() => watcher.sink.items.length > 0, "the watcher's start");
    await say(handlers, key, 4, "two\n");
    expect(await watcher.done).toEqual({ exits: [{ task: 0, exit: { code: 0, signal: 0 } }], problem: "" });
    await client.done;
    expect(client.text()).toBe("one\ntwo\n");
    expect(watcher.text()).toBe("two\n");
    expect(watcher.sink.items).toMatchObject([
      { type: "started", tasks: [0] },
      { type: "data", offset: 4 },
      { type: "exit", task: 0 },
    ]);
  });
  test("one that takes nothing does not hold up the step; what it missed shows in the offsets", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const text = "read x; head -c 4000000 /dev/zero; echo end";
    await call(handlers, "holder.launch", launch(key, [shell(text, { stdin: { from: "client" } })]));
    const client = attach(handlers, key);
    const watcher = watch(handlers, key, false);
    await until(() => watcher.sink.items.length > 0, "the watcher's start");
    await say(handlers, key, 0, "\n");
    await client.done;
    expect(client.bytes().length).toBe(4_000_004);
    while (watcher.sink.acknowledge() > 0) await new Promise((resolve) => setImmediate(resolve));
    await watcher.done;
    const data = watcher.sink.items.flatMap((item) => (item.type === "data" ? [item] : []));
    const taken = data.reduce((sum, item) => sum + item.data.length, 0);
    expect(taken).toBeLessThan(2_000_000);
    expect(watcher.text().endsWith("end\n")).toBe(true);
    const last = data.at(-1);
    expect((last?.offset ?? 0) + (last?.data.length ?? 0)).toBe(4_000_004);
  });
  test("one that leaves is let go; a wrong token is refused", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("read x", { stdin: { from: "client" } })]));
    const watcher = watch(handlers, key);
    watcher.leave();
    await watcher.done;
    await expect(watch(handlers, key, true, "wrong").done).rejects.toMatchObject({ code: "BAD_TOKEN" });
    await say(handlers, key, 0, "\n");
    await attach(handlers, key).done;
  });
  test("input of several clients is counted for each", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell(SPEAKER, { stdin: { from: "client" } })]));
    const client = attach(handlers, key);
    await say(handlers, key, 0, "one\n");
    await say(handlers, key, 0, "two\n", "sattach-1");
    await client.done;
    expect(client.text()).toBe("one\ntwo\n");
  });
});

describe("a step whose own client left it to itself", () => {
  test("gives what waits to who looks on, and is not stopped by a full window for ever", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("seq 1 200000")]));
    const client = attach(handlers, key, false);
    await until(() => client.sink.unacknowledged > 100_000, "a full window");
    client.leave();
    await expect(client.done).rejects.toBeDefined();
    const watcher = watch(handlers, key);
    await watcher.done;
    expect(watcher.text()).toBe(Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join(""));
  });

  test("goes back to that client", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell(SPEAKER, { stdin: { from: "client" } })]));
    const first = attach(handlers, key);
    await until(() => first.sink.items.length > 0, "the client");
    first.leave();
    await expect(first.done).rejects.toBeDefined();
    const watcher = watch(handlers, key);
    await until(() => watcher.sink.items.length > 0, "the watcher");
    const again = attach(handlers, key);
    await expect(watcher.done).rejects.toMatchObject({ code: "CANCELLED" });
    await say(handlers, key, 0, "one\ntwo\n");
    await again.done;
    expect(again.text()).toBe("one\ntwo\n");
  });
});
