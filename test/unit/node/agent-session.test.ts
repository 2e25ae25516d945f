import { beforeEach, describe, expect, it } from "vitest";
import { RpcError } from "../../../src/protocol/errors.ts";
import { runLaunch } from "./sample-launch.ts";
import { World } from "./world.ts";

const CONTEXT = {} as never;

function job(jobId: number) {
  return runLaunch({ key: { jobId, attempt: 1, stepId: 0 } });
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe("the session", () => {
  it("introduces the node with its machine and its holder", async () => {
    await world.start();
    expect(world.controller.registrations).toEqual([
      {
        name: "n1",
        pid: 7,
        startedAt: world.clock.now(),
        inventory: expect.objectContaining({ hostname: "n1", cpus: 8 }),
        holder: { socket: "/run/holder.sock", pid: 100, version: "1", startedAt: world.clock.now() },
        starts: [],
      },
    ]);
  });

  it("is made again for ever, with pauses that double up to five seconds", async () => {
    world.controller.down = "ECONNREFUSED";
    await world.start();
    const dials: number[] = [];
    for (let tries = 1; tries < 10; tries++) {
      const before = world.clock.monotonic();
      await world.clock.until(() => world.controller.dials > tries, 60_000);
      dials.push(world.clock.monotonic() - before);
    }
    expect(dials).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(world.complaints).toHaveLength(1);
    world.controller.down = "";
    await world.clock.advance(5000);
    expect(world.controller.connected).toBe(true);
    world.controller.hangUp();
    await world.clock.advance(100);
    expect(world.controller.connected).toBe(true);
  });

  it("does not keep a connection on which it was not let in", async () => {
    world.controller.registerError = new RpcError("STORAGE", "disk full");
    await world.start();
    expect([world.controller.dials, world.controller.connected]).toEqual([1, false]);
    world.controller.registerError = null;
    await world.clock.advance(200);
    expect(world.controller.connected).toBe(true);
  });

  it("gives signs of life, and is made again when none come back", async () => {
    await world.start();
    await world.clock.advance(21_000);
    expect(world.controller.pings).toHaveLength(4);
    expect(world.controller.registrations).toHaveLength(1);
    world.controller.answersPings = false;
    // At most one interval until the ping, and three until it is given up.
    await world.clock.advance(4 * 5000 + 100);
    expect(world.controller.registrations).toHaveLength(2);
  });

  it("registers anew after each loss and is told again what to do", async () => {
    world.controller.orders = false;
    await world.start();
    world.controller.want(job(7));
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual([]);
    world.controller.orders = true;
    world.controller.hangUp();
    await world.clock.advance(200);
    expect(world.controller.registrations).toHaveLength(2);
    expect(world.machine.runs).toEqual(["7.1.0"]);
  });
});

describe("reports", () => {
  it("wait for a connection, in order, without starts of what has ended", async () => {
    await world.start();
    world.controller.losesAnswers = true;
    world.controller.want(job(1));
    world.controller.want(job(2));
    await world.clock.advance(10);
    world.controller.down = "ECONNREFUSED";
    world.controller.hangUp();
    world.machine.finish(job(2).key);
    await world.clock.advance(10);
    world.controller.reports.length = 0;
    world.controller.losesAnswers = false;
    world.controller.down = "";
    await world.clock.advance(10_000);
    expect(world.controller.reports).toEqual(["started 1.1.0", "ended 2.1.0 0:0 clean"]);
  });

  it("go again when the answer was lost", async () => {
    await world.start();
    world.controller.losesAnswers = true;
    world.controller.want(job(1));
    await world.clock.advance(10);
    world.machine.finish(job(1).key);
    await world.clock.advance(10);
    world.controller.losesAnswers = false;
    world.controller.hangUp();
    await world.clock.advance(200);
    expect(world.controller.reports).toEqual(["started 1.1.0", "started 1.1.0", "ended 1.1.0 0:0 clean"]);
    expect(await world.spool()).toEqual([]);
  });

  it("are tried again after a refusal that may pass", async () => {
    await world.start();
    world.controller.reportError = new RpcError("STORAGE", "disk full");
    const { key } = job(1);
    const one = world.controller.want(job(1));
    await world.clock.advance(5000);
    expect([one.phase, world.controller.connected]).toEqual(["launching", true]);
    world.controller.reportError = null;
    await world.clock.advance(2000);
    expect(world.controller.reports).toContain("started 1.1.0");
    world.machine.finish(key);
    await world.clock.advance(10);
    expect(one.outcome).toBe("0:0");
  });

  it("that can't be read are set aside, so that others pass; the next connection tries again", async () => {
    await world.start();
    world.controller.reportError = new RpcError("BAD_PARAMS", "what?");
    world.controller.want(job(1));
    await world.clock.advance(10);
    world.controller.reportError = null;
    world.controller.want(job(2));
    await world.clock.advance(10);
    expect(world.controller.reports).toEqual(["started 2.1.0"]);
    world.controller.hangUp();
    await world.clock.advance(200);
    expect(world.controller.reports).toEqual(["started 2.1.0", "started 1.1.0"]);
  });

  it("of a burst go in few calls, in the order of what happened", async () => {
    await world.start();
    const { node } = world.controller;
    const ids = Array.from({ length: 300 }, (_, at) => at + 1);
    await Promise.all(ids.map((id) => node["node.launch"](job(id), CONTEXT)));
    await world.clock.advance(10);
    for (const id of ids) world.machine.finish(job(id).key);
    await world.clock.advance(10);
    for (const id of ids) {
      const mine = world.controller.reports.filter((report) => report.includes(` ${id}.1.0`));
      expect(mine.at(-1)).toBe(`ended ${id}.1.0 0:0 clean`);
    }
    expect(new Set(world.machine.runs).size).toBe(300);
    expect(await world.spool()).toEqual([]);
  });
});
