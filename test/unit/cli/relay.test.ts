import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRelay, type Relay } from "../../../src/cli/attach/relay.ts";
import { fakeContext } from "./fake-context.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function start(labelTasks: number | null = null) {
  const fake = fakeContext();
  return { fake, relay: createRelay(fake.context.stdio, labelTasks === null ? null : () => labelTasks) };
}

/** Sends a text in pieces that start and end anywhere and overlap, as after lost connections. */
function sendInPieces(relay: Relay, task: number, bytes: Uint8Array, cuts: readonly number[]): void {
  let sent = 0;
  for (const cut of [...cuts.map((value) => value % (bytes.length + 1)), bytes.length]) {
    const from = Math.min(cut, sent);
    const to = Math.max(cut, sent);
    relay.data(task, "out", from, bytes.slice(from, to));
    sent = to;
  }
}

describe("without labels", () => {
  test("bytes stay what they are, streams stay apart", () => {
    const { fake, relay } = start();
    relay.data(0, "out", 0, Uint8Array.of(0, 255, 10, 13));
    relay.data(0, "err", 0, encode("e"));
    relay.data(1, "out", 0, encode("x"));
    relay.finish();
    expect([...fake.outBytes()]).toEqual([0, 255, 10, 13, 120]);
    expect(fake.err()).toBe("e");
  });
  test("what comes again is dropped by its offset; what never came is counted", () => {
    const { fake, relay } = start();
    relay.data(0, "out", 0, encode("abcd"));
    relay.data(0, "out", 0, encode("ab"));
    relay.data(0, "out", 2, encode("cdef"));
    expect(relay.missing).toBe(0);
    relay.data(0, "out", 9, encode("j"));
    expect(fake.out()).toBe("abcdefj");
    expect(relay.missing).toBe(3);
  });
  test("however it is cut and repeated, each byte comes once", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat()), (bytes, cuts) => {
        const { fake, relay } = start();
        sendInPieces(relay, 0, bytes, cuts);
        expect(fake.outBytes()).toEqual(bytes);
        expect(relay.missing).toBe(0);
      }),
    );
  });
});

describe("with labels", () => {
  test("each line gets its task, an unfinished one is ended", () => {
    const { fake, relay } = start(3);
    relay.data(1, "out", 0, encode("a\n\nb"));
    relay.data(2, "out", 0, encode("x"));
    expect(fake.out()).toBe("1: a\n1: \n");
    relay.data(1, "out", 4, encode("c\n"));
    relay.finish();
    expect(fake.out()).toBe("1: a\n1: \n1: bc\n2: x\n");
  });
  test("numbers are padded to the widest", () => {
    const { fake, relay } = start(11);
    relay.data(3, "err", 0, encode("a\n"));
    expect(fake.err()).toBe(" 3: a\n");
  });
  test("an endless line goes out in pieces, with one label", () => {
    const { fake, relay } = start(1);
    const half = "y".repeat(700_000);
    relay.data(0, "out", 0, encode(half));
    expect(fake.out()).toBe("");
    relay.data(0, "out", 700_000, encode(half));
    expect(fake.out()).toBe(`0: ${half}${half}`);
    relay.data(0, "out", 1_400_000, encode("z\nnext\n"));
    expect(fake.out()).toBe(`0: ${half}${half}z\n0: next\n`);
  });
  test("however it is cut and repeated, lines are whole", () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "é", " ") }), { maxLength: 8 });
    fc.assert(
      fc.property(lines, fc.array(fc.nat()), (parts, cuts) => {
        const { fake, relay } = start(1);
        const text = parts.map((line) => `${line}\n`).join("");
        sendInPieces(relay, 0, encode(text), cuts);
        relay.finish();
        expect(fake.out()).toBe(parts.map((line) => `0: ${line}\n`).join(""));
      }),
    );
  });
});
