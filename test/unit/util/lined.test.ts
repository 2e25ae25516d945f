/** Frames that survive a channel which passes on whole lines only. */

import { expect, test } from "vitest";
import { LinedReader, linedFrames, linedMark } from "../../../src/util/lined.ts";

/** What such a channel has passed on after these bytes: up to the last line's end. */
function passedOn(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

test("each frame comes through at once and unchanged, in pieces of any size, behind what others printed", () => {
  const sent = [Uint8Array.of(1), Uint8Array.of(0, 10, 255, 10), new Uint8Array(3000).fill(10), Uint8Array.of(13)];
  for (const size of [1, 2, 3, 7, 1000, 100_000]) {
    const reader = new LinedReader();
    const printed = new TextEncoder().encode("Welcome to node n1!\nMGPU-RELAY-\n\n");
    const got: Uint8Array[] = [];
    for (const bytes of [printed, linedMark(), ...sent.flatMap((one) => linedFrames(one))]) {
      const passed = passedOn(bytes);
      expect(passed.length).toBe(bytes.length);
      for (let at = 0; at < passed.length; at += size) got.push(...reader.take(passed.slice(at, at + size)));
    }
    expect(reader.isOpen).toBe(true);
    expect(got).toEqual(sent);
  }
});

test("more than a frame holds is several", () => {
  const data = new Uint8Array((1 << 20) + 5).map((_, index) => index % 251);
  const frames = linedFrames(data);
  expect(frames).toHaveLength(2);
  const reader = new LinedReader();
  expect(joined([linedMark(), ...frames].flatMap((frame) => reader.take(frame))).length).toBe(data.length);
});

test("before the mark nothing is taken for a frame, after it nonsense is told", () => {
  const reader = new LinedReader();
  expect(reader.take(new Uint8Array(500))).toEqual([]);
  expect(reader.isOpen).toBe(false);
  reader.take(linedMark());
  expect(() => reader.take(Uint8Array.of(255, 255, 255, 255))).toThrow("nonsense");
});
