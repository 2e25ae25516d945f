import { describe, expect, test } from "vitest";
import { type InputTarget, StepInput } from "../../../src/node/holder/step-input.ts";
import { attach, call, input, launch, openHolder, shell, stepKey, task, until } from "./harness.ts";

const CLIENT = { stdin: { from: "client" } } as const;

describe("with real programs", () => {
  test("one input goes to all tasks; the end closes it", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const tasks = [0, 1, 2].map((number) => task(["cat"], { task: number, ...CLIENT }));
    await call(handlers, "holder.launch", launch(key, tasks));
    const client = attach(handlers, key);
    await input(handlers, key, { offset: 0, data: "hello " });
    await input(handlers, key, { offset: 6, data: "all\n", eof: true });
    await client.done;
    for (const number of [0, 1, 2]) expect(client.text(number)).toBe("hello all\n");
  });

  test("input for one task, and a task without input beside it", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const tasks = [task(["cat"], CLIENT), task(["cat"], { task: 1, ...CLIENT }), task(["cat"], { task: 2 })];
    await call(handlers, "holder.launch", launch(key, tasks));
    const client = attach(handlers, key);
    await input(handlers, key, { task: 1, offset: 0, data: "only one", eof: true });
    await input(handlers, key, { task: 0, offset: 0, eof: true });
    await client.done;
    expect([0, 1, 2].map((number) => client.text(number))).toEqual(["", "only one", ""]);
  });

  test("a repeated part is dropped, a gap is refused", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["cat"], CLIENT)]));
    const client = attach(handlers, key);
    await input(handlers, key, { offset: 0, data: "abc" });
    await input(handlers, key, { offset: 0, data: "abc" });
    await input(handlers, key, { offset: 1, data: "bcdef" });
    await expect(input(handlers, key, { offset: 7, data: "x" })).rejects.toMatchObject({ code: "BAD_PARAMS" });
    await input(handlers, key, { offset: 6, eof: true });
    await client.done;
    expect(client.text()).toBe("abcdef");
  });

  test("2 MB pass exactly, each part answered when there is room", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(
      handlers,
      "holder.launch",
      launch(key, [task(["sha256sum"], CLIENT), task(["wc", "-c"], { task: 1, ...CLIENT })]),
    );
    const client = attach(handlers, key);
    const part = Buffer.alloc(100_000, "0123456789");
    for (let offset = 0; offset < 2_000_000; offset += part.length) await input(handlers, key, { offset, data: part });
    await input(handlers, key, { offset: 2_000_000, eof: true });
    await client.done;
    expect(client.text(1).trim()).toBe("2000000");
  });

  test("a program that does not read delays the answer, and a flood is refused", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("read -r go </dev/tty || sleep 1000", CLIENT)]));
    let answered = false;
    const gaveUp = new AbortController();
    const waiting = input(handlers, key, { offset: 0, data: Buffer.alloc(900_000) }, gaveUp.signal).then(() => {
      answered = true;
    });
    const flood = input(handlers, key, { offset: 900_000, data: Buffer.alloc(900_000) });
    await expect(flood).rejects.toMatchObject({ code: "TOO_MANY_CALLS" });
    expect(answered).toBe(false);
    gaveUp.abort();
    await waiting;
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  });

  test("a task that closed its input ignores the rest; when none reads, the client is told", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const tasks = [shell("exec <&-; echo closed; sleep 1000", CLIENT), task(["cat"], { task: 1, ...CLIENT })];
    await call(handlers, "holder.launch", launch(key, tasks));
    const client = attach(handlers, key);
    await until(() => client.text() === "closed\n", "the task closes its input");
    await input(handlers, key, { offset: 0, data: "one " });
    await input(handlers, key, { offset: 4, data: "two", eof: true });
    await until(() => client.text(1) === "one two", "the other task's input");
    await until(
      () =>
        input(handlers, key, { offset: 7, data: "more" }).then(
          () => false,
          (error) => error.code === "INPUT_CLOSED",
        ),
      "nobody reads any more",
    );
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  });

  test("who doesn't know the step or its token sends nothing", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const none = { key, task: null, offset: 0, data: Buffer.from("x"), eof: false };
    await expect(call(handlers, "step.input", { ...none, token: "t" })).rejects.toMatchObject({ code: "UNKNOWN_STEP" });
    await call(handlers, "holder.launch", launch(key, [task(["cat"], CLIENT)]));
    await expect(call(handlers, "step.input", { ...none, token: "t" })).rejects.toMatchObject({ code: "BAD_TOKEN" });
    await input(handlers, key, { offset: 0, eof: true });
    await attach(handlers, key).done;
  });
});

describe("with a target that is full", () => {
  test("all that wait are answered together", async () => {
    const target: InputTarget = { write: () => false, end: () => {}, close: () => {}, closed: false, onRoom: null };
    const steps = new StepInput();
    steps.addTarget(0, target);
    const never = new AbortController().signal;
    let answers = 0;
    const send = (offset: number) =>
      steps.accept({ task: null, offset, data: new Uint8Array(10), eof: false }, never).then(() => answers++);
    const both = [send(0), send(10)];
    await Promise.resolve();
    expect(answers).toBe(0);
    target.onRoom?.();
    await Promise.all(both);
    expect(answers).toBe(2);
  });
});
