import { describe, expect, test } from "vitest";
import { Breaker, type Ending, endingOf } from "../../../src/controller/breaker.ts";
import { step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import type { NodeReport } from "../../../src/protocol/procedures.ts";
import { inventory, submit, T0 } from "../support/samples.ts";

let jobId = 0;

const death = (over: Partial<Ending> = {}): Ending => ({
  ...{ node: "n1", jobId: ++jobId, uid: 1000, program: `script ${jobId}`, isBatch: true, how: "badly", ranMs: 500 },
  isUsersHolder: false,
  ...over,
});

const breakerOf = (deaths = 3) => new Breaker(() => ({ deaths, withinMs: 10_000 }));

/** What the breaker says to each in turn: `true` for a drain. */
const told = (breaker: Breaker, endings: readonly Ending[]): boolean[] =>
  endings.map((one) => breaker.note(one) !== null);

describe("a node is drained for", () => {
  test("jobs that it could not start or keep, each counted once", () => {
    const breaker = breakerOf();
    const again = death({ how: "node" });
    expect(told(breaker, [again, again, again, death({ how: "node" }), death({ how: "node" })])).toEqual([
      ...[false, false, false, false],
      true,
    ]);
  });

  test("a script that dies here and lives elsewhere", () => {
    const breaker = breakerOf();
    const task = (node: string, how: Ending["how"]): Ending => death({ program: "sweep", node, how });
    expect(breaker.note(task("n2", "well"))).toBeNull();
    expect(told(breaker, [task("n1", "badly"), task("n1", "badly")])).toEqual([false, false]);
    expect(breaker.note(task("n1", "badly"))).toMatch(/^3 jobs in a row died within 10 s: \d+,\d+,\d+$/);
  });

  test("different scripts of several users", () => {
    const breaker = breakerOf();
    expect(told(breaker, [death(), death(), death({ uid: 1001 })])).toEqual([false, false, true]);
  });
});

describe("a node is not drained for", () => {
  test("one user's broken scripts, however many, or one script of several jobs", () => {
    const breaker = breakerOf();
    expect(
      told(
        breaker,
        Array.from({ length: 9 }, () => death()),
      ),
    ).not.toContain(true);
    const same = Array.from({ length: 9 }, () => death({ node: "n2", program: "same" }));
    expect(told(breaker, [...same, death({ node: "n2", uid: 1001, program: "other" })])).not.toContain(true);
  });

  test("one user's holder, however often it is lost or can't start", () => {
    const breaker = breakerOf();
    const lost = (uid: number): Ending => death({ how: "node", isUsersHolder: true, uid, program: `${uid} sweep` });
    // That it lived elsewhere makes it no surer.
    breaker.note(death({ node: "n2", how: "well", program: "1000 sweep" }));
    expect(
      told(
        breaker,
        Array.from({ length: 9 }, () => lost(1000)),
      ),
    ).not.toContain(true);
    expect(breaker.note(lost(1001))).toMatch(/^10 jobs in a row died/);
    // What is the node's own goes on to count, without the user's.
    const own = (): Ending => death({ how: "node", uid: 0, program: "0 sweep" });
    expect(told(breaker, [lost(1000), lost(1000), own(), own(), own()])).toEqual([false, false, false, false, true]);
  });

  test("a script that dies on other nodes too", () => {
    const breaker = breakerOf();
    const task = (node: string, how: Ending["how"]): Ending => death({ program: "sweep", node, how });
    const endings = [task("n2", "well"), task("n3", "badly"), ...Array.from({ length: 9 }, () => task("n1", "badly"))];
    expect(told(breaker, endings)).not.toContain(true);
  });

  test("jobs between which another one ended well or lived for a while, or after a resume", () => {
    const breaker = breakerOf();
    const bad = (): Ending => death({ how: "node" });
    expect(told(breaker, [bad(), bad(), death({ how: "well" }), bad(), bad()])).not.toContain(true);
    expect(told(breaker, [death({ ranMs: 60_000 }), bad(), bad()])).not.toContain(true);
    breaker.forget("n1");
    expect(told(breaker, [bad(), bad()])).not.toContain(true);
    expect(breaker.note(bad())).not.toBeNull();
  });

  test("anything where the breaker is off, nor what was lost after hours", () => {
    expect(
      told(
        breakerOf(0),
        Array.from({ length: 9 }, () => death({ how: "node" })),
      ),
    ).not.toContain(true);
    expect(
      told(
        breakerOf(),
        Array.from({ length: 9 }, () => death({ how: "node", ranMs: 1e7 })),
      ),
    ).not.toContain(true);
  });
});

describe("what a report says of its node", () => {
  const running = () => {
    const state = emptyState();
    step(state, { type: "node.register", node: "n1", inventory: inventory() }, T0);
    step(state, submit("a"), T0);
    const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }];
    step(state, { type: "job.allocate", jobId: 1, taskId: null, allocation }, T0);
    return state;
  };
  const key = { jobId: 1, attempt: 1, stepId: "batch" } as const;
  const ended = (code: number, more: object = {}): NodeReport => ({
    ...{ type: "ended", key, exits: [{ code, signal: 0 }], problem: "", clean: true },
    ...more,
  });

  test("how the script ended, and after what time", () => {
    const how = (report: NodeReport) => endingOf(running(), "n1", report, T0 + 400, false)?.how;
    expect([how(ended(0)), how(ended(1)), how(ended(1, { nodeFault: true }))]).toEqual(["well", "badly", "node"]);
    expect(how({ type: "lost", key, cause: "its holder is gone" })).toBe("node");
    expect(endingOf(running(), "n1", ended(1), T0 + 400, false)).toMatchObject({
      jobId: 1,
      uid: 1000,
      ranMs: 400,
      node: "n1",
    });
  });

  test("whether it went through a holder of its user", () => {
    const isUsers = (isShared: boolean) => endingOf(running(), "n1", ended(1), T0, isShared)?.isUsersHolder;
    expect([isUsers(true), isUsers(false)]).toEqual([true, false]);
  });

  test("nothing of steps within it, other attempts, what was killed for its memory, or cancelled", () => {
    const state = running();
    expect(endingOf(state, "n1", ended(1, { key: { ...key, stepId: 0 } }), T0, false)).toBeNull();
    expect(endingOf(state, "n1", ended(1, { key: { ...key, attempt: 2 } }), T0, false)).toBeNull();
    expect(endingOf(state, "n1", ended(1, { outOfMemory: true }), T0, false)).toBeNull();
    step(state, { type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" }, T0);
    expect(endingOf(state, "n1", ended(1), T0, false)).toBeNull();
  });
});
