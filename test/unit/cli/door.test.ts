/** Which way a client takes to a step on another machine. */

import { describe, expect, test } from "vitest";
import { Doors } from "../../../src/cli/attach/door.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Connected } from "../../../src/rpc/types.ts";
import { createSimTime } from "../../../src/sim/time.ts";

const POINT = {
  ...{ key: { jobId: 1, attempt: 1, stepId: 0 as const }, node: "n1", socket: "/s", token: "t", tasks: [0] },
};

const RELAY = { identity: "door/a/1", key: "1" };

/** Doors at a controller that says where the node listens; `dials` answers for each address. */
function doors(targets: readonly string[] | null, answers: Readonly<Record<string, string>>) {
  const time = createSimTime(0);
  const clock = time.clockFor(() => true);
  const dials: string[] = [];
  const closed: string[] = [];
  const connected = (name: string): Connected =>
    ({ peer: { close: () => void closed.push(name), closed: new Promise(() => {}) } }) as unknown as Connected;
  const call = async () => ({
    relay: RELAY,
    at: null,
    direct: targets && { targets, identity: "stream/b/1", key: "2" },
  });
  const controller = { peer: { call, closed: new Promise(() => {}) } } as unknown as Connected;
  const made = new Doors({
    clock,
    target: "gpu0:7411",
    connect: async () => controller,
    async dial(target, { identity }) {
      dials.push(`${identity} at ${target}`);
      const answer = answers[target];
      if (answer === "slow") await new Promise<void>((resolve) => clock.after(9000, resolve));
      else if (answer === "LOST_CONTACT") throw new RpcError("LOST_CONTACT", "");
      else if (answer !== undefined) throw Object.assign(new Error(answer), { code: answer });
      return connected(target);
    },
  });
  const open = async () => {
    const opening = made.open(POINT);
    let isOver = false;
    opening.then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true;
      },
    );
    for (let turn = 0; !isOver && turn < 100; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!isOver && turn > 5) time.advance();
    }
    return opening;
  };
  return { open, dials, closed, clock, time };
}

describe("the way to a step", () => {
  test("is straight where the node can be reached, at its second address too", async () => {
    const { open, dials } = doors(["10.0.0.3:7412", "gpu3:7412"], { "10.0.0.3:7412": "EHOSTUNREACH" });
    expect((await open()).way).toBe("straight to gpu3:7412");
    expect(dials).toEqual(["stream/b/1 at 10.0.0.3:7412", "stream/b/1 at gpu3:7412"]);
  });

  test("goes through the controller where it can't, and is not tried again", async () => {
    const { open, dials } = doors(["10.0.0.3:7412"], { "10.0.0.3:7412": "ECONNREFUSED" });
    const way = "through the controller at gpu0:7411: 10.0.0.3:7412 can't be reached (ECONNREFUSED)";
    expect([(await open()).way, (await open()).way]).toEqual([way, way]);
    expect(dials.filter((one) => one.startsWith("stream/"))).toHaveLength(1);
  });

  test("stays straight where the node is there, and the step's holder is not yet", async () => {
    const { open, dials } = doors(["10.0.0.3:7412"], { "10.0.0.3:7412": "LOST_CONTACT" });
    for (let tries = 1; tries < 10; tries++) await expect(open()).rejects.toMatchObject({ code: "LOST_CONTACT" });
    expect(dials).toHaveLength(9);
    expect((await open()).way).toContain("(LOST_CONTACT)");
  });

  test("is not waited for where a firewall says nothing; what comes late is closed", async () => {
    const { open, closed, clock, time } = doors(["10.0.0.3:7412"], { "10.0.0.3:7412": "slow" });
    expect((await open()).way).toMatch(/^through the controller .*: 10.0.0.3:7412 has not answered yet$/);
    expect(clock.monotonic()).toBe(1000);
    while (time.advance()) await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toEqual(["10.0.0.3:7412"]);
  });

  test("is the controller's where the node listens for nobody", async () => {
    expect((await doors(null, {}).open()).way).toBe("through the controller at gpu0:7411");
  });
});
