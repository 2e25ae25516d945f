import { describe, expect, it } from "vitest";
import { encodeFrame } from "../../../src/protocol/codec.ts";
import { STREAM_WINDOW_BYTES } from "../../../src/protocol/envelope.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Item } from "../../../src/protocol/procedures.ts";
import type { CallContext, Sink, StreamHandler } from "../../../src/rpc/types.ts";
import { memoryNet } from "./memory-net.ts";
import { ADDRESS, errorOf, HELLO, rawCaller, settle, startRig, startRigOver } from "./rig.ts";

type Attach = StreamHandler<"step.attach">;
type AttachSink = Sink<Item<"step.attach">>;

const KEY = { key: { jobId: 1, attempt: 1, stepId: 0 }, token: "t" };
const END = { exits: [], problem: "" };
const ITEM_BYTES = 10_000;

function data(offset: number, length = ITEM_BYTES): Item<"step.attach"> {
  return { type: "data", task: 0, stream: "out", offset, data: new Uint8Array(length).fill(offset & 255) };
}

/** Sends `count` items, awaiting each, and keeps the largest number of unacknowledged bytes that it saw. */
function sender(count: number): {
  readonly handler: Attach;
  readonly seen: { sent: number; unacknowledgedMax: number };
} {
  const seen = { sent: 0, unacknowledgedMax: 0 };
  const handler: Attach = async (_, sink) => {
    for (let i = 0; i < count; i++) {
      const sent = sink.send(data(i));
      seen.unacknowledgedMax = Math.max(seen.unacknowledgedMax, sink.unacknowledged);
      seen.sent++;
      await sent;
    }
    return END;
  };
  return { handler, seen };
}

const FRAME_BYTES = encodeFrame([2, "stream.item", { call: 2, value: data(200) }]).length;

describe("a stream", () => {
  it("delivers items in order, then its result", async () => {
    const { peer } = await startRig({ "step.attach": sender(200).handler });
    const offsets: number[] = [];
    const result = await peer.stream("step.attach", KEY, (item) => {
      if (item.type === "data") offsets.push(item.offset);
    });
    expect(result).toEqual(END);
    expect(offsets).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it("can be answered by the side that dialled", async () => {
    const { accepted } = await startRig({}, { clientHandlers: { "step.attach": sender(3).handler } });
    const items: unknown[] = [];
    await accepted[0]?.stream("step.attach", KEY, (item) => void items.push(item));
    expect(items).toHaveLength(3);
  });

  it("consumes one item at a time, also when that takes turns", async () => {
    const { peer } = await startRig({ "step.attach": sender(20).handler });
    let busy = 0;
    const order: unknown[] = [];
    await peer.stream("step.attach", KEY, async (item) => {
      expect(busy++).toBe(0);
      await settle(item.type === "data" && item.offset % 2 === 0 ? 3 : 1);
      busy--;
      if (item.type === "data") order.push(item.offset);
    });
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it("stalls its sender while the consumer is slow, and resumes", async () => {
    const { handler, seen } = sender(300);
    const { peer } = await startRig({ "step.attach": handler });
    let release: () => void = () => {};
    let consumed = 0;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const done = peer.stream("step.attach", KEY, async () => {
      if (consumed === 5) await slow;
      consumed++;
    });
    await settle(200);
    const sentWhileStalled = seen.sent;
    expect(consumed).toBe(5);
    expect(sentWhileStalled * ITEM_BYTES).toBeLessThan(STREAM_WINDOW_BYTES + 8 * ITEM_BYTES);
    await settle(200);
    expect(seen.sent).toBe(sentWhileStalled);
    release();
    await done;
    expect(consumed).toBe(300);
    expect(seen.unacknowledgedMax).toBeGreaterThan(STREAM_WINDOW_BYTES / 2);
    expect(seen.unacknowledgedMax).toBeLessThan(STREAM_WINDOW_BYTES + FRAME_BYTES);
  });

  it("keeps within the window, in order, for senders that do not await", async () => {
    let unacknowledgedMax = 0;
    const { peer } = await startRig({
      "step.attach": async (_, sink) => {
        sink.onAcknowledged = () => {
          unacknowledgedMax = Math.max(unacknowledgedMax, sink.unacknowledged);
        };
        for (let i = 0; i < 150; i++) {
          void sink.send(data(i));
          unacknowledgedMax = Math.max(unacknowledgedMax, sink.unacknowledged);
        }
        return END;
      },
    });
    const offsets: number[] = [];
    const result = await peer.stream("step.attach", KEY, async (item) => {
      await settle(1);
      if (item.type === "data") offsets.push(item.offset);
    });
    expect(result).toEqual(END);
    expect(offsets).toEqual(Array.from({ length: 150 }, (_, i) => i));
    expect(unacknowledgedMax).toBeLessThan(STREAM_WINDOW_BYTES + FRAME_BYTES);
  });

  it("passes an item that is larger than the window", async () => {
    const { peer } = await startRig({
      "step.attach": async (_, sink) => {
        await sink.send(data(0, STREAM_WINDOW_BYTES * 3));
        await sink.send(data(1));
        return END;
      },
    });
    const lengths: number[] = [];
    await peer.stream("step.attach", KEY, (item) => void (item.type === "data" && lengths.push(item.data.length)));
    expect(lengths).toEqual([STREAM_WINDOW_BYTES * 3, ITEM_BYTES]);
  });

  it("reports acknowledged bytes in order of sending, and all of them once the consumer caught up", async () => {
    const reports: number[] = [];
    let consumed = 0;
    const { peer } = await startRig({
      "step.attach": async (_, sink, { signal }) => {
        const all = new Promise<void>((resolve) => {
          sink.onAcknowledged = (bytes) => {
            reports.push(bytes);
            // Never more than was consumed.
            expect(reports.reduce((sum, more) => sum + more, 0)).toBeLessThanOrEqual(consumed * FRAME_BYTES);
            if (sink.unacknowledged === 0) resolve();
          };
          signal.addEventListener("abort", () => resolve());
        });
        for (let i = 0; i < 10; i++) await sink.send(data(200 + i));
        await all;
        return END;
      },
    });
    await peer.stream("step.attach", KEY, async () => {
      await settle(1);
      consumed++;
    });
    expect(reports.reduce((sum, bytes) => sum + bytes, 0)).toBe(10 * FRAME_BYTES);
  });

  it("acknowledges the items of one chunk together", async () => {
    const reports: number[] = [];
    const { peer } = await startRig({
      "holder.watch": async (_, sink) => {
        const all = new Promise<void>((resolve) => {
          sink.onAcknowledged = (bytes) => {
            reports.push(bytes);
            if (sink.unacknowledged === 0) resolve();
          };
        });
        for (let jobId = 1; jobId <= 50; jobId++) {
          const key = { jobId, attempt: 1, stepId: 0 };
          void sink.send({ key, phase: "running", exits: [], problem: "", clean: true });
        }
        await all;
        return {};
      },
    });
    const jobs: number[] = [];
    await peer.stream("holder.watch", {}, ({ key }) => void jobs.push(key.jobId));
    expect(jobs).toHaveLength(50);
    expect(reports).toHaveLength(1);
  });

  it("acknowledges late where nobody looks at it: a quarter of the window at once, and its sender does not stall", async () => {
    const acknowledged: number[] = [];
    const count = 200;
    const { peer } = await startRig({
      "step.attach": async (_, sink) => {
        sink.onAcknowledged = (bytes) => void acknowledged.push(bytes);
        for (let i = 0; i < count; i++) {
          await sink.send(data(i));
          if (i === 4) await settle();
          if (i === 4) expect(acknowledged).toEqual([]);
        }
        return { exits: [] } as never;
      },
    });
    const seen: unknown[] = [];
    await peer
      .stream("step.attach", KEY, (item) => void seen.push(item), { acknowledgesLate: true })
      .catch((error: Error) => expect(error.message).toContain("result"));
    expect(seen).toHaveLength(count);
    for (const bytes of acknowledged) expect(bytes).toBeGreaterThanOrEqual(STREAM_WINDOW_BYTES / 4);
  });

  it("acknowledges before the consumer has caught up, so that its sender does not stall", async () => {
    const acknowledged: number[] = [];
    const { handler } = sender(1000);
    const { peer } = await startRig({
      "step.attach": (params, sink, context) => {
        sink.onAcknowledged = (bytes) => void acknowledged.push(bytes);
        return handler(params, sink, context);
      },
    });
    let consumed = 0;
    const slow = (): Promise<void> => {
      consumed++;
      if (consumed === 1) return settle(100);
      return consumed <= 10 ? settle(1) : new Promise(() => {});
    };
    peer.stream("step.attach", KEY, slow).catch(() => {});
    await settle(200);
    expect(acknowledged.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(STREAM_WINDOW_BYTES / 4);
  });

  it("keeps its order when an acknowledgement makes the handler send more", async () => {
    let extra = 0;
    // A socket that is never full, so that the window alone holds items back.
    const net = memoryNet({ highWaterBytes: Number.POSITIVE_INFINITY });
    const { peer } = await startRigOver(net, ADDRESS, {
      "step.attach": async (_, sink) => {
        let next = 0;
        sink.onAcknowledged = () => {
          if (extra++ < 5) void sink.send(data(next++));
        };
        while (next < 60) void sink.send(data(next++));
        while (sink.unacknowledged > 0) await settle(1);
        return END;
      },
    });
    const offsets: number[] = [];
    await peer.stream("step.attach", KEY, (item) => void (item.type === "data" && offsets.push(item.offset)));
    expect(extra).toBeGreaterThan(0);
    expect(offsets.length).toBeGreaterThan(60);
    expect(offsets).toEqual(offsets.map((_, i) => i));
  });

  it("has no deadline unless given", async () => {
    const { peer, clock } = await startRig({ "step.attach": () => new Promise(() => {}) });
    const ended: string[] = [];
    peer.stream("step.attach", KEY, () => {}).catch((error: RpcError) => ended.push(`none ${error.code}`));
    peer
      .stream("step.attach", KEY, () => {}, { deadlineMs: 5000 })
      .catch((error: RpcError) => ended.push(`5 s ${error.code}`));
    await settle();
    clock.advance(1e9);
    await settle();
    expect(ended).toEqual(["5 s DEADLINE"]);
  });

  it("rejects with its handler's error after the items that came before", async () => {
    const { peer } = await startRig({
      "step.attach": async (_, sink) => {
        for (let i = 0; i < 50; i++) void sink.send(data(i));
        throw new RpcError("UNKNOWN_STEP", "no step 1.0 here");
      },
    });
    let items = 0;
    const error = await errorOf(
      peer.stream("step.attach", KEY, async () => {
        await settle(1);
        items++;
      }),
    );
    expect(error.code).toBe("UNKNOWN_STEP");
    expect(items).toBe(50);
  });
});

describe("the consumer of a stream", () => {
  it("ends it by throwing; the sender is told", async () => {
    const { handler, seen } = sender(1000);
    let sendError: unknown;
    const { peer, lines } = await startRig({
      "step.attach": (...all) =>
        handler(...all).catch((error: unknown) => {
          sendError = error;
          throw error;
        }),
    });
    let items = 0;
    const broken = new Error("disk full");
    const watching = peer.stream("step.attach", KEY, () => {
      if (++items === 3) throw broken;
    });
    await expect(watching).rejects.toBe(broken);
    await settle();
    expect(items).toBe(3);
    expect(seen.sent).toBeLessThan(1000);
    expect(sendError).toMatchObject({ code: "CANCELLED" });
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
    await expect(peer.call("ping", {})).resolves.toBeDefined();
  });

  it("ends it by rejecting", async () => {
    const { peer } = await startRig({ "step.attach": sender(1000).handler });
    const watching = peer.stream("step.attach", KEY, async () => {
      throw new Error("disk full");
    });
    await expect(watching).rejects.toThrow("disk full");
  });

  it("is told BAD_RESULT with the path of a bad item", async () => {
    const { peer } = await startRig({
      "step.attach": async (_, sink) => {
        await sink.send({ ...data(0), task: -1 } as never);
        return END;
      },
    });
    const error = await errorOf(peer.stream("step.attach", KEY, () => {}));
    expect(error.code).toBe("BAD_RESULT");
    expect(error.message).toContain("task in an item of step.attach");
  });

  it("cancels it by its signal: no item comes after that", async () => {
    const { handler, seen } = sender(10_000);
    const { peer } = await startRig({ "step.attach": handler });
    const controller = new AbortController();
    let items = 0;
    const watching = errorOf(
      peer.stream(
        "step.attach",
        KEY,
        () => {
          if (++items === 30) controller.abort();
        },
        { signal: controller.signal },
      ),
    );
    expect((await watching).code).toBe("CANCELLED");
    await settle(100);
    const { sent } = seen;
    await settle(100);
    expect(items).toBe(30);
    expect(seen.sent).toBe(sent);
  });

  it("may close the peer from within", async () => {
    const { peer } = await startRig({ "step.attach": sender(100).handler });
    let items = 0;
    const watching = peer.stream("step.attach", KEY, () => {
      items++;
      peer.close();
    });
    expect((await errorOf(watching)).code).toBe("LOST_CONTACT");
    await settle();
    expect(items).toBe(1);
  });

  it("still gets what came before the connection was lost, if that was all of it", async () => {
    const { peer, net } = await startRig({ "step.attach": sender(10).handler });
    let items = 0;
    const watching = peer.stream("step.attach", KEY, async () => {
      await settle(20);
      items++;
    });
    await settle(30);
    net.breakAll("ECONNRESET");
    await expect(watching).resolves.toEqual(END);
    expect(items).toBe(10);
  });
});

describe("the sink", () => {
  /** A stream whose handler hands out its sink and waits. */
  async function openSink() {
    let sink: AttachSink | undefined;
    let context: CallContext | undefined;
    let finish: () => void = () => {};
    const rig = await startRig({
      "step.attach": (_, given, of) => {
        sink = given;
        context = of;
        return new Promise((resolve) => {
          finish = () => resolve(END);
        });
      },
    });
    const controller = new AbortController();
    const watching = rig.peer.stream("step.attach", KEY, () => {}, { signal: controller.signal });
    watching.catch(() => {});
    await settle();
    if (sink === undefined || context === undefined) throw new Error("the handler was not called");
    return { ...rig, sink, context, controller, watching, finish: () => finish() };
  }

  it("rejects once the caller cancelled", async () => {
    const { sink, context, controller } = await openSink();
    controller.abort();
    await settle();
    expect((await errorOf(sink.send(data(0)))).code).toBe("CANCELLED");
    expect(context.signal.aborted).toBe(true);
  });

  it("rejects once the caller is gone, with all sends that wait", async () => {
    const { sink, context, net } = await openSink();
    const waiting = Array.from({ length: 60 }, (_, i) =>
      sink.send(data(i)).then(
        () => "sent",
        (error: RpcError) => error.code,
      ),
    );
    net.breakAll("ECONNRESET");
    const outcomes = await Promise.all(waiting);
    expect(outcomes.filter((outcome) => outcome === "LOST_CONTACT").length).toBeGreaterThan(30);
    expect((await errorOf(sink.send(data(0)))).code).toBe("LOST_CONTACT");
    expect(context.signal.aborted).toBe(true);
  });

  it("rejects after its handler returned", async () => {
    const { sink, finish, watching } = await openSink();
    finish();
    await watching;
    expect((await errorOf(sink.send(data(0)))).code).toBe("CANCELLED");
  });

  it("refuses a single item that is too large, and goes on", async () => {
    const { sink, finish, watching } = await openSink();
    expect((await errorOf(sink.send(data(0, 17 * 1024 * 1024)))).code).toBe("TOO_LARGE");
    await sink.send(data(1));
    finish();
    await expect(watching).resolves.toEqual(END);
  });

  it("refuses to hold without limit what nobody awaits", async () => {
    const { sink } = await openSink();
    const sends = Array.from({ length: 10 }, () => sink.send(data(0, 8 * 1024 * 1024)));
    const outcomes = await Promise.allSettled(sends);
    expect(outcomes.at(-1)).toMatchObject({ status: "rejected", reason: { code: "TOO_LARGE" } });
  });

  it("waits for the socket to drain", async () => {
    const net = memoryNet({ highWaterBytes: 20_000 });
    const { handler, seen } = sender(20);
    const { accepted } = await startRigOver(net, ADDRESS, {}, { clientHandlers: { "step.attach": handler } });
    let items = 0;
    const watching = accepted[0]?.stream("step.attach", KEY, () => void items++);
    await settle(2);
    net.pauseAccepted();
    await settle();
    expect(seen.sent * ITEM_BYTES).toBeLessThan(60_000);
    net.resumeAccepted();
    await watching;
    expect(items).toBe(20);
  });

  it("does not disturb unary calls while its window is full", async () => {
    const { peer } = await startRig({ "step.attach": sender(1000).handler });
    const watching = peer.stream("step.attach", KEY, () => new Promise(() => {}));
    watching.catch(() => {});
    await settle();
    await expect(peer.call("ping", {})).resolves.toBeDefined();
  });
});

describe("a peer that breaks the rules of streams", () => {
  it("is cut off when it acknowledges more than was sent", async () => {
    const { net, accepted } = await startRig({ "step.attach": sender(1000).handler });
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO], [0, 2, "step.attach", KEY], [2, "stream.ack", { call: 2, bytes: 1e9 }]);
    await settle();
    expect(await accepted[1]?.closed).toContain("MALFORMED: a stream.ack for more than was sent");
  });

  it("is cut off when it ignores the window", async () => {
    const { net, accepted } = await startRig({});
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO]);
    await settle();
    const watching = errorOf(accepted[1]?.stream("step.attach", KEY, () => new Promise(() => {})) as Promise<unknown>);
    await settle();
    for (let i = 0; i < 30; i++) caller.send([2, "stream.item", { call: 1, value: data(i) }]);
    expect((await watching).message).toContain("beyond the stream's window");
  });

  it("is cut off when it streams into a unary call", async () => {
    const { net, accepted } = await startRig({});
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO]);
    await settle();
    const call = errorOf(accepted[1]?.call("ping", {}) as Promise<unknown>);
    caller.send([2, "stream.item", { call: 1, value: 1 }]);
    expect((await call).message).toContain("MALFORMED");
  });
});
