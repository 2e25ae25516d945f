/** The holder's parts that need no process: the queue, the sentinel, the retention of ended steps, typed input. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENDED_STEPS_MAX } from "../../../src/node/holder/limits.ts";
import { OutputQueue } from "../../../src/node/holder/output-queue.ts";
import { PtyInput } from "../../../src/node/holder/pty-input.ts";
import { type EndedStep, isSettled, isUncollected, reviewEnded } from "../../../src/node/holder/retention.ts";
import { SentinelFilter, sentinelBytes } from "../../../src/node/holder/sentinel.ts";
import { Step } from "../../../src/node/holder/step.ts";
import { StepOutput } from "../../../src/node/holder/step-output.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import type { ByteSource } from "../../../src/platform/pipes.ts";
import type { Pty } from "../../../src/platform/pty.ts";
import { type AttachItem, launch, shell, stepKey, TestSink } from "./harness.ts";

/** Time that moves only when told to. */
function testClock(): Clock & { advance(ms: number): void } {
  let now = 0;
  let timers: { at: number; callback: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    advance(ms) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { callback } of due) callback();
    },
  };
}

function testSource(): ByteSource & { push(text: string | Uint8Array): void; end(): void; paused: boolean } {
  let data: (chunk: Uint8Array) => void = () => {};
  let ended: () => void = () => {};
  const source = {
    paused: false,
    start(onData: (chunk: Uint8Array) => void, onEnd: () => void) {
      data = onData;
      ended = onEnd;
    },
    pause() {
      source.paused = true;
    },
    resume() {
      source.paused = false;
    },
    close: () => ended(),
    push: (text: string | Uint8Array) => data(Buffer.from(text)),
    end: () => ended(),
  };
  return source;
}

const noScreen = (): Promise<never> => Promise.reject(new Error("no screen"));

const texts = (items: readonly AttachItem[]): string[] =>
  items.map((item) => (item.type === "data" ? `${item.stream}@${item.offset} ${Buffer.from(item.data)}` : item.type));

describe("output", () => {
  test("the first chunk goes at once, later ones are joined for 4 ms", async () => {
    const clock = testClock();
    const output = new StepOutput(clock);
    const source = testSource();
    output.addStream(0, "out", source);
    const sink = new TestSink<AttachItem>();
    void output.attach(sink, new AbortController().signal, [0]);
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    for (const text of ["a", "b", "c"]) source.push(text);
    await settle();
    expect(texts(sink.items)).toEqual(["started", "out@0 a"]);
    clock.advance(4);
    await settle();
    expect(texts(sink.items)).toEqual(["started", "out@0 a", "out@1 bc"]);
    clock.advance(4);
    source.push("d");
    source.end();
    output.addExit(0, { code: 0, signal: 0 });
    output.finish();
    await settle();
    expect(texts(sink.items)).toEqual(["started", "out@0 a", "out@1 bc", "out@3 d", "exit"]);
  });

  test("an exit is told after the output, or when something holds that open, soon", async () => {
    const clock = testClock();
    const output = new StepOutput(clock);
    output.addStream(0, "out", testSource());
    const sink = new TestSink<AttachItem>();
    void output.attach(sink, new AbortController().signal, null);
    output.addExit(0, { code: 1, signal: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.items).toEqual([]);
    clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
    expect(texts(sink.items)).toEqual(["exit"]);
  });

  test("a trickle that nobody takes stays small: parts are joined, and each item has its price", () => {
    const clock = testClock();
    const output = new StepOutput(clock);
    const [out, err] = [testSource(), testSource()];
    output.addStream(0, "out", out);
    output.addStream(0, "err", err);
    for (let index = 0; index < 1000; index++) {
      clock.advance(10);
      out.push("x");
    }
    expect(output.costBytes).toBe(1000 + 128);
    let turns = 0;
    for (; !out.paused; turns++) {
      clock.advance(10);
      out.push("x");
      err.push("y");
    }
    expect(turns).toBeLessThan(1100);
    expect(err.paused).toBe(true);
  });

  test("reading stops at the window, and goes on at half of it", async () => {
    const output = new StepOutput(testClock());
    const source = testSource();
    output.addStream(0, "out", source);
    for (let index = 0; index < 3; index++) source.push(Buffer.alloc(65_536));
    expect(source.paused).toBe(false);
    source.push(Buffer.alloc(65_536));
    expect(source.paused).toBe(true);
    const sink = new TestSink<AttachItem>(false);
    void output.attach(sink, new AbortController().signal, null);
    await new Promise((resolve) => setImmediate(resolve));
    sink.acknowledge(3);
    expect(source.paused).toBe(true);
    sink.acknowledge(2);
    expect(source.paused).toBe(false);
  });

  test("what a client sends late is none of its successor's business", async () => {
    const output = new StepOutput(testClock());
    const source = testSource();
    output.addStream(0, "out", source);
    source.push("abc");
    const [first, second] = [new TestSink<AttachItem>(false), new TestSink<AttachItem>(false)];
    const forever = new AbortController().signal;
    const taken = output.attach(first, forever, null);
    await new Promise((resolve) => setImmediate(resolve));
    const going = output.attach(second, forever, null);
    await expect(taken).rejects.toMatchObject({ code: "CANCELLED" });
    first.acknowledge();
    await new Promise((resolve) => setImmediate(resolve));
    expect(texts(second.items)).toEqual(["out@0 abc"]);
    expect(output.costBytes).toBeGreaterThan(0);
    second.acknowledge();
    expect(output.costBytes).toBe(0);
    source.end();
    output.finish();
    await going;
    expect(output.collectedAtMs).toBe(0);
  });
});

describe("the queue", () => {
  test("offsets go on through splitting, joining and trimming", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("out", "err"), fc.integer({ min: 0, max: 80_000 }), fc.boolean())),
        (pushes) => {
          const queue = new OutputQueue();
          const lengths = { out: 0, err: 0 };
          for (const [stream, length, isSent] of pushes) {
            queue.pushData(0, stream, new Uint8Array(length));
            lengths[stream] += length;
            const last = queue.at(queue.first + 1);
            if (isSent && last) last.sent = true;
          }
          const at = { out: 0, err: 0 };
          let cost = 0;
          for (let sequence = queue.first; ; sequence++) {
            const queued = queue.at(sequence);
            if (queued === undefined) break;
            const { item } = queued;
            if (item.type !== "data") throw new Error("not data");
            expect(item.offset).toBe(at[item.stream]);
            expect(item.data.length).toBeLessThanOrEqual(32 * 1024);
            at[item.stream] += item.data.length;
            cost += queued.costBytes;
          }
          expect(at).toEqual(lengths);
          expect(queue.costBytes).toBe(cost);
          queue.trim(10_000);
          queue.clear();
          expect([queue.costBytes, queue.isEmpty]).toEqual([0, true]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("the sentinel", () => {
  const sentinel = sentinelBytes("0123abcdef");

  test("ends the output wherever the chunks are cut, and nothing like it does", () => {
    const parts = fc.array(fc.constantFrom("text", "\x1b", "\x1b]", "\x1b]7770;", "\x1b]7770;0123ABCDE", "\x07", "0"));
    fc.assert(
      fc.property(parts, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (before, cuts) => {
        const program = Buffer.from(before.join(""));
        const stream = Buffer.concat([program, sentinel, Buffer.from("never")]);
        const filter = new SentinelFilter();
        filter.expect(sentinel);
        const passed: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const length = cuts[turn % cuts.length] ?? 1;
          passed.push(filter.pass(stream.subarray(at, at + length)));
          at += length;
        }
        expect(Buffer.concat(passed).toString("latin1")).toBe(program.toString("latin1"));
        expect(filter.isFound).toBe(true);
      }),
    );
  });

  test("what was held back comes out when it is given up", () => {
    const filter = new SentinelFilter();
    expect(Buffer.from(filter.pass(sentinel)).equals(sentinel)).toBe(true);
    filter.expect(sentinel);
    expect(Buffer.from(filter.pass(Buffer.from("end\x1b]77"))).toString()).toBe("end");
    expect(Buffer.from(filter.giveUp()).toString()).toBe("\x1b]77");
  });
});

describe("typed input", () => {
  test("what a terminal refuses is offered again, ever less often, and in order", () => {
    const clock = testClock();
    let room = 3;
    const typed: string[] = [];
    const offers: number[] = [];
    const type = (data: Uint8Array): number => {
      offers.push(clock.monotonic());
      const taken = Math.min(room, data.length);
      room -= taken;
      typed.push(Buffer.from(data.subarray(0, taken)).toString());
      return taken;
    };
    const input = new PtyInput(clock, { type } as Pty);
    let rooms = 0;
    input.onRoom = () => rooms++;
    expect(input.write(Buffer.from("abcde"))).toBe(false);
    expect(input.write(Buffer.from("fg"))).toBe(false);
    for (let ms = 0; ms < 20; ms++) clock.advance(1);
    expect(offers).toEqual([0, 1, 3, 7, 12, 17]);
    room = 100;
    clock.advance(5);
    expect(typed.join("")).toBe("abcdefg");
    expect(rooms).toBe(1);
    input.end();
    expect(typed.at(-1)).toBe("\x04");
    room = 0;
    input.write(Buffer.from("h"));
    input.close();
    clock.advance(100);
    expect(input.write(Buffer.from("i"))).toBe(true);
  });
});

describe("retention", () => {
  const output = { wasAttached: false, hasClient: false, collectedAtMs: null, costBytes: 0 };
  const ended = (more: Partial<EndedStep> = {}, out: Partial<EndedStep["output"]> = {}): EndedStep => {
    const step = {
      name: "1.1.0",
      endedAtMs: 0,
      forgottenAtMs: null,
      expectsClient: true,
      uncollectedMs: 600_000,
      ...more,
    };
    return { ...step, output: { ...output, ...out } };
  };

  test.each([
    ["nobody came for a minute", ended(), 59_999, true],
    ["nor after it", ended(), 60_000, false],
    ["a lost client has ten minutes", ended({}, { wasAttached: true }), 599_999, true],
    ["and no more", ended({}, { wasAttached: true }), 600_000, false],
    ["ten from when it was forgotten", ended({ forgottenAtMs: 50 }, { wasAttached: true }), 600_049, true],
    ["a lost terminal's client has one minute", ended({ uncollectedMs: 60_000 }, { wasAttached: true }), 59_999, true],
    ["and no more, because it costs a process", ended({ uncollectedMs: 60_000 }, { wasAttached: true }), 60_000, false],
    ["one that is attached has all its time", ended({}, { wasAttached: true, hasClient: true }), 9e9, true],
    ["collected", ended({}, { collectedAtMs: 0 }), 0, false],
    ["a batch script", ended({ expectsClient: false }), 0, false],
  ])("%s", (_name, step, nowMs, expected) => {
    expect(isUncollected(step, nowMs)).toBe(expected);
  });

  test("a step goes when it is forgotten and collected, not before both", () => {
    const collected = ended({}, { collectedAtMs: 0 });
    const script = ended({ expectsClient: false, forgottenAtMs: 0 });
    expect(reviewEnded([collected], 60_000).remove).toEqual([]);
    const both = { ...collected, forgottenAtMs: 0 };
    const steps = [both, ended({ endedAtMs: 1, forgottenAtMs: 0 }), script];
    expect(isSettled(both)).toBe(true);
    expect(reviewEnded(steps, 59_999).remove).toEqual([script]);
    expect(reviewEnded(steps, 60_000).remove).toEqual([both, script]);
  });

  test("output that is let go is told of", () => {
    const step = new Step(launch(stepKey(), [shell("true")]), { clock: testClock(), openScreen: noScreen });
    const source = testSource();
    step.output.addStream(0, "out", source);
    step.dropOutput();
    expect(step.describe().problem).toBe("");
    source.push("abc");
    source.end();
    step.noteExit(0, { code: 0, signal: 0 });
    step.dropOutput();
    step.dropOutput();
    expect(step.describe().problem).toBe("3 bytes of output were let go because nobody collected them");
    expect(step.output.costBytes).toBe(0);
  });

  test("above the limits the oldest go; a status nobody has noted stays, without its output", () => {
    const many = Array.from({ length: ENDED_STEPS_MAX + 2 }, (_, index) =>
      ended({ endedAtMs: index, forgottenAtMs: index === 0 ? null : 1 }),
    );
    const review = reviewEnded(many, 1);
    expect(review.drop).toEqual([many[0]]);
    expect(review.remove).toEqual([many[1]]);
    const unnoted = Array.from({ length: ENDED_STEPS_MAX + 2 }, (_, index) => ended({ endedAtMs: index }));
    expect(reviewEnded(unnoted, 1)).toEqual({ remove: [], drop: [unnoted[0], unnoted[1]] });
    const large = [0, 1, 2].map((index) =>
      ended({ endedAtMs: index, forgottenAtMs: 1 }, { costBytes: 40 * 1024 * 1024 }),
    );
    expect(reviewEnded(large, 1).remove).toEqual([large[0], large[1]]);
  });
});
