/** What goes into a frame comes out of it, however the bytes are cut; and no bytes make the reader misbehave. */

import fc from "fast-check";
import { Packr } from "msgpackr/pack";
import { describe, expect, it } from "vitest";
import { Packr as BriefPackr, RESERVE_START_SPACE } from "../../src/protocol/brief-packr.ts";
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

describe("MessagePack of short commands", () => {
  /** As codec.ts has it. */
  const options = { useRecords: false, variableMapSize: true, useToJSON: false, int64AsType: "number" as const };
  const packr = new Packr({ ...options, encodeUndefinedAsNil: true, ...{ skipValues: [undefined] } });
  const brief = new BriefPackr();

  it("has the bytes of msgpackr, and reads them", () => {
    fc.assert(
      fc.property(value, (one) => {
        const bytes = brief.pack(one);
        expect(Buffer.from(bytes).equals(packr.pack(one))).toBe(true);
        expect(brief.unpack(bytes)).toEqual(one);
      }),
      { numRuns: 500 },
    );
  });

  it("agrees on the limits of every length, and on what is left out", () => {
    const sizes = [0, 15, 16, 31, 32, 47, 48, 49, 255, 256, 65_535, 65_536];
    const numbers = [127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 0.5, -0.5, 1e300];
    const values: unknown[] = [
      ...numbers.flatMap((one) => [one, -one, -one - 1]),
      ...sizes.flatMap((size) => ["x".repeat(size), "ü".repeat(size), new Uint8Array(size), Array(size).fill(1)]),
      ...sizes.map((size) => Object.fromEntries(Array.from({ length: size }, (_, index) => [`k${index}`, index]))),
      ...[{ a: undefined, b: null, c: [undefined, true] }, [], {}, "", -0],
    ];
    for (const one of values) {
      const bytes = brief.pack(one);
      expect(Buffer.from(bytes).equals(packr.pack(one))).toBe(true);
      expect(brief.unpack(bytes)).toEqual(packr.unpack(bytes));
    }
  });

  it("reads whole numbers of eight bytes, short fractions and what is not UTF-8, as msgpackr does", () => {
    const bodies = [
      [0xcf, 0, 0, 1, 0, 0, 0, 0, 5],
      [0xd3, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 1],
      [0xd0, 0x80],
      [0xd1, 0x80, 0],
      [0xd2, 0x80, 0, 0, 0],
      [0xca, 0x3f, 0x80, 0, 0],
      [0xa3, 0x61, 0xff, 0x62],
      [0x81, 0xa9, ...Buffer.from("__proto__"), 0x01],
    ];
    for (const body of bodies) {
      const bytes = Uint8Array.from(body);
      expect(brief.unpack(bytes)).toEqual(packr.unpack(bytes));
    }
  });

  it("leaves room at the start, hands out copies, and goes on in other memory", () => {
    const first = brief.pack(["a"], RESERVE_START_SPACE | 4);
    expect([...first.subarray(4)]).toEqual([...packr.pack(["a"])]);
    brief.useBuffer(Buffer.alloc(8));
    const second = brief.pack(["b".repeat(20)]);
    brief.pack(["c".repeat(20)]);
    expect(brief.unpack(second)).toEqual(["b".repeat(20)]);
    expect(brief.unpack(first.subarray(4))).toEqual(["a"]);
  });
});
