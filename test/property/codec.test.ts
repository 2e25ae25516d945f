/** What goes into a frame comes out of it, however the bytes are cut; and no bytes make the reader misbehave. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameReader } from "../../src/protocol/codec.ts";
import { FRAME_BYTES_MAX } from "../../src/protocol/envelope.ts";
import { RpcError } from "../../src/protocol/errors.ts";

/** The codec documents the two exceptions: a leading byte order mark, and this key. */
const text = fc.string({ unit: "binary", maxLength: 90 }).filter((string) => !string.startsWith("\ufeff"));
const key = text.filter((string) => string !== "__proto__");

const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.double({ noNaN: true }).map((value) => value + 0),
);

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: "medium" },
    fc.constantFrom(null, true, false),
    number.map((n) => (n === 0 ? 0 : n)),
    text,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc
      .array(fc.tuple(key, tie("value")), { maxLength: 20 })
      .map((entries) => Object.fromEntries(entries) as Record<string, unknown>),
  ),
}));

describe("codec", () => {
  it("decodes what it encodes, cut anywhere", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(400)), (values, cuts) => {
        const bytes = Buffer.concat(values.map((params) => encodeFrame([2, "x", params])));
        const reader = new FrameReader(FRAME_BYTES_MAX);
        const decoded: unknown[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          for (const { envelope } of reader.push(bytes.subarray(at, at + cut))) decoded.push(envelope[2]);
          at += cut;
        }
        expect(decoded).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it("throws nothing but TOO_LARGE and MALFORMED, whatever arrives", () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // Nearly right: a real body with some bytes changed.
      fc.tuple(value, fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 3 })).map(([params, changes]) => {
        const bytes = encodeFrame([0, 1, "x", params]).slice(4);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(body, (bytes) => {
        const frame = Buffer.alloc(bytes.length + 4);
        frame.writeUInt32BE(bytes.length);
        frame.set(bytes, 4);
        try {
          for (const { envelope } of new FrameReader(FRAME_BYTES_MAX).push(frame))
            expect(envelope).toBeInstanceOf(Array);
        } catch (error) {
          expect(error).toBeInstanceOf(RpcError);
          expect(["TOO_LARGE", "MALFORMED"]).toContain((error as RpcError).code);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
