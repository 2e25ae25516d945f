/** The newest bytes of a terminal. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteRing } from "../../../src/node/holder/byte-ring.ts";

describe("a ring of bytes", () => {
  test("gives each byte by its position, after any pushes and trims", () => {
    const step = fc.oneof(
      fc.record({ push: fc.uint8Array({ maxLength: 40_000 }) }),
      fc.record({ trim: fc.nat({ max: 200_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.nat({ max: 1000 }), (steps, max) => {
        const ring = new ByteRing();
        let all = Buffer.alloc(0);
        for (const one of steps) {
          if ("push" in one) {
            ring.push(one.push);
            all = Buffer.concat([all, one.push]);
          } else {
            const to = Math.max(ring.start, Math.min(one.trim, ring.end));
            ring.trim(to);
            expect(ring.start).toBeLessThanOrEqual(to);
          }
          expect(ring.end).toBe(all.length);
          expect(Buffer.compare(Buffer.from(ring.readAll(ring.start)), all.subarray(ring.start))).toBe(0);
        }
        const part = ring.read(ring.start, max + 1);
        expect(Buffer.from(part).equals(all.subarray(ring.start, ring.start + part.length))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("keeps a trickle in few parts", () => {
    const ring = new ByteRing();
    for (let index = 0; index < 100_000; index++) ring.push(Uint8Array.of(1, 2, 3));
    let parts = 0;
    for (let at = ring.start; at < ring.end; parts++) at += ring.read(at, ring.end).length;
    expect(parts).toBeLessThan(30);
  });

  test("what was read before is not changed by what comes", () => {
    const ring = new ByteRing();
    ring.push(Uint8Array.of(1, 2));
    const early = ring.read(0, 10);
    ring.push(Uint8Array.of(3));
    expect([...early]).toEqual([1, 2]);
    expect([...ring.read(0, 10)]).toEqual([1, 2, 3]);
  });
});
