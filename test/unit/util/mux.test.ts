/** Frames of a tunnel, however their stream is cut. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeMux, FRAME_BYTES_MAX, type MuxFrame, MuxReader, takenBytes, takenFrame } from "../../../src/util/mux.ts";

const frame: fc.Arbitrary<MuxFrame> = fc.record({
  id: fc.nat({ max: 0xffffffff }),
  kind: fc.constantFrom("open", "data", "end"),
  data: fc.uint8Array({ maxLength: 300 }),
});

test("what was sent arrives, in whatever pieces", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 10 }),
      fc.array(fc.nat({ max: 4000 }), { maxLength: 10 }),
      (frames, cuts) => {
        const stream = Buffer.concat(frames.map(encodeMux));
        const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
        const reader = new MuxReader();
        const got = [0, ...places].flatMap((from, index) => reader.take(stream.subarray(from, places[index])));
        expect(got.map(({ data, ...rest }) => ({ ...rest, data: [...data] }))).toEqual(
          frames.map(({ data, ...rest }) => ({ ...rest, data: [...data] })),
        );
      },
    ),
  );
});

test("a count of bytes taken", () => {
  const [only] = new MuxReader().take(takenFrame(7, 123_456));
  expect(only).toMatchObject({ id: 7, kind: "taken" });
  expect(takenBytes(only as MuxFrame)).toBe(123_456);
});

test("what is no frame is refused, whatever it is", () => {
  const tooLong = encodeMux({ id: 1, kind: "data", data: new Uint8Array(0) });
  new DataView(tooLong.buffer).setUint32(5, FRAME_BYTES_MAX + 1);
  expect(() => new MuxReader().take(tooLong)).toThrow("does not speak our language");
  expect(() => new MuxReader().take(Buffer.from("hello, this is a shell's greeting"))).toThrow();
});
