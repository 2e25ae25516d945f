import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { Address, ConnectionEvents } from "../../../src/platform/net.ts";
import { encodeFrame } from "../../../src/protocol/codec.ts";
import { CALLS_IN_FLIGHT_MAX, FRAME_BYTES_MAX } from "../../../src/protocol/envelope.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { UNSENT_BYTES_MAX } from "../../../src/rpc/outbox.ts";
import type { CallContext } from "../../../src/rpc/types.ts";
import { memoryNet } from "./memory-net.ts";
import { ADDRESS, errorOf, HELLO, rawCaller, settle, startRig, startRigOver } from "./rig.ts";

const shutdown = { "controller.shutdown": () => ({ cancelled: [1, 2] }) };
/** Never answers by itself; keeps the contexts of its calls. */
function stuck(contexts: CallContext[] = []) {
  return {
    contexts,
    "controller.shutdown": (_: unknown, context: CallContext) => {
      contexts.push(context);
      return new Promise<never>(() => {});
    },
  };
}

describe("a call", () => {
  it("is answered, from either side", async () => {
    const asked: unknown[] = [];
    const { peer, accepted } = await startRig(shutdown, {
      clientHandlers: {
        "node.terminate": async (params, { hello }) => {
          asked.push(params, hello.role, hello.version);
          return {};
        },
      },
    });
    await expect(peer.call("controller.shutdown", { force: true })).resolves.toEqual({ cancelled: [1, 2] });
    await expect(accepted[0]?.call("node.terminate", { jobId: 7, attempt: 1 })).resolves.toEqual({});
    expect(asked).toEqual([{ jobId: 7, attempt: 1 }, "operator", "0.1.0"]);
  });

  it("shows the handler its caller", async () => {
    const { contexts, ...handlers } = stuck();
    const { peer, accepted } = await startRig(handlers);
    void peer.call("controller.shutdown", { force: true }).catch(() => {});
    await settle();
    expect(contexts[0]).toMatchObject({ hello: HELLO, peer: accepted[0] });
    expect(contexts[0]?.signal.aborted).toBe(false);
  });

  it("pings without a handler", async () => {
    const { peer, accepted, clock } = await startRig({});
    await expect(peer.call("ping", {})).resolves.toEqual({ now: clock.now() });
    await expect(accepted[0]?.call("ping", {})).resolves.toEqual({ now: clock.now() });
  });

  it("drops fields that it does not know, and names the bad one", async () => {
    const seen: unknown[] = [];
    const { peer } = await startRig({
      "jobs.cancel": (params) => {
        seen.push(params);
        return { jobs: [] };
      },
    });
    const filter = { ids: [1], users: [], states: [], names: [], partitions: [] };
    const params = { filter, stepId: null, signal: 9, cause: "" };
    await peer.call("jobs.cancel", { ...params, later: true } as never);
    expect(seen).toEqual([params]);
    const bad = { ...params, filter: { ...filter, ids: [1, "two"] } };
    const error = await errorOf(peer.call("jobs.cancel", bad as never));
    expect(error).toMatchObject({ code: "BAD_PARAMS" });
    expect(error.message).toMatch(/^filter\.ids\.1 in params of jobs\.cancel: .*number/);
    expect(seen).toHaveLength(1);
  });

  it("does not repeat a long bad value in its message", async () => {
    const { peer } = await startRig(shutdown);
    const error = await errorOf(peer.call("controller.shutdown", { force: "x".repeat(100_000) } as never));
    expect(error.message.length).toBeLessThan(500);
  });

  it("rejects with BAD_RESULT and the path when the answer does not fit", async () => {
    const { peer } = await startRig({ "controller.shutdown": () => ({ cancelled: [0] }) });
    const error = await errorOf(peer.call("controller.shutdown", { force: true }));
    expect(error.code).toBe("BAD_RESULT");
    expect(error.message).toContain("cancelled.0 in the result of controller.shutdown");
  });

  it.each(["no.such.method", "constructor", "toString", "__proto__"])("knows no method %s", async (method) => {
    const { peer } = await startRig(shutdown);
    const error = await errorOf(peer.call(method as never, {} as never));
    expect(error.code).toBe("UNKNOWN_METHOD");
  });

  it("says whose method it is when this side has no handler", async () => {
    const { peer } = await startRig(shutdown);
    const error = await errorOf(peer.call("node.terminate", { jobId: 1, attempt: 1 }));
    expect(error).toMatchObject({ code: "UNKNOWN_METHOD" });
    expect(error.message).toContain("answered by a node");
  });

  it.each([
    [
      "at once",
      (error: Error) => {
        throw error;
      },
    ],
    [
      "later",
      async (error: Error) => {
        await settle(1);
        throw error;
      },
    ],
  ])("passes an RpcError thrown %s", async (_, fail) => {
    const thrown = new RpcError("JOBS_RUNNING", "2 jobs run", "use --force");
    const { peer } = await startRig({ "controller.shutdown": () => fail(thrown) as never });
    const error = await errorOf(peer.call("controller.shutdown", { force: false }));
    expect(error).toMatchObject({ code: "JOBS_RUNNING", message: "2 jobs run", hint: "use --force" });
  });

  it("keeps other exceptions in the log", async () => {
    let bug = "first secret";
    const { peer, lines } = await startRig({
      "controller.shutdown": async () => {
        throw new TypeError(bug);
      },
    });
    const first = await errorOf(peer.call("controller.shutdown", { force: false }));
    bug = "second secret";
    const second = await errorOf(peer.call("controller.shutdown", { force: false }));
    expect([first.code, second.code]).toEqual(["INTERNAL", "INTERNAL"]);
    expect(first.message).toContain("logId 1");
    expect(second.message).toContain("logId 2");
    expect(first.message + second.message).not.toContain("secret");
    expect(lines).toContainEqual({
      level: "error",
      message: "a handler failed",
      method: "controller.shutdown",
      logId: 2,
      stack: expect.stringMatching(/TypeError: second secret\n.*calls\.test\.ts/),
    });
  });

  it("is refused when too large, and so is its answer; the connection lives on", async () => {
    const large = "x".repeat(FRAME_BYTES_MAX);
    const { peer } = await startRig({
      ...shutdown,
      "nodes.list": () => ({ nodes: [], now: 1, large }),
    });
    expect((await errorOf(peer.call("controller.shutdown", { force: large } as never))).code).toBe("TOO_LARGE");
    expect((await errorOf(peer.call("nodes.list", {}))).code).toBe("TOO_LARGE");
    await expect(peer.call("controller.shutdown", { force: true })).resolves.toEqual({ cancelled: [1, 2] });
  });

  it("is refused when too many are open", async () => {
    const { contexts, ...handlers } = stuck();
    const { peer } = await startRig(handlers);
    const calls = Array.from({ length: CALLS_IN_FLIGHT_MAX }, () => peer.call("controller.shutdown", { force: true }));
    for (const call of calls) call.catch(() => {});
    expect((await errorOf(peer.call("controller.shutdown", { force: true }))).code).toBe("TOO_MANY_CALLS");
    expect((await errorOf(peer.call("ping", {}))).code).toBe("TOO_MANY_CALLS");
    expect(contexts).toHaveLength(CALLS_IN_FLIGHT_MAX);
  });

  it("leaves in one write with the others of its turn", async () => {
    const net = memoryNet();
    const writes: number[] = [];
    const counting = {
      ...net,
      connect: async (address: Address, events: ConnectionEvents) => {
        const connection = await net.connect(address, events);
        const write = connection.write.bind(connection);
        connection.write = (data) => {
          writes.push(data.length);
          return write(data);
        };
        return connection;
      },
    };
    const { peer } = await startRigOver(counting, ADDRESS, {});
    writes.length = 0;
    await Promise.all(Array.from({ length: 100 }, () => peer.call("ping", {})));
    expect(writes).toEqual([100 * encodeFrame([0, 2, "ping", {}]).length]);
  });
});

describe("a deadline", () => {
  it("ends the call and cancels it on the other side", async () => {
    const { contexts, ...handlers } = stuck();
    const { peer, clock } = await startRig(handlers);
    const call = errorOf(peer.call("controller.shutdown", { force: true }, { deadlineMs: 1500 }));
    await settle();
    clock.advance(1499);
    await settle();
    expect(contexts[0]?.signal.aborted).toBe(false);
    clock.advance(1);
    const error = await call;
    expect(error).toMatchObject({ code: "DEADLINE", message: "controller.shutdown took more than 1.5 s" });
    await settle();
    expect(contexts[0]?.signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("is 30 s unless given, and none for null", async () => {
    const { peer, clock } = await startRig(stuck());
    const ended: string[] = [];
    const note = (name: string) => (error: RpcError) => ended.push(`${name} ${error.code}`);
    peer.call("controller.shutdown", { force: true }).catch(note("default"));
    peer.call("controller.shutdown", { force: true }, { deadlineMs: null }).catch(note("none"));
    await settle();
    clock.advance(29_999);
    await settle();
    expect(ended).toEqual([]);
    clock.advance(1e9);
    await settle();
    expect(ended).toEqual(["default DEADLINE"]);
  });
});

describe("a cancelled call", () => {
  it("rejects at once, and aborts its handler", async () => {
    const { contexts, ...handlers } = stuck();
    const { peer, clock } = await startRig(handlers);
    const controller = new AbortController();
    const call = errorOf(peer.call("controller.shutdown", { force: true }, { signal: controller.signal }));
    await settle();
    controller.abort();
    expect((await call).code).toBe("CANCELLED");
    await settle();
    expect(contexts[0]?.signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("is not sent at all when its signal was aborted before", async () => {
    const { contexts, ...handlers } = stuck();
    const { peer } = await startRig(handlers);
    const call = peer.call("controller.shutdown", { force: true }, { signal: AbortSignal.abort() });
    expect((await errorOf(call)).code).toBe("CANCELLED");
    await settle();
    expect(contexts).toEqual([]);
  });

  it("is answered with CANCELLED, once, however its handler ends", async () => {
    const { net } = await startRig({
      "controller.shutdown": ({ force }, { signal }) =>
        new Promise((resolve, reject) => {
          const end = (): void => (force ? resolve({ cancelled: [] }) : reject(new Error("stopped")));
          signal.addEventListener("abort", end);
        }),
    });
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO]);
    caller.send([0, 2, "controller.shutdown", { force: true }], [0, 3, "controller.shutdown", { force: false }]);
    caller.send([2, "call.cancel", { call: 2 }], [2, "call.cancel", { call: 3 }], [2, "call.cancel", { call: 3 }]);
    await settle();
    const cancelled = expect.objectContaining({ code: "CANCELLED" });
    expect(caller.received.slice(1)).toEqual([
      [1, 2, cancelled, null],
      [1, 3, cancelled, null],
    ]);
  });

  it("leaves nothing behind on a signal that many calls share", async () => {
    const { peer } = await startRig({});
    const { signal } = new AbortController();
    await peer.call("ping", {}, { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("may still be answered: that is ignored", async () => {
    let finish: (result: { cancelled: number[] }) => void = () => {};
    const { peer } = await startRig({
      "controller.shutdown": () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    const controller = new AbortController();
    const call = errorOf(peer.call("controller.shutdown", { force: true }, { signal: controller.signal }));
    await settle();
    controller.abort();
    finish({ cancelled: [] });
    expect((await call).code).toBe("CANCELLED");
    await settle();
    await expect(peer.call("ping", {})).resolves.toBeDefined();
  });
});

describe("lost contact", () => {
  it("ends every call exactly once, on both sides", async () => {
    const contexts: CallContext[] = [];
    const { peer, accepted, net, clock } = await startRig(stuck(contexts), {
      clientHandlers: { "node.terminate": () => new Promise(() => {}) },
    });
    const ended: string[] = [];
    const watch = (name: string, call: Promise<unknown> | undefined): void =>
      void call?.then(
        () => ended.push(`${name} resolved`),
        (error: RpcError) => ended.push(`${name} ${error.code}: ${error.message}`),
      );
    watch("one", peer.call("controller.shutdown", { force: true }));
    watch("two", peer.call("controller.shutdown", { force: false }, { signal: new AbortController().signal }));
    watch("three", accepted[0]?.call("node.terminate", { jobId: 1, attempt: 1 }));
    await settle();
    net.breakAll("ECONNRESET");
    await settle();
    clock.advance(1e9);
    await settle();
    expect(ended.sort()).toEqual([
      "one LOST_CONTACT: lost contact with mgpuctld during controller.shutdown: ECONNRESET",
      "three LOST_CONTACT: lost contact with client during node.terminate: ECONNRESET",
      "two LOST_CONTACT: lost contact with mgpuctld during controller.shutdown: ECONNRESET",
    ]);
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    await expect(peer.closed).resolves.toBe("ECONNRESET");
    await expect(accepted[0]?.closed).resolves.toBe("ECONNRESET");
    expect((await errorOf(peer.call("ping", {}))).code).toBe("LOST_CONTACT");
  });

  it("follows an orderly end too, with an empty problem", async () => {
    const { peer, accepted } = await startRig(stuck());
    const call = errorOf(peer.call("controller.shutdown", { force: true }));
    await settle();
    accepted[0]?.close();
    expect((await call).message).toContain("the connection was closed");
    await expect(peer.closed).resolves.toBe("");
    await expect(accepted[0]?.closed).resolves.toBe("");
  });

  it("comes after what was sent before close", async () => {
    const { peer, accepted } = await startRig({
      "controller.shutdown": (_, context) => {
        queueMicrotask(() => context.peer.close());
        return { cancelled: [3] };
      },
    });
    await expect(peer.call("controller.shutdown", { force: true })).resolves.toEqual({ cancelled: [3] });
    await expect(accepted[0]?.closed).resolves.toBe("");
  });

  it("is told to closed even if the other side never lets go", async () => {
    const { peer, accepted, net, clock } = await startRig({});
    net.pauseAccepted();
    let closed = false;
    void peer.closed.then(() => {
      closed = true;
    });
    peer.close();
    await settle();
    expect(closed).toBe(false);
    clock.advance(5000);
    await settle();
    expect(closed).toBe(true);
    expect(accepted).toHaveLength(1);
  });

  it("ends all peers of a server that closes", async () => {
    const { peer, server } = await startRig(stuck());
    const call = errorOf(peer.call("controller.shutdown", { force: true }));
    await settle();
    server.close();
    expect((await call).code).toBe("LOST_CONTACT");
  });
});

describe("a peer that breaks the rules", () => {
  it.each([
    ["an answer to a call never made", [1, 5, null, {}]],
    ["a second call with an open id", [0, 2, "controller.shutdown", { force: true }]],
    ["a stream.item of a call never made", [2, "stream.item", { call: 9, value: 1 }]],
    ["a stream.ack without its numbers", [2, "stream.ack", { call: "x" }]],
    ["a call.cancel without its call", [2, "call.cancel", null]],
    ["no envelope", { method: "ping" }],
  ])("is cut off after %s", async (_, frame) => {
    const { net, accepted, lines, peer } = await startRig(stuck());
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO], [0, 2, "controller.shutdown", { force: true }], frame);
    await settle();
    expect(caller.closed.problem).toBe("");
    expect(await accepted[1]?.closed).toContain("MALFORMED");
    expect(lines).toContainEqual(expect.objectContaining({ level: "warn", peer: "client" }));
    await expect(peer.call("ping", {})).resolves.toBeDefined();
  });

  it("is cut off after a frame above the limit", async () => {
    const { net, accepted } = await startRig({});
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO]);
    caller.connection.write(Uint8Array.of(1, 0, 0, 1));
    await settle();
    expect(await accepted[1]?.closed).toContain("TOO_LARGE");
  });

  it("may send notifications that are not known, and acks and cancels of calls that are over", async () => {
    const { net } = await startRig({});
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO], [2, "new.thing", { x: 1 }], [2, "stream.ack", { call: 1, bytes: 5 }]);
    caller.send([2, "call.cancel", { call: 77 }], [0, 2, "ping", {}]);
    await settle();
    expect(caller.received).toHaveLength(2);
  });

  it("is cut off when it leaves too much unread", async () => {
    const reason = "r".repeat(1024 * 1024);
    const { net, accepted } = await startRig({
      "jobs.cancel": () => ({ jobs: [{ jobId: 1, error: { code: "X", message: reason } }] }),
    });
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO]);
    await settle();
    caller.connection.pause();
    const filter = { ids: [], users: [], states: [], names: [], partitions: [] };
    const calls = UNSENT_BYTES_MAX / reason.length + 10;
    for (let id = 2; id < calls; id++) {
      caller.connection.write(encodeFrame([0, id, "jobs.cancel", { filter, stepId: null, signal: null, cause: "" }]));
    }
    await settle(200);
    caller.connection.resume();
    await settle(200);
    expect(await accepted[1]?.closed).toContain("unread");
  });
});
