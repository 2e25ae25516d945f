/** A server that is fair: who says much at once is heard in turns. */

import { expect, it } from "vitest";
import { encodeFrame } from "../../../src/protocol/codec.ts";
import { PROTOCOL } from "../../../src/protocol/envelope.ts";
import { servePeers } from "../../../src/rpc/serve.ts";
import { manualClock } from "./manual-clock.ts";
import { memoryNet } from "./memory-net.ts";
import { ADDRESS, HELLO, IDENTITY, memoryLog, rawCaller, settle } from "./rig.ts";

const STATUS = "controller.status";

/** A caller whose `count` calls arrive in one piece, behind its hello. */
async function flooded(count: number, hello: unknown = HELLO) {
  const [clock, net] = [manualClock(), memoryNet()];
  let heard = 0;
  const handlers = {
    [STATUS]: () => {
      heard += 1;
      return {} as never;
    },
  };
  await servePeers({ net, clock, log: memoryLog([]) }, ADDRESS, () => IDENTITY, handlers, undefined, true);
  const caller = await rawCaller(net);
  const frames = [[0, 1, "hello", hello], ...Array.from({ length: count }, (_, at) => [0, at + 2, STATUS, {}])];
  caller.connection.write(Buffer.concat(frames.map(encodeFrame)));
  await settle();
  const turn = async (): Promise<void> => {
    clock.advance(0);
    await settle();
  };
  return { caller, net, turn, heard: () => heard };
}

it("each turn takes some, in order, until all are answered; what comes later waits behind them", async () => {
  const { caller, turn, heard } = await flooded(100);
  const first = heard();
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(100);
  caller.send([0, 200, STATUS, {}]);
  await settle();
  expect(heard()).toBe(first);
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(caller.received.map(([, id]) => id)).toEqual([...Array.from({ length: 101 }, (_, at) => at + 1), 200]);
});

it("what arrived before the end of the connection counts", async () => {
  const { net, turn, heard } = await flooded(100);
  expect(heard()).toBeLessThan(100);
  net.breakAll("ECONNRESET");
  await settle();
  expect(heard()).toBe(100);
  await turn();
  expect(heard()).toBe(100);
});

it("nothing is heard behind a mistake", async () => {
  const { caller, turn, heard } = await flooded(0, { ...HELLO, protocol: { ...PROTOCOL, major: 99 } });
  for (let turns = 0; turns < 3; turns++) await turn();
  expect([heard(), caller.closed.problem]).toEqual([0, ""]);
});
