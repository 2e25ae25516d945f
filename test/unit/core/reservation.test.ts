/** Reservations: made, kept by the scheduler, over, and back again. */

import { describe, expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import type { Command } from "../../../src/core/commands.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import { type Outcome, replay, step } from "../../../src/core/kernel.ts";
import { nextTime, type Reservation } from "../../../src/core/reservation.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { gateOf } from "../../../src/sched/eligible.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { inventory, request, spec, submit, T0 } from "../support/samples.ts";

const MIN = 60_000;
const DAY = 86_400_000;
const root = { uid: 0, name: "root" };
const bob = { uid: 1001, gid: 1001, name: "bob" };

/** Of n1 for ada, from +10 to +20 minutes. */
function reservation(over: Partial<Reservation> = {}): Reservation {
  const when = { startAt: T0 + 10 * MIN, endAt: T0 + 20 * MIN };
  return {
    name: "r",
    ...when,
    nodes: ["n1"],
    users: ["ada"],
    accounts: [],
    partition: null,
    flags: [],
    by: root,
    ...over,
  };
}

function cluster() {
  const state = emptyState();
  const records: NonNullable<Outcome["record"]>[] = [];
  let now = T0;
  const run = (command: Command): Outcome => {
    const outcome = step(state, command, now);
    if (outcome.record) records.push(outcome.record);
    expect(checkInvariants(state)).toEqual([]);
    return outcome;
  };
  for (const node of ["n1", "n2"]) run({ type: "node.register", node, inventory: inventory() });
  let count = 0;
  const add = (over: Parameters<typeof submit>[1] = {}): Outcome["decision"] => {
    count += 1;
    return run(submit(`r${count}`, over)).decision;
  };
  const create = (over: Partial<Reservation> = {}, nodeCount = 0): Outcome["decision"] =>
    run({ type: "reservation.create", reservation: reservation(over), nodeCount }).decision;
  const plan = () =>
    schedule(
      viewOf(state, () => true, now),
      now,
    );
  const start = (): string[] =>
    plan().starts.map(({ jobId, allocation, taskId }) => {
      run({ type: "job.allocate", jobId, taskId, allocation });
      return `${jobId}:${allocation.map(({ node }) => node)}`;
    });
  const reason = (id: number): string => {
    const job = state.jobs.get(id);
    if (job?.state !== "PENDING") throw new Error(`job ${id} does not wait`);
    return gateOf(state, now).waitReason(job)?.reason.word ?? plan().reasons.get(id)?.word ?? "Priority";
  };
  const pass = (ms: number): void => {
    now += ms;
  };
  return { state, records, run, add, create, start, reason, pass, now: () => now };
}

describe("making one", () => {
  test.each<[Partial<Reservation>, number, string]>([
    [{ nodes: ["zz"] }, 0, "Invalid node name specified"],
    [{ endAt: T0 + MIN }, 0, "Invalid time specification"],
    [{ users: [] }, 0, "Either Users and/or Accounts must be specified"],
    [{ partition: "zz" }, 0, "Invalid partition name specified"],
    [{}, 3, "Requested nodes are busy"],
    [{ name: "a" }, 0, "Duplicate reservation name"],
    [{ startAt: T0 + 15 * MIN, endAt: T0 + 40 * MIN }, 0, "Requested reservation overlaps with another reservation"],
  ])("%j %i is refused", (over, nodeCount, message) => {
    const { create } = cluster();
    expect(create({ name: "a" }).kind).toBe("accept");
    expect(create(over, nodeCount)).toMatchObject({ kind: "deny", denial: { message } });
  });
  test("nodes are picked that are free then; running jobs are in the way unless ignored", () => {
    const { create, add, start, state } = cluster();
    add({ request: request({ nodeList: ["n1"] }) });
    expect(start()).toEqual(["1:n1"]);
    expect(create()).toMatchObject({ denial: { code: "NODE_BUSY" } });
    expect(create({ name: "p", nodes: [] }, 1).kind).toBe("accept");
    expect(state.reservations.get("p")?.nodes).toEqual(["n2"]);
    expect(create({ name: "i", flags: ["IGNORE_JOBS"] }).kind).toBe("accept");
    expect(create({ name: "o", nodes: ["n2"], flags: ["OVERLAP"] }).kind).toBe("accept");
  });
});

describe("keeping one", () => {
  test("no job of others runs into it; its own wait for it, and run only there", () => {
    const { create, add, start, reason, pass } = cluster();
    create();
    const wide = request({ cpusPerTask: 8 });
    add({ timeLimitS: 3600, request: wide });
    add({ timeLimitS: 300, request: wide });
    add({ timeLimitS: 0, request: request({ nodeList: ["n1"] }) });
    add({ timeLimitS: 60, reservation: "r" });
    expect(start()).toEqual(["1:n2", "2:n1"]);
    expect(reason(3)).toBe("ReqNodeNotAvail");
    expect(reason(4)).toBe("Reservation");
    pass(10 * MIN);
    expect(reason(4)).toBe("Resources");
    expect(start()).toEqual([]);
  });
  test("only those that it is for, and root", () => {
    const { create, add } = cluster();
    create({ accounts: ["lab"] });
    expect(add({ user: bob, reservation: "r" })).toMatchObject({
      denial: { message: "Access denied to requested reservation" },
    });
    expect(add({ user: bob, account: "lab", reservation: "r" }).kind).toBe("accept");
    expect(add({ user: { uid: 0, gid: 0, name: "root" }, reservation: "r" }).kind).toBe("accept");
    expect(add({ reservation: "zz" })).toMatchObject({ denial: { message: "Requested reservation is invalid" } });
  });
  test("the second look refuses what was reserved since", () => {
    const { create, add, run } = cluster();
    add();
    create();
    const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }];
    expect(run({ type: "job.allocate", jobId: 1, taskId: null, allocation }).decision).toMatchObject({
      denial: { message: "n1: reserved for r" },
    });
  });
});

describe("its end", () => {
  test("ends what runs in it; jobs that wait are told; deleting is refused while something runs", () => {
    const { create, add, start, reason, pass, run, state, records } = cluster();
    create();
    add({ reservation: "r" });
    pass(10 * MIN);
    expect(start()).toEqual(["1:n1"]);
    add({ reservation: "r" });
    expect(run({ type: "reservation.delete", name: "r" }).decision).toMatchObject({
      denial: { message: "Requested reservation is in use" },
    });
    expect(run({ type: "reservation.expire", name: "r" }).decision.kind).toBe("ignore");
    pass(10 * MIN);
    run({ type: "reservation.expire", name: "r" });
    expect(state.jobs.get(1)).toMatchObject({ state: "TIMEOUT", cause: "reservation r is over" });
    expect(reason(2)).toBe("ReservationDeleted");
    const again = emptyState();
    replay(again, records);
    expect(toStored(again)).toEqual(toStored(state));
  });
  test("ends each component of a heterogeneous job once", () => {
    const { create, pass, run, state, records } = cluster();
    create();
    const own = spec({ reservation: "r" });
    run({ type: "job.submit", requestId: "h", spec: own, followers: [own] });
    pass(10 * MIN);
    const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }];
    run({ type: "job.allocate", jobId: 1, taskId: null, allocation, followers: [{ jobId: 2, allocation }] });
    pass(10 * MIN);
    run({ type: "reservation.expire", name: "r" });
    expect([...state.jobs.values()].map((job) => job.state)).toEqual(["TIMEOUT", "TIMEOUT"]);
    expect(records.at(-1)?.events.filter(({ type }) => type === "job.ended")).toHaveLength(2);
  });
  test("a flexible one ends nothing, and its jobs may go elsewhere", () => {
    const { create, add, start, pass, run, state } = cluster();
    create({ flags: ["FLEX"] });
    pass(10 * MIN);
    for (const _ of [1, 2]) add({ reservation: "r", request: request({ cpusPerTask: 8 }) });
    expect(start()).toEqual(["1:n1", "2:n2"]);
    pass(10 * MIN);
    run({ type: "reservation.expire", name: "r" });
    expect(state.jobs.get(1)?.state).toBe("RUNNING");
  });
  test("a daily one comes back, past days that nobody saw; a snapshot keeps it", () => {
    const { create, pass, run, state } = cluster();
    create({ flags: ["DAILY"] });
    pass(3 * DAY);
    run({ type: "reservation.expire", name: "r" });
    expect(state.reservations.get("r")).toMatchObject({ startAt: T0 + 10 * MIN + 3 * DAY });
    expect(fromStored(toStored(state)).reservations).toEqual(state.reservations);
  });
  test("working days and weekends", () => {
    const friday = reservation({ startAt: Date.UTC(2026, 10, 20, 9), endAt: Date.UTC(2026, 10, 20, 10) });
    const next = (flags: Reservation["flags"]): string | undefined => {
      const found = nextTime({ ...friday, flags }, friday.endAt);
      return found ? new Date(found.startAt).toISOString().slice(0, 13) : undefined;
    };
    expect(next(["WEEKDAY"])).toBe("2026-11-23T09");
    expect(next(["WEEKEND"])).toBe("2026-11-21T09");
    // Ten hours ahead of UTC, Friday 15:00 is Saturday 01:00.
    const late = { ...friday, startAt: friday.startAt + 6 * 3_600_000, endAt: friday.endAt + 6 * 3_600_000 };
    const ahead = nextTime({ ...late, flags: ["WEEKEND"], utcOffsetMinutes: 600 }, late.endAt);
    expect(new Date(ahead?.startAt ?? 0).toISOString().slice(0, 13)).toBe("2026-11-21T15");
    const weekday = nextTime({ ...late, flags: ["WEEKDAY"], utcOffsetMinutes: 600 }, late.endAt);
    expect(new Date(weekday?.startAt ?? 0).toISOString().slice(0, 13)).toBe("2026-11-22T15");
    expect(next(["WEEKLY"])).toBe("2026-11-27T09");
    expect(next(["HOURLY"])).toBe("2026-11-20T10");
    expect(next([])).toBeUndefined();
  });
});
