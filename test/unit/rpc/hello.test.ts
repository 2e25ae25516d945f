import { describe, expect, it } from "vitest";
import { encodeFrame } from "../../../src/protocol/codec.ts";
import { FRAME_BYTES_MAX_BEFORE_HELLO } from "../../../src/protocol/envelope.ts";
import { connectPeer } from "../../../src/rpc/connect.ts";
import { servePeersOf } from "../../../src/rpc/serve.ts";
import { manualClock } from "./manual-clock.ts";
import { memoryNet } from "./memory-net.ts";
import { ADDRESS, errorOf, HELLO, IDENTITY, memoryLog, rawCaller, settle, startRig } from "./rig.ts";

const NEWER = { major: 2, minor: 3 };

describe("hello", () => {
  it("tells each side who the other is", async () => {
    const { answer, accepted, server } = await startRig({});
    expect(answer).toEqual(IDENTITY);
    expect(accepted).toHaveLength(1);
    server.close();
  });

  it("calls onPeer before any further call of that peer", async () => {
    const order: string[] = [];
    const handlers = {
      "controller.shutdown": () => {
        order.push("call");
        return { cancelled: [] };
      },
    };
    const { net } = await startRig(handlers, { onPeer: (_, { user }) => order.push(user.name) });
    const caller = await rawCaller(net);
    const call = [0, 2, "controller.shutdown", { force: false }];
    // One write, so that the call is in the same chunk as the hello.
    caller.connection.write(Buffer.concat([encodeFrame([0, 1, "hello", HELLO]), encodeFrame(call)]));
    await settle();
    expect(order).toEqual(["ada", "ada", "call"]);
    expect(caller.received).toEqual([
      [1, 1, null, IDENTITY],
      [1, 2, null, { cancelled: [] }],
    ]);
  });

  it("sends what onPeer sends after the answer", async () => {
    const { net } = await startRig({}, { onPeer: (peer) => void peer.call("ping", {}).catch(() => {}) });
    const caller = await rawCaller(net);
    caller.send([0, 1, "hello", HELLO]);
    await settle();
    expect(caller.received).toEqual([
      [1, 1, null, IDENTITY],
      [0, 1, "ping", {}],
    ]);
  });

  it("believes nothing of who somebody is where that was proven, but which of its groups it works in", async () => {
    const net = memoryNet();
    const clock = manualClock();
    const log = memoryLog([]);
    const greeted: unknown[] = [];
    const server = servePeersOf(
      { clock, log },
      () => IDENTITY,
      {},
      (_, { user, role }) => {
        greeted.push([role, user.uid, user.gid, user.name]);
      },
    );
    const caller = { grade: "user", identity: "ada (uid 1000)", name: "ada", from: "this machine" } as const;
    const proven = { caller, user: { uid: 1000, gid: 5, name: "ada" }, groups: [5, 7] };
    await net.listen(ADDRESS, (connection) => server.accept(connection, proven));
    for (const gid of [7, 0]) {
      const lie = { ...HELLO, role: "node", user: { uid: 0, gid, name: "root" } } as const;
      await connectPeer({ net, clock, log }, ADDRESS, lie);
    }
    expect(greeted).toEqual([
      ["client", 1000, 7, "ada"],
      ["client", 1000, 5, "ada"],
    ]);
  });

  it.each([
    ["another call", [[0, 1, "ping", {}]], "NO_HELLO"],
    ["a hello with a bad field", [[0, 1, "hello", { ...HELLO, role: "king" }]], "BAD_PARAMS"],
    ["a hello without a version", [[0, 1, "hello", {}]], "BAD_PARAMS"],
    ["a newer major", [[0, 1, "hello", { ...HELLO, protocol: NEWER }]], "VERSION"],
  ])("answers %s with an error and closes", async (_, frames, code) => {
    const { net, accepted, lines } = await startRig({});
    const caller = await rawCaller(net);
    caller.send(...frames, [0, 2, "ping", {}]);
    await settle();
    expect(caller.received).toEqual([[1, 1, expect.objectContaining({ code }), null]]);
    expect(caller.closed.problem).toBe("");
    expect(accepted).toHaveLength(1);
    expect(lines).toContainEqual(expect.objectContaining({ level: "warn", code }));
  });

  it.each([
    ["a notification", [2, "x", {}]],
    ["an answer", [1, 1, null, {}]],
    ["a frame above the early limit", [0, 1, "hello", { ...HELLO, version: "v".repeat(FRAME_BYTES_MAX_BEFORE_HELLO) }]],
  ])("closes without an answer after %s", async (_, frame) => {
    const { net } = await startRig({});
    const caller = await rawCaller(net);
    caller.send(frame);
    await settle();
    expect(caller.received).toEqual([]);
    expect(caller.closed.problem).toBe("");
  });

  it("has no second chance, not even in the same chunk", async () => {
    const { net, accepted } = await startRig({});
    const caller = await rawCaller(net);
    const frames = [
      [0, 1, "ping", {}],
      [0, 2, "hello", HELLO],
    ].map(encodeFrame);
    caller.connection.write(Buffer.concat(frames));
    await settle();
    expect(caller.received).toHaveLength(1);
    expect(accepted).toHaveLength(1);
  });

  it("closes after garbage", async () => {
    const { net, lines } = await startRig({});
    const caller = await rawCaller(net);
    caller.connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await settle();
    expect(caller.closed.problem).toBe("");
    expect(lines).toContainEqual(expect.objectContaining({ level: "warn", message: "closing a connection" }));
  });

  it("accepts large frames once it succeeded", async () => {
    const { peer } = await startRig({ "controller.shutdown": () => ({ cancelled: [] }) });
    const padded = { force: true, padding: "p".repeat(100_000) };
    await expect(peer.call("controller.shutdown", padded)).resolves.toEqual({ cancelled: [] });
  });

  it("refuses a second one, and goes on", async () => {
    const { peer } = await startRig({});
    expect((await errorOf(peer.call("hello", HELLO))).code).toBe("BAD_PARAMS");
    await expect(peer.call("ping", {})).resolves.toEqual({ now: expect.any(Number) });
  });

  it("must come within 10 s", async () => {
    const { net, clock } = await startRig({});
    const caller = await rawCaller(net);
    await settle();
    clock.advance(9999);
    await settle();
    expect(caller.closed.problem).toBe(null);
    clock.advance(1);
    await settle();
    expect(caller.closed.problem).toBe("");
  });

  it("leaves no timer behind", async () => {
    const { clock, peer } = await startRig({});
    expect(clock.pending).toBe(0);
    peer.close();
    await settle();
    expect(clock.pending).toBe(0);
  });
});

describe("a version mismatch", () => {
  it.each([
    ["the caller is older", { hello: HELLO, identity: { ...IDENTITY, protocol: NEWER, version: "0.9.0" } }, "client"],
    ["the daemon is older", { hello: { ...HELLO, protocol: NEWER, version: "0.9.0" } }, "mgpuctld"],
  ])("names both versions and who must upgrade when %s", async (_, options, older) => {
    const error = await errorOf(startRig({}, options));
    expect(error.code).toBe("VERSION");
    expect(error.message).toContain("protocol 1.0 (mgpu 0.1.0)");
    expect(error.message).toContain("protocol 2.3 (mgpu 0.9.0)");
    expect(error.message).toContain(`upgrade the ${older} side`);
  });

  it("does not matter within a major", async () => {
    const { answer } = await startRig({}, { hello: { ...HELLO, protocol: { major: 1, minor: 99 } } });
    expect(answer).toEqual(IDENTITY);
  });

  it("is seen by the caller too, where a daemon does not look", async () => {
    const { net, connect } = await startFakeDaemon([1, 1, null, { ...IDENTITY, protocol: NEWER }]);
    const error = await errorOf(connect());
    expect(error.code).toBe("VERSION");
    net.breakAll("");
  });
});

describe("connectPeer", () => {
  it("rejects with the socket's error where nobody listens, and leaves no timer", async () => {
    const clock = manualClock();
    const ports = { net: memoryNet(), clock, log: memoryLog([]) };
    await expect(connectPeer(ports, ADDRESS, HELLO)).rejects.toMatchObject({ code: "ENOENT" });
    expect(clock.pending).toBe(0);
  });

  it("gives up on a silent daemon at its deadline", async () => {
    const { clock, connect, closed } = await startFakeDaemon(null);
    const connecting = errorOf(connect({ deadlineMs: 700 }));
    await settle();
    clock.advance(700);
    const error = await connecting;
    expect(error.code).toBe("DEADLINE");
    expect(error.message).toContain(ADDRESS.path);
    await settle();
    expect(closed()).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("closes a connection that opens after its deadline", async () => {
    const net = memoryNet();
    const clock = manualClock();
    let closed = false;
    await net.listen(ADDRESS, () => ({ data: () => {}, drain: () => {}, close: () => (closed = true) }));
    const slow = {
      ...net,
      connect: async (...of: Parameters<typeof net.connect>) => {
        await settle(5);
        return net.connect(...of);
      },
    };
    const connecting = errorOf(connectPeer({ net: slow, clock, log: memoryLog([]) }, ADDRESS, HELLO));
    clock.advance(10_000);
    expect((await connecting).code).toBe("DEADLINE");
    await settle();
    expect(closed).toBe(true);
  });

  it.each([
    ["a call before the answer", [0, 1, "ping", {}], "LOST_CONTACT"],
    ["an answer to another call", [1, 2, null, {}], "LOST_CONTACT"],
    ["an answer that is no identity", [1, 1, null, {}], "BAD_RESULT"],
  ])("rejects after %s", async (_, frame, code) => {
    const { connect } = await startFakeDaemon(frame);
    expect((await errorOf(connect())).code).toBe(code);
  });
});

/** Listens by hand, and sends `frame` at the first bytes that come. */
async function startFakeDaemon(frame: unknown) {
  const net = memoryNet();
  const clock = manualClock();
  let isClosed = false;
  await net.listen(ADDRESS, (connection) => ({
    data: () => void (frame === null || connection.write(encodeFrame(frame))),
    drain: () => {},
    close: () => {
      isClosed = true;
    },
  }));
  const ports = { net, clock, log: memoryLog([]) };
  const connect = (options?: { readonly deadlineMs: number }) => connectPeer(ports, ADDRESS, HELLO, {}, options);
  return { net, clock, connect, closed: () => isClosed };
}
