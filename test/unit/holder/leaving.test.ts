/** How a holder ends: never with something running, and never stays for nothing. */

import { afterEach, describe, expect, test } from "vitest";
import { createHolder, type Holder } from "../../../src/node/holder/holder.ts";
import type { Log } from "../../../src/platform/log.ts";
import { call, launch, stepKey, task } from "./harness.ts";
import { hurriedClock } from "./hurried-clock.ts";
import { realPorts } from "./ports.ts";

const holders: Holder[] = [];
afterEach(() => {
  for (const holder of holders.splice(0)) holder.close();
});

let scopes = 0;

function open() {
  const said: string[] = [];
  const note = (message: string): void => void said.push(message);
  const log: Log = { debug() {}, info: note, warn: note, error: note };
  const ports = realPorts(`leaving-${process.pid}-${scopes++}`);
  const clock = hurriedClock(ports.clock);
  const holder = createHolder({ ...ports, clock, log });
  holders.push(holder);
  let isOver = false;
  void holder.ended.then(() => {
    isOver = true;
  });
  return { ...holder, said, isOver: () => isOver, hurry: () => clock.hurry() };
}

const sleeper = (key = stepKey()) => launch(key, [task(["sleep", "1000"])]);
const STAYS = "steps run here: staying until they have ended";

describe("told to leave", () => {
  test("with nothing running it ends", async () => {
    const holder = open();
    holder.leaving.leave("SIGTERM");
    await holder.ended;
    await expect(call(holder.handlers, "holder.launch", sleeper())).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });

  test("with a step running it says why it stays, and ends after it", async () => {
    const holder = open();
    const key = stepKey();
    await call(holder.handlers, "holder.launch", sleeper(key));
    holder.leaving.leave("SIGTERM");
    await holder.hurry();
    expect([holder.isOver(), holder.said.includes(STAYS)]).toEqual([false, true]);
    await call(holder.handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    await holder.ended;
  });

  test("it stays after all if something is launched", async () => {
    const holder = open();
    const first = stepKey();
    const second = stepKey();
    await call(holder.handlers, "holder.launch", sleeper(first));
    holder.leaving.leave("SIGTERM");
    await call(holder.handlers, "holder.launch", sleeper(second));
    for (const { jobId } of [first, second]) {
      await call(holder.handlers, "holder.terminate", { jobId, attempt: 1, killWaitMs: 1000 });
    }
    await holder.hurry();
    expect(holder.isOver()).toBe(false);
  });
});

describe("asked by the node daemon", () => {
  test("for good while a step runs: refuses, and ends after it by itself", async () => {
    const holder = open();
    const key = stepKey();
    await call(holder.handlers, "holder.launch", sleeper(key));
    expect(await call(holder.handlers, "holder.shutdown", { discard: true })).toEqual({ ending: false });
    expect(holder.said).toContain(STAYS);
    await call(holder.handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    await holder.ended;
  });

  test("in passing while a step runs: stays as it is", async () => {
    const holder = open();
    const key = stepKey();
    await call(holder.handlers, "holder.launch", sleeper(key));
    expect(await call(holder.handlers, "holder.shutdown", {})).toEqual({ ending: false });
    expect(holder.said).not.toContain(STAYS);
    await call(holder.handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  });
});

test("without company it ends only if there is nothing that anybody could want", async () => {
  const holder = open();
  const key = stepKey();
  await call(holder.handlers, "holder.launch", sleeper(key));
  holder.leaving.leaveIfUseless();
  await call(holder.handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  holder.leaving.leaveIfUseless();
  await holder.hurry();
  expect(holder.isOver(), "nobody has heard how the step ended").toBe(false);
  const idle = open();
  idle.leaving.leaveIfUseless();
  await idle.ended;
});
