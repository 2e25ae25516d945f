/** A connection that is made again: how long it is sought. */

import { expect, test } from "vitest";
import { Link } from "../../../src/cli/attach/link.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { connected, fakeContext, fakePeer } from "./fake-context.ts";

test("a far connection that answers no more is left, and the loss is told; a near one is not asked", async () => {
  for (const isFar of [true, false]) {
    const { clock } = fakeContext();
    const said: string[] = [];
    let pings = 0;
    const silent = fakePeer({
      "controller.status": () => new Promise(() => {}),
      ping: (_, { deadlineMs }) => {
        pings++;
        return new Promise((_resolve, reject) => {
          clock.after(deadlineMs ?? 0, () => reject(new RpcError("DEADLINE", "no answer")));
        });
      },
    });
    const first = { ...connected(silent), ...(isFar ? { isFar: true as const } : {}) };
    const ports = { clock, name: "n1", notice: (text: string) => void said.push(text) };
    const link = new Link({ ...ports, connect: () => Promise.reject(new Error("cut")) }, first);
    const work = link.use((peer) => peer.call("controller.status", {}));
    work.catch(() => {});
    await clock.advance(20_000);
    expect(pings).toBe(isFar ? 1 : 0);
    expect(said).toEqual(isFar ? ["no contact with n1; trying again"] : []);
    link.stop();
  }
});

test("a first connection that is lost at once is sought again, however long the machine has been up", async () => {
  const { clock } = fakeContext();
  await clock.advance(100_000_000);
  let tries = 0;
  const link = new Link(
    {
      clock,
      name: "the controller",
      notice: () => {},
      connect: async () => {
        tries++;
        if (tries < 4) throw new Error("nobody listens");
        return connected(fakePeer({}));
      },
    },
    connected(fakePeer({})),
  );
  let calls = 0;
  const done = link.use(async () => {
    calls++;
    if (calls === 1) throw new RpcError("LOST_CONTACT", "gone");
    return "done";
  });
  for (let turn = 0; turn < 20; turn++) await clock.advance(100);
  expect(await done).toBe("done");
  expect(tries).toBe(4);
});
