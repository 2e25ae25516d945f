/** A connection that is made again: how long it is sought. */

import { expect, test } from "vitest";
import { Link } from "../../../src/cli/attach/link.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { connected, fakeContext, fakePeer } from "./fake-context.ts";

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
