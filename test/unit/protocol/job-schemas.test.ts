import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { jobChanges, jobRequest } from "../../../src/protocol/job-schemas.ts";
import { jobRequest as sample } from "../support/samples.ts";

describe("the place in a heterogeneous job", () => {
  test("is no wish that can be changed", () => {
    const changes = { comment: "x", het: { offset: 3, size: 4 } };
    expect(v.parse(jobChanges, changes)).toEqual({ comment: "x" });
  });

  test("of a submission is no larger than any job", () => {
    const isTaken = (offset: number, size: number): boolean => v.is(jobRequest, { ...sample(), het: { offset, size } });
    expect(isTaken(127, 128)).toBe(true);
    expect([isTaken(0, 129), isTaken(128, 128), isTaken(0, 4e9)]).toEqual([false, false, false]);
  });
});
