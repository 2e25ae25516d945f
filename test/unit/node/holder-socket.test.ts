import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holderSocketFor } from "../../../src/protocol/holder-socket.ts";

const KEY = { jobId: 12, attempt: 1, stepId: 0 } as const;

describe("the socket of a step's holder", () => {
  it("is the shared one for steps without a terminal", () => {
    expect(holderSocketFor("/run/mgpu/holder.sock", KEY, false)).toBe("/run/mgpu/holder.sock");
  });

  it("is named by the step for one with a terminal", () => {
    expect(holderSocketFor("/run/mgpu/holder.sock", KEY, true)).toBe("/run/mgpu/holder-12.1.0.sock");
  });

  it("fits into a socket's path whenever the shared one leaves room for it", () => {
    const folder = `/run/${"d".repeat(70)}`;
    const paths = new Set<string>();
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999_999_999 }), fc.integer({ min: 1, max: 999 }), (jobId, attempt) => {
        const path = holderSocketFor(`${folder}/holder-node.sock`, { jobId: jobId + 1, attempt, stepId: 0 }, true);
        expect(Buffer.byteLength(path)).toBeLessThanOrEqual(107);
        expect(path.startsWith(`${folder}/`)).toBe(true);
        paths.add(path);
      }),
    );
    expect(paths.size).toBeGreaterThan(50);
  });
});
