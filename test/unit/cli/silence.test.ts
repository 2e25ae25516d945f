/** Long silences of a job. */

import { describe, expect, test } from "vitest";
import { Silence, silencePlan } from "../../../src/cli/attach/silence.ts";
import { fakeContext } from "./fake-context.ts";

describe("which silences count", () => {
  test.each([
    [{}, null],
    [{ "max-wait-time": 5 }, { waitS: 5, countMax: 30 }],
    [{ "max-consecutive-timeouts": 2 }, { waitS: 300, countMax: 2 }],
    [
      { "exit-on-silence": true, "max-wait-time": 9 },
      { waitS: 9, countMax: 1 },
    ],
  ])("%j", (values, plan) => {
    expect(silencePlan(values)).toEqual(plan);
  });
});

async function watched(countMax: number) {
  const { clock } = fakeContext();
  const said: string[] = [];
  const silence = new Silence(
    { waitS: 10, countMax },
    { clock, tell: (quietS) => said.push(`quiet ${quietS}`), leave: (quietS) => said.push(`leave ${quietS}`) },
  );
  silence.start();
  const wait = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) await clock.advance(1000);
  };
  return { silence, said, wait };
}

test("each is told; after the last the client leaves", async () => {
  const { said, wait } = await watched(3);
  await wait(40);
  expect(said).toEqual(["quiet 10", "quiet 20", "leave 30"]);
});

test("output begins the count anew", async () => {
  const { silence, said, wait } = await watched(2);
  await wait(12);
  silence.heard();
  await wait(9);
  expect(said).toEqual(["quiet 10"]);
  await wait(1);
  expect(said).toEqual(["quiet 10", "quiet 10"]);
  await wait(10);
  expect(said.at(-1)).toBe("leave 20");
});

test("after its stop nothing is said", async () => {
  const { silence, said, wait } = await watched(2);
  silence.stop();
  await wait(60);
  expect(said).toEqual([]);
});
