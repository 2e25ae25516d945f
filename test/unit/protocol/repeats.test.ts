import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameReader } from "../../../src/protocol/codec.ts";
import { FRAME_BYTES_MAX } from "../../../src/protocol/envelope.ts";
import { decodeRepeating } from "../../../src/protocol/repeats.ts";
import { checkedOnce } from "../../../src/protocol/schemas.ts";

type Params = Record<string, unknown>;

/** What arrives of a call. */
function received(params: Params, method = "job.submit", id = 7): Params {
  const [frame] = [...new FrameReader(FRAME_BYTES_MAX, decodeRepeating).push(encodeFrame([0, id, method, params]))];
  expect(frame?.envelope.slice(0, 3)).toEqual([0, id, method]);
  return frame?.envelope[3] as Params;
}

function submission(name: string, more: Params = {}): Params {
  const job = { name, workDir: `/home/ann/${"long/".repeat(20)}`, tasks: 1, hold: false, none: null };
  const environment = { HOME: "/home/ann", PATH: "/bin:".repeat(30) };
  return { requestId: "r1", job, script: new TextEncoder().encode(`# ${"x".repeat(99)}`), environment, ...more };
}

describe("a job that is submitted again", () => {
  it("arrives as it was sent, whatever came before", () => {
    for (const name of ["a", "b", "a", "äöü", "b"]) {
      for (const id of [1, 200, 70_000, 2 ** 33]) {
        expect(received(submission(name), "job.submit", id)).toEqual(submission(name));
      }
    }
  });

  it("has the same parts, where the same bytes arrive", () => {
    const [one, again, other] = [
      received(submission("x")),
      received(submission("x", { requestId: "r2" })),
      received(submission("y")),
    ];
    for (const part of ["job", "script", "environment"]) expect(again[part]).toBe(one[part]);
    expect(again.requestId).toBe("r2");
    expect(other.environment).toBe(one.environment);
    expect(other.job).not.toBe(one.job);
  });

  it("keeps no bytes of the message that it came with", () => {
    const { script } = received(submission("x", { script: new Uint8Array(100).fill(7) }));
    expect((script as Uint8Array).buffer.byteLength).toBeLessThan(200);
  });

  it("is forgotten after many others", () => {
    const first = received(submission("first"));
    for (let at = 0; at < 5000; at++) received(submission(`other ${at}`));
    expect(received(submission("first"))).toEqual(submission("first"));
    expect(received(submission("first")).job).not.toBe(first.job);
  });

  it("arrives whole with a large script, odd names, and more parameters than usual", () => {
    const odd = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`name ${at}`, { text: "t".repeat(at * 9) }]));
    for (const more of [
      odd,
      { ünï: { text: "t".repeat(99) } },
      { script: new Uint8Array(200_000).fill(9) },
      { script: null },
    ]) {
      expect(received(submission("x", more))).toEqual(submission("x", more));
    }
    expect(received({})).toEqual({});
  });
});

it("other calls share nothing", () => {
  expect(received(submission("x"), "jobs.steer").job).not.toBe(received(submission("x"), "jobs.steer").job);
});

it("a schema that checks once says the same as the schema, of objects that were good, bad, or neither", () => {
  const plain = v.object({ name: v.pipe(v.string(), v.maxLength(3)) });
  const once = checkedOnce(plain);
  for (const value of [{ name: "abc", extra: 1 }, { name: "abcd" }, { name: 7 }, null, 3, "text", undefined]) {
    for (const _ of [1, 2]) {
      expect(v.safeParse(v.object({ part: once }), { part: value })).toMatchObject(
        JSON.parse(JSON.stringify({ success: v.safeParse(v.object({ part: plain }), { part: value }).success })),
      );
      const [got, wanted] = [v.safeParse(once, value), v.safeParse(plain, value)];
      expect(got.output).toEqual(wanted.output);
      expect(got.issues?.map(({ message }) => message)).toEqual(wanted.issues?.map(({ message }) => message));
    }
  }
});
