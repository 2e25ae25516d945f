/** How a session within a job of Slurm's ends: for its client's sake, and before Slurm kills all of the job. */

import { expect, test } from "vitest";
import type { HolderProcess } from "../../../src/node/holder/start.ts";
import { holdSession } from "../../../src/node/slurm-session.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import type { HolderStep } from "../../../src/protocol/holder.ts";

const ORDER = { argv: ["bash"], columns: 80, rows: 24, isOwnJob: true };
const PLACE = { cluster: "c", jobId: 7, attempt: 1, stepId: 0, node: "n1", socket: "/s", token: "t", startAt: 0 };
const KEY = { jobId: 7, attempt: 1, stepId: 0 };

/** A session; `until` says what happens as time goes by. Answers with how it ended, and after how many milliseconds. */
async function session(
  peers: { now: number; ever: number },
  until: (atMs: number, world: { end(code: number, signal?: number): void; tell(): void; collect(): void }) => void,
  state = "COMPLETING",
) {
  let nowMs = 0;
  let isCollected = false;
  let told = (): void => {};
  let sayEnded: (step: HolderStep) => void = () => {};
  const end = (code: number, signal = 0): void =>
    sayEnded({ key: KEY, phase: "ended", exits: [{ code, signal }], problem: "", clean: true });
  const collect = (): void => {
    isCollected = true;
  };
  const onTold = (call: () => void): void => {
    told = call;
  };
  const world = { end, tell: () => told(), collect };
  const waiting: { atMs: number; call: () => void }[] = [];
  const clock = {
    monotonic: () => nowMs,
    now: () => nowMs,
    after(ms: number, call: () => void) {
      waiting.push({ atMs: nowMs + ms, call });
      return () => {};
    },
  } as unknown as Clock;
  const asked: string[] = [];
  const holder = {
    peers: () => peers,
    handlers: {
      "holder.launch": async () => ({}),
      "holder.forget": async () => ({}),
      "holder.status": async () => ({ steps: isCollected ? [] : [{}] }),
      "holder.terminate": async ({ killWaitMs }: { killWaitMs: number }) => {
        asked.push(`killed after ${nowMs + killWaitMs} ms`);
        end(0, 9);
      },
      "holder.watch": (_params: object, sink: { send(step: HolderStep): Promise<void> }) => {
        sayEnded = (step) => void sink.send(step);
        return new Promise(() => {});
      },
    },
  } as unknown as HolderProcess;
  const ports = {
    ...{ clock, tell: () => {}, onTold },
    scontrol: async (_show: string, what: string) =>
      what === "config" ? "KillWait  = 10 sec\n" : `x JobState=${state} y`,
  };
  let ended: { code: number } | null = null;
  const start = { workDir: "/", environment: {} };
  void holdSession(ports, holder, { order: ORDER, place: null }, PLACE, start).then((how) => {
    ended = how;
  });
  for (; nowMs < 120_000; nowMs += 50) {
    await new Promise((resolve) => setImmediate(resolve));
    until(nowMs, world);
    for (const one of waiting.splice(0)) {
      if (one.atMs <= nowMs) one.call();
      else waiting.push(one);
    }
    if (ended !== null) break;
  }
  return { code: (ended as { code: number } | null)?.code, asked, atMs: nowMs };
}

test("its program's last words are waited for as long as a client is likely to want them", async () => {
  const ends = (atMs: number, { end }: { end(code: number): void }): void => {
    if (atMs === 1000) end(5);
  };
  const nobodyYet = await session({ now: 0, ever: 0 }, ends);
  expect(nobodyYet.code).toBe(5);
  expect(nobodyYet.atMs).toBeGreaterThan(30_000);
  expect((await session({ now: 0, ever: 1 }, ends)).atMs).toBeLessThan(3000);
  const attached = await session({ now: 1, ever: 1 }, (atMs, world) => {
    ends(atMs, world);
    if (atMs === 4000) world.collect();
  });
  expect(attached.atMs).toBeGreaterThan(4000);
  expect(attached.atMs).toBeLessThan(7000);
});

test("a shell that does not end when it is told to is killed while its client can still hear of it", async () => {
  const { code, asked } = await session({ now: 0, ever: 1 }, (atMs, { tell }) => {
    if (atMs === 1000 || atMs === 1100) tell();
  });
  expect(code).toBe(137);
  expect(asked).toHaveLength(1);
  const ms = Number(/\d+/.exec(asked[0] ?? "")?.[0]);
  expect(ms).toBeGreaterThanOrEqual(9000);
  expect(ms).toBeLessThan(10_500);
});

test("a signal for the program alone kills nothing", async () => {
  const { asked, code } = await session(
    { now: 0, ever: 1 },
    (atMs, { tell, end }) => {
      if (atMs === 1000) tell();
      if (atMs === 60_000) end(0);
    },
    "RUNNING",
  );
  expect(asked).toEqual([]);
  expect(code).toBe(0);
});
