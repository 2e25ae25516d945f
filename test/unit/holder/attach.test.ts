import { describe, expect, test } from "vitest";
import type { HolderStep } from "../../../src/protocol/holder.ts";
import {
  attach,
  call,
  context,
  ended,
  launch,
  openHolder,
  runToEnd,
  shell,
  stepKey,
  TestSink,
  TOKEN,
  task,
  until,
} from "./harness.ts";

describe("attach", () => {
  test("waits for a step that is still to be launched", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const client = attach(handlers, key);
    await call(handlers, "holder.launch", launch(key, [shell("echo here")]));
    await client.done;
    expect(client.text()).toBe("here\n");
  });

  test("a wrong token is refused, before and after the launch", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const early = attach(handlers, key, true, "wrong");
    await call(handlers, "holder.launch", launch(key, [shell("echo here")]));
    await expect(early.done).rejects.toMatchObject({ code: "BAD_TOKEN" });
    await expect(attach(handlers, key, true, "wrong").done).rejects.toMatchObject({ code: "BAD_TOKEN" });
    await attach(handlers, key).done;
  });

  test("a client that leaves while it waits is let go", async () => {
    const { handlers } = openHolder();
    const client = attach(handlers, stepKey());
    client.leave();
    await expect(client.done).rejects.toMatchObject({ code: "CANCELLED" });
  });

  test("the result waits for the last acknowledgement", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("echo here")]));
    await ended(handlers, key);
    const client = attach(handlers, key, false);
    let done = false;
    void client.done.then(() => {
      done = true;
    });
    await until(() => client.sink.items.length === 3, "all items");
    client.sink.acknowledge(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    client.sink.acknowledge();
    await client.done;
  });
});

describe("launch", () => {
  test("twice at once starts once", async () => {
    const { handlers, ports } = openHolder();
    const key = stepKey();
    const step = launch(key, [shell("echo x; sleep 1000")]);
    const [first, second] = await Promise.all([
      call(handlers, "holder.launch", step),
      call(handlers, "holder.launch", step),
    ]);
    expect(first).toEqual(second);
    expect(first.phase).toBe("running");
    expect(ports.table.find(`${key.jobId}.`).filter(({ pid, session }) => pid === session)).toHaveLength(1);
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    expect(await call(handlers, "holder.launch", step)).toMatchObject({ phase: "ended" });
  });
});

describe("watch", () => {
  test("tells the present steps first, then each change", async () => {
    const { handlers } = openHolder();
    const early = stepKey();
    await runToEnd(handlers, launch(early, [shell("exit 4")]));
    const sink = new TestSink<HolderStep>();
    const left = new AbortController();
    const watching = handlers["holder.watch"]({}, sink, context(left.signal));
    const late = stepKey();
    await runToEnd(handlers, launch(late, [shell("exit 5")]));
    await until(() => sink.items.length === 3, "three changes");
    expect(sink.items.map(({ key, phase, exits }) => [key.jobId, phase, exits[0]?.code])).toEqual([
      [early.jobId, "ended", 4],
      [late.jobId, "running", undefined],
      [late.jobId, "ended", 5],
    ]);
    left.abort();
    await expect(watching).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("forget and shutdown", () => {
  test("a running step is not forgotten, an unknown one is no error", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.forget", { key });
    await call(handlers, "holder.launch", launch(key, [task(["sleep", "1000"])]));
    await expect(call(handlers, "holder.forget", { key })).rejects.toMatchObject({ code: "BAD_PARAMS" });
    await call(handlers, "holder.release", { keys: [stepKey(), key] });
    expect(await call(handlers, "holder.status", {})).toMatchObject({ steps: [{ key, phase: "running" }] });
    expect(await call(handlers, "holder.shutdown", {})).toEqual({ ending: false });
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  });

  test("an idle holder ends, and launches nothing more", async () => {
    const { handlers, holder } = openHolder();
    await runToEnd(handlers, launch(stepKey(), [shell("exit 0")]));
    expect(await call(handlers, "holder.shutdown", {})).toEqual({ ending: true });
    await holder.ended;
    const step = launch(stepKey(), [shell("exit 0")]);
    await expect(call(handlers, "holder.launch", step)).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await expect(call(handlers, "step.resize", { key: step.key, token: TOKEN, columns: 1, rows: 1 })).rejects.toThrow();
  });
});
