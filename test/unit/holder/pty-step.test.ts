import { describe, expect, test } from "vitest";
import {
  attach,
  call,
  ended,
  input,
  joined,
  launch,
  openHolder,
  runToEnd,
  shell,
  stepKey,
  TOKEN,
  task,
  until,
} from "./harness.ts";

const PTY = { pty: { columns: 100, rows: 30 } };

describe("a terminal", () => {
  test("is one for the program, of the right size from the first byte", async () => {
    const { handlers } = openHolder();
    const text = "tty; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; echo controlling >/dev/tty";
    const client = await runToEnd(handlers, launch(stepKey(), [shell(text)], PTY));
    expect(client.text()).toMatch(/^\/dev\/pts\/\d+\r\n30 100\r\nall\r\ncontrolling\r\n$/);
  });

  test("its program inherits nothing of the holder's", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const open = "ls -l /proc/self/fd";
    await call(handlers, "holder.launch", launch(key, [shell(`${open}; read x`)], PTY));
    const client = attach(handlers, key);
    await until(() => client.text().includes("/proc"), "the listing");
    expect(client.text().match(/pts|ptmx/g)).toHaveLength(3);
    // Nor does a step beside it.
    const beside = await runToEnd(handlers, launch(stepKey(), [shell(open)]));
    expect(beside.text()).not.toMatch(/pts|ptmx/);
    await input(handlers, key, { offset: 0, data: "\r" });
    await client.done;
  });

  test.each([
    ["exit 7", { code: 7, signal: 0 }],
    ["kill -TERM $$", { code: 0, signal: 15 }],
  ])("tells exits exactly: %s", async (text, exit) => {
    const { handlers } = openHolder();
    const key = stepKey();
    const client = await runToEnd(handlers, launch(key, [shell(text)], PTY));
    expect((await client.done).exits).toEqual([{ task: 0, exit }]);
    expect(await ended(handlers, key)).toMatchObject({ exits: [exit], clean: true });
  });

  test("a program that can't start is told as for other steps", async () => {
    const { handlers } = openHolder();
    const step = await call(handlers, "holder.launch", launch(stepKey(), [task(["nosuch"])], PTY));
    expect(step).toMatchObject({ phase: "ended", exits: [{ code: 2, signal: 0 }] });
    expect(step.problem).toBe("execve(): nosuch: No such file or directory");
  });

  test("delivers all of a fast program's output, 20 of 20 times", async () => {
    const { handlers } = openHolder();
    const expected = Array.from({ length: 50_000 }, (_, index) => `${index + 1}\r\n`).join("");
    for (let round = 0; round < 20; round++) {
      const client = await runToEnd(handlers, launch(stepKey(), [task(["seq", "1", "50000"])], PTY));
      expect(client.text() === expected).toBe(true);
    }
  });

  test("also through a consumer that is slow", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["seq", "1", "200000"])], PTY));
    const client = attach(handlers, key, false);
    let done = false;
    void client.done.then(() => {
      done = true;
    });
    await until(() => {
      client.sink.acknowledge(1);
      return done;
    }, "the end of the output");
    const expected = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\r\n`).join("");
    expect(client.text() === expected).toBe(true);
  });
});

describe("input", () => {
  test("is typed; Ctrl-C interrupts, Ctrl-D ends", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const text = "trap 'echo interrupted' INT; cat; echo then; cat; exit 5";
    await call(handlers, "holder.launch", launch(key, [task(["bash", "-c", text])], PTY));
    const client = attach(handlers, key);
    await input(handlers, key, { offset: 0, data: "hello\r" });
    await until(() => client.text() === "hello\r\nhello\r\n", "the echo and the copy");
    await input(handlers, key, { offset: 6, data: "\x03" });
    await until(() => client.text().includes("then"), "the interrupt");
    await input(handlers, key, { offset: 7, eof: true });
    expect((await client.done).exits[0]?.exit).toEqual({ code: 5, signal: 0 });
    expect(client.text()).toContain("interrupted");
  });

  test("a large paste arrives whole while the program takes its time", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const program =
      "import sys,os,tty,time\ntty.setraw(0)\nos.write(1,b'ready')\ntime.sleep(.3)\nn=0\n" +
      "while n<300000:\n d=os.read(0,4096)\n assert d.strip(b'x')==b''\n n+=len(d)\nos.write(1,b'all')";
    await call(handlers, "holder.launch", launch(key, [task(["python3", "-c", program])], PTY));
    const client = attach(handlers, key);
    await until(() => client.text() === "ready", "raw mode");
    let answered = false;
    const sent = input(handlers, key, { offset: 0, data: "x".repeat(300_000) }).then(() => {
      answered = true;
    });
    await Promise.resolve();
    expect(answered).toBe(false);
    await sent;
    await client.done;
    expect(client.text()).toBe("readyall");
  });

  test("resizing reaches the program", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const text = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done";
    await call(handlers, "holder.launch", launch(key, [task(["bash", "-c", text])], PTY));
    const client = attach(handlers, key);
    await until(() => client.text() === "ready\r\n", "the trap");
    await call(handlers, "step.resize", { key, token: TOKEN, columns: 77, rows: 11 });
    await client.done;
    expect(client.text()).toBe("ready\r\n11 77\r\n");
    await call(handlers, "step.resize", { key, token: TOKEN, columns: 1, rows: 1 });
  });
});

describe("nobody attached", () => {
  test("the program goes on, and the newest output is there for who comes", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["seq", "1", "1000000"])], PTY));
    await ended(handlers, key);
    const client = attach(handlers, key);
    await client.done;
    const [, first] = client.sink.items;
    if (first?.type !== "data") throw new Error("no data");
    expect(first.offset).toBeGreaterThan(5_000_000);
    const parts = client.sink.items.flatMap((item) => (item.type === "data" ? [Buffer.from(item.data)] : []));
    const tail = Buffer.concat(parts).toString();
    expect(tail.length).toBeGreaterThan(2_000_000);
    // Kept: 2 MiB. With it comes what the kernel's terminal still held when the client attached: up to 64 KiB.
    expect(tail.length).toBeLessThanOrEqual(2 * 1024 * 1024 + 64 * 1024);
    expect(tail.endsWith("999999\r\n1000000\r\n")).toBe(true);
  });

  test("a session outlives its client, and goes on with the next one", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["cat"])], PTY));
    const first = attach(handlers, key);
    await input(handlers, key, { offset: 0, data: "one\r" });
    await until(() => first.text() === "one\r\none\r\n", "the first line");
    await until(() => first.sink.unacknowledged === 0, "its acknowledgement");
    first.leave();
    await expect(first.done).rejects.toThrow();
    const second = attach(handlers, key);
    await input(handlers, key, { offset: 4, data: "two\r", eof: true });
    await second.done;
    expect(joined([...first.sink.items, ...second.sink.items]).toString()).toBe("one\r\none\r\ntwo\r\ntwo\r\n");
  });
});

describe("the end", () => {
  test("background jobs go with the session", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const text = "(trap '' HUP TERM; echo stays; sleep 1000) & sleep 0.1; echo done; exit 0";
    const client = await runToEnd(handlers, launch(key, [shell(text)], PTY));
    expect(client.text()).toContain("done\r\n");
    expect(await ended(handlers, key)).toMatchObject({ clean: true });
  });

  test("an interactive shell, which ignores TERM, goes at once when its job is terminated", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["bash", "--norc", "-i"])], PTY));
    const client = attach(handlers, key);
    await until(() => client.text().includes("$ ") || client.text().includes("# "), "the prompt");
    const started = performance.now();
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 30_000 });
    expect(performance.now() - started).toBeLessThan(5_000);
    await client.done;
    expect(client.text()).not.toContain("job control");
  });

  test("a terminal that is stopped does not hold up the end for long", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["cat"])], PTY));
    const client = attach(handlers, key);
    await input(handlers, key, { offset: 0, data: "\x13" });
    await input(handlers, key, { offset: 1, data: "never shown\r" });
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1_000 });
    expect((await client.done).exits).toEqual([{ task: 0, exit: { code: 0, signal: 15 } }]);
  });
});
