/** What root's daemon does itself to end a user's steps, whatever the user's holder does. */

import { beforeEach, describe, expect, it } from "vitest";
import type { AgentContext } from "../../../src/node/agent-context.ts";
import { endSurely, holdersTimeOver, isGoneIndeed } from "../../../src/node/user-end.ts";
import type { StepProcess } from "../../../src/platform/proctable.ts";
import { createHandClock, type HandClock } from "./hand-clock.ts";

const ADA = { uid: 1000, gid: 100, name: "ada" };
const KILL_WAIT_MS = 2000;
const OVER_MS = KILL_WAIT_MS + 30_000;

let clock: HandClock;
let living: StepProcess[];
let done: string[];
let isStubborn: boolean;
beforeEach(() => {
  clock = createHandClock();
  living = ["7.1.0", "7.1.batch", "7.10.0"].map((step, at) => ({
    pid: 50 + at,
    startTicks: 1,
    parent: 1,
    session: 1,
    step,
  }));
  done = [];
  isStubborn = false;
});

function context(): AgentContext {
  const log = { debug() {}, info() {}, warn() {}, error: (message: string) => void done.push(message) };
  const processes = {
    find: (prefix: string) => living.filter(({ step }) => step.startsWith(prefix)),
    kill({ pid }: StepProcess): void {
      done.push(`kill ${pid}`);
      if (!isStubborn) living = living.filter((one) => one.pid !== pid);
    },
  };
  return { clock, log, processes, killWaitMs: KILL_WAIT_MS } as unknown as AgentContext;
}

/** How it ends, and when. */
async function outcome(order: () => Promise<void>, user: typeof ADA | null = ADA, name = "7.1"): Promise<string> {
  const all = context();
  const holder = { identity: { socket: "h", pid: 9 }, kill: () => void done.push("kill holder") };
  const end = {
    user: user ?? undefined,
    name,
    overAt: holdersTimeOver(all, user ?? undefined),
    holders: () => [holder as never],
  };
  let ended = "waits";
  const since = clock.monotonic();
  endSurely(all, end, order).then(
    () => {
      ended = `ended at ${clock.monotonic() - since}`;
    },
    (error: Error) => {
      ended = error.message;
    },
  );
  await clock.advance(OVER_MS * 2);
  return ended;
}

const never = (): Promise<void> => new Promise(() => {});
const KILLED = "a user's holder does not do what it is told; it is killed";

describe("the end of a user's job", () => {
  it("is seen to by root where the holder says that all is gone and it is not", async () => {
    expect(await outcome(async () => {})).toBe("ended at 50");
    expect(done).toEqual(["kill 50", "kill 51"]);
    expect(living.map(({ step }) => step)).toEqual(["7.10.0"]);
  });

  it("means one step where one is meant", async () => {
    await outcome(async () => {}, ADA, "7.1.0");
    expect(done).toEqual(["kill 50"]);
  });

  it("does not wait for ever for a holder that is stopped", async () => {
    expect(await outcome(never)).toBe(`ended at ${OVER_MS + 50 + 5000}`);
    expect(done).toEqual(["kill 50", "kill 51", KILLED, "kill holder"]);
  });

  it("spares a holder that waited for a process only, and says what can't be killed", async () => {
    isStubborn = true;
    expect(await outcome(never)).toBe("process 50 of 7.1 can't be killed");
    expect(done).not.toContain("kill holder");
    done = [];
    isStubborn = false;
    const untilGone = async (): Promise<void> => {
      while (living.length > 1) await new Promise<void>((resolve) => clock.after(1000, resolve));
    };
    await outcome(untilGone);
    expect(done).toEqual(["kill 50", "kill 51"]);
  });

  it("is tried again with the next holder, as long as there is time", async () => {
    const fail = () => Promise.reject(new Error("gone"));
    expect(await outcome(fail)).toBe("gone");
    expect(done).toEqual([]);
    expect(
      await outcome(() => new Promise((_, reject) => clock.after(OVER_MS, () => reject(new Error("gone"))))),
    ).toMatch(/^ended at /);
    expect(done).toEqual(["kill 50", "kill 51", KILLED, "kill holder"]);
  });

  it("of the daemon's own user is its holder's, however long that takes", async () => {
    expect(await outcome(never, null)).toBe("waits");
    expect(done).toEqual([]);
  });
});

it("a user's step is over when root finds nothing of it", () => {
  const key = { jobId: 7, attempt: 1, stepId: 0 } as const;
  const record = (user?: typeof ADA) => ({ key, ...(user ? { user } : {}) }) as never;
  expect([isGoneIndeed(context(), record(ADA)), isGoneIndeed(context(), record())]).toEqual([false, true]);
  living = [];
  expect(isGoneIndeed(context(), record(ADA))).toBe(true);
});
