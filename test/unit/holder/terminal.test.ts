/** Those who see a terminal: what each of them is shown, who may type, and for whom the program waits. */

import { describe, expect, test } from "vitest";
import type { AttachItem as Item } from "../../../src/node/holder/output-queue.ts";
import { realScreen } from "../../../src/platform/screen.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { TerminalView } from "../../../src/protocol/procedures.ts";
import { call, context, ended, launch, openHolder, stepKey, TestSink, TOKEN, task, until } from "./harness.ts";

const SIZE = { columns: 40, rows: 8 };
const PTY = { pty: SIZE };

const VIEW: TerminalView = { client: "one", who: "ada@here", mode: "write", from: 0, scrollback: 0, size: null };

type Handlers = ReturnType<typeof openHolder>["handlers"];
type Key = ReturnType<typeof stepKey>;

function see(handlers: Handlers, key: Key, view: Partial<TerminalView> = {}, automatic = true) {
  const sink = new TestSink<Item>(automatic);
  const left = new AbortController();
  const params = { key, token: TOKEN, view: { ...VIEW, ...view } };
  const done = handlers["step.attach"](params, sink, context(left.signal)) as Promise<unknown>;
  done.catch(() => {});
  const leave = (code: "CANCELLED" | "LOST_CONTACT"): void => {
    const error = new RpcError(code, "left");
    left.abort(error);
    sink.stop(error);
  };
  const text = (): string =>
    sink.items.map((item) => (item.type === "data" ? Buffer.from(item.data).toString() : "")).join("");
  return { sink, done, text, leave: () => leave("CANCELLED"), drop: () => leave("LOST_CONTACT") };
}

async function start(script: string, more: Parameters<typeof launch>[2] = {}) {
  const { handlers } = openHolder();
  const key = stepKey();
  await call(handlers, "holder.launch", launch(key, [task(["bash", "-c", script])], { ...PTY, ...more }));
  return { handlers, key };
}

/** What an emulator shows after all that a client was sent. */
async function shown(items: readonly Item[]): Promise<string> {
  const screen = await realScreen(SIZE.columns, SIZE.rows, 100);
  for (const item of items) {
    if (item.type === "screen") await screen.write(new TextEncoder().encode("\x1b[0m\x1b[H\x1b[2J"));
    if (item.type === "screen" || item.type === "data") await screen.write(item.data);
  }
  return screen.paint(0);
}

const typing = (handlers: Handlers, key: Key, client: string, data: string, offset = 0) =>
  call(handlers, "step.input", { key, token: TOKEN, client, task: null, offset, data: Buffer.from(data), eof: false });

const KILL = { attempt: 1, killWaitMs: 1000 };

describe("the screen of a program", () => {
  const script = [
    "printf 'first\\r\\n\\033[31mred\\033[0m \\033[1;44mbold\\033[m\\r\\nw\\xc3\\xa4ide \\xe6\\xbc\\xa2\\xe5\\xad\\x97\\r\\n'",
    "printf '\\033[?1049h\\033[2J\\033[3;5Hin the alternate screen\\033[?25l\\033[?2004h\\033[2;6r\\033[4;4H'",
    "read -r word; printf '\\033[?1049lback\\r\\n'",
  ].join("; ");

  test("is shown to a second client as it was to the first, cursor and modes included", async () => {
    const { handlers, key } = await start(script);
    const first = see(handlers, key);
    await until(() => first.text().includes("\x1b[4;4H"), "all of it");
    first.leave();
    await expect(first.done).rejects.toMatchObject({ code: "CANCELLED" });
    const second = see(handlers, key, { client: "two", from: null });
    const picture = await until(() => second.sink.items.find((item) => item.type === "screen"), "the picture");
    expect(picture).toMatchObject({ ...SIZE, offset: Buffer.from(first.text()).length });
    expect(await shown(second.sink.items)).toBe(await shown(first.sink.items));
    const data = picture.type === "screen" ? Buffer.from(picture.data).toString() : "";
    expect(data).toContain("\x1b[?25l");
    expect(data).toContain("\x1b7\x1b[2;6r\x1b8");
    await typing(handlers, key, "two", "x\r");
    await second.done;
    const all = [...first.sink.items, ...second.sink.items.filter(({ type }) => type === "data")];
    expect(await shown(second.sink.items)).toBe(await shown(all));
  });

  test("is what is left of output that is no longer kept", async () => {
    const { handlers, key } = await start("seq 1 700000; read -r word");
    await until(async () => {
      const { quietMs } = (await call(handlers, "step.terminal", { key, token: TOKEN })) as { quietMs: number };
      return quietMs > 300;
    }, "seq is done");
    const late = see(handlers, key, { from: 100, scrollback: 50 });
    const picture = await until(() => late.sink.items.find((item) => item.type === "screen"), "the picture");
    const data = picture.type === "screen" ? Buffer.from(picture.data).toString() : "";
    expect(data).toContain("699999\r\n700000\r\n");
    expect(data).toContain("699950");
    await call(handlers, "holder.terminate", { jobId: key.jobId, ...KILL });
    await late.done;
  }, 60_000);

  test("comes anew when it is asked for", async () => {
    const { handlers, key } = await start("echo here; read -r word");
    const client = see(handlers, key);
    await until(() => client.text() === "here\r\n", "the line");
    await call(handlers, "step.redraw", { key, token: TOKEN, client: "one" });
    const picture = await until(() => client.sink.items.find((item) => item.type === "screen"), "the picture");
    expect(picture).toMatchObject({ offset: 6 });
    await typing(handlers, key, "one", "x\r");
    await client.done;
  });
});

describe("a client whose link dropped", () => {
  test("goes on at the byte where it was, though the program printed more than is kept", async () => {
    const { handlers, key } = await start("read -r go; seq 1 500000; echo end");
    const first = see(handlers, key, {}, false);
    await until(() => first.sink.items.length > 0, "it is attached");
    await typing(handlers, key, "one", "x\r");
    await until(() => first.sink.unacknowledged > 200_000, "the program prints");
    const had = first.text();
    first.drop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const second = see(handlers, key, { from: Buffer.from(had).length });
    await second.done;
    const all = had + second.text();
    expect(second.sink.items.some(({ type }) => type === "screen")).toBe(false);
    const numbers = Array.from({ length: 500_000 }, (_, index) => `${index + 1}\r\n`).join("");
    expect(all === `x\r\n${numbers}end\r\n`).toBe(true);
  }, 60_000);

  test("of another does not hold the program up once that one left on purpose", async () => {
    const { handlers, key } = await start("seq 1 700000");
    const first = see(handlers, key, {}, false);
    await until(() => first.sink.unacknowledged > 200_000, "the program prints");
    first.leave();
    await ended(handlers, key);
  }, 60_000);
});

describe("several clients", () => {
  test("one types, the others look on; a second one who wants to type is told who does", async () => {
    const { handlers, key } = await start("read -r word; echo got $word");
    const writer = see(handlers, key);
    await until(() => writer.sink.items.length > 0, "it is attached");
    const reader = see(handlers, key, { client: "two", mode: "read" });
    await expect(see(handlers, key, { client: "three" }).done).rejects.toMatchObject({
      code: "SESSION_BUSY",
      message: "ada@here is attached to this session",
    });
    await expect(typing(handlers, key, "two", "no\r")).rejects.toMatchObject({ code: "READ_ONLY" });
    await call(handlers, "step.resize", { key, token: TOKEN, client: "two", columns: 10, rows: 3 });
    expect(await call(handlers, "step.terminal", { key, token: TOKEN })).toMatchObject({
      ...{ writer: "ada@here", readers: 1, ...SIZE },
    });
    await typing(handlers, key, "one", "yes\r");
    await Promise.all([writer.done, reader.done]);
    expect(reader.text()).toContain("got yes\r\n");
  });

  test("a thief takes over, with its own size; the other is told by whom", async () => {
    const { handlers, key } = await start(
      "trap 'stty size' WINCH; echo ready; while :; do read -t 0.02 -r w && exit; done",
    );
    const first = see(handlers, key);
    await until(() => first.text().includes("ready"), "it is ready");
    const thief = see(handlers, key, {
      client: "two",
      who: "bob@there",
      mode: "steal",
      size: { columns: 50, rows: 9 },
    });
    await expect(first.done).rejects.toMatchObject({ code: "TAKEN_OVER", message: "bob@there took this session over" });
    await until(() => thief.text().includes("9 50\r\n"), "the new size");
    await expect(typing(handlers, key, "one", "no\r")).rejects.toMatchObject({ code: "READ_ONLY" });
    await typing(handlers, key, "two", "x\r");
    await thief.done;
  });

  test("the same client again, after a lost link that nobody has noticed, takes its own place", async () => {
    const { handlers, key } = await start("echo one; read -r word");
    const first = see(handlers, key);
    await until(() => first.text() === "one\r\n", "the line");
    const again = see(handlers, key, { from: 5 });
    await until(() => again.sink.items.length > 0, "it is back");
    await expect(first.done).rejects.toMatchObject({ code: "TAKEN_OVER" });
    await typing(handlers, key, "one", "x\r");
    await again.done;
    expect(again.text()).toBe("x\r\n");
  });

  test("the next one can type once the first has left", async () => {
    const { handlers, key } = await start("read -r word; echo got $word");
    const first = see(handlers, key);
    await until(() => first.sink.items.length > 0, "it is attached");
    first.drop();
    await expect(first.done).rejects.toBeDefined();
    const second = see(handlers, key, { client: "two" });
    await until(() => second.sink.items.length > 0, "the second is attached");
    await typing(handlers, key, "two", "mine\r");
    await second.done;
    expect(second.text()).toContain("got mine\r\n");
  });
});

test("a flood fills no memory while its reader stands still", async () => {
  const { handlers, key } = await start("yes");
  const client = see(handlers, key, {}, false);
  await until(() => client.sink.unacknowledged > 200_000, "the flood");
  const count = client.sink.items.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(client.sink.items.length - count).toBeLessThan(64);
  await call(handlers, "holder.terminate", { jobId: key.jobId, ...KILL });
  client.leave();
});
