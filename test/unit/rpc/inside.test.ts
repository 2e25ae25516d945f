import { describe, expect, it } from "vitest";
import { PROTOCOL } from "../../../src/protocol/envelope.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Hello, NodeLaunch } from "../../../src/protocol/procedures.ts";
import { servePeersOf } from "../../../src/rpc/serve.ts";
import type { AnyHandlers, CallContext } from "../../../src/rpc/types.ts";
import { batchLaunch } from "../node/sample-launch.ts";
import { manualClock } from "./manual-clock.ts";
import { errorOf, IDENTITY, type LogLine, memoryLog } from "./rig.ts";

const HELLO: Hello = {
  ...{ role: "node", protocol: PROTOCOL, version: "0.1.0" },
  user: { uid: 1000, gid: 1000, name: "ada" },
};

const VITALS = { loadCenti: 5, freeMemoryMiB: 1, bootAt: 1, sockets: 1, coresPerSocket: 1, threadsPerCore: 1 };

/** A controller with these handlers, and a node of the same process. */
function join(controller: AnyHandlers, node: AnyHandlers = {}) {
  const clock = manualClock();
  const lines: LogLine[] = [];
  const contexts: CallContext[] = [];
  const ping: AnyHandlers = {
    "node.vitals": (_, context) => {
      contexts.push(context);
      return {};
    },
  };
  const server = servePeersOf({ clock, log: memoryLog(lines) }, () => IDENTITY, { ...ping, ...controller });
  const { peer, answer } = server.join(HELLO, node);
  const other = async () => {
    await peer.call("node.vitals", VITALS);
    return (contexts.at(-1) as CallContext).peer;
  };
  return { peer, answer, other, clock, server, lines, contexts };
}

describe("a connection inside of a process", () => {
  it("is open at once, and either end calls", async () => {
    const seen: unknown[] = [];
    const { answer, other, contexts } = join(
      {},
      {
        "node.terminate": (order, { hello }) => {
          seen.push(order, hello.role);
          return {};
        },
      },
    );
    expect(answer).toEqual(IDENTITY);
    const node = await other();
    expect(contexts[0]?.hello).toEqual(HELLO);
    await expect(node.call("node.terminate", { jobId: 7, attempt: 1 })).resolves.toEqual({});
    await expect(node.call("ping", {})).resolves.toMatchObject({ now: expect.any(Number) });
    expect(seen).toEqual([{ jobId: 7, attempt: 1 }, "node"]);
  });

  it("hands over what is said for each job as it is, and anything else as a wire would", async () => {
    const launches: NodeLaunch[] = [];
    const orders: unknown[] = [];
    const { other } = join(
      {},
      {
        "node.launch": (launch) => {
          launches.push(launch);
          return {};
        },
        "node.terminate": (order) => {
          orders.push(order);
          return {};
        },
      },
    );
    const node = await other();
    const launch = batchLaunch();
    await node.call("node.launch", launch);
    expect(launches[0]).toBe(launch);
    const order = { jobId: 7, attempt: 1, newer: "unknown" };
    await node.call("node.terminate", order);
    expect(orders).toEqual([{ jobId: 7, attempt: 1 }]);
    const bad = await errorOf(node.call("node.terminate", { jobId: -1, attempt: 1 }));
    expect(bad).toMatchObject({ code: "BAD_PARAMS", message: expect.stringContaining("jobId") });
  });

  it("answers in a later turn than that of the call, in the order of the calls", async () => {
    const seen: number[] = [];
    const { other } = join(
      {},
      {
        "node.launch": ({ key }) => {
          seen.push(key.jobId);
          return {};
        },
      },
    );
    const node = await other();
    const launch = (jobId: number) =>
      node.call("node.launch", batchLaunch({ key: { jobId, attempt: 1, stepId: "batch" } }));
    const calls = [launch(1), launch(2)];
    expect(seen).toEqual([]);
    await Promise.all(calls);
    expect(seen).toEqual([1, 2]);
  });

  it("passes errors on, and keeps what is none for callers in the log", async () => {
    const { other, peer, lines } = join(
      {
        "node.report": () => {
          throw new Error("broken");
        },
      },
      { "node.launch": async () => Promise.reject(new RpcError("STORAGE", "full")) },
    );
    const node = await other();
    expect(await errorOf(node.call("node.launch", batchLaunch()))).toMatchObject({ code: "STORAGE", message: "full" });
    expect(await errorOf(peer.call("node.report", { reports: [] }))).toMatchObject({ code: "INTERNAL" });
    expect(lines.at(-1)).toMatchObject({ level: "error", method: "node.report" });
    expect(await errorOf(node.call("node.shutdown", { holders: true }))).toMatchObject({ code: "UNKNOWN_METHOD" });
  });

  it("ends calls at their deadline, by their signal, and with the connection, whichever end closes it", async () => {
    const open: CallContext[] = [];
    const stuck = (_: unknown, context: CallContext) => {
      open.push(context);
      return new Promise<never>(() => {});
    };
    const { other, peer, clock, server } = join({ "node.report": stuck }, { "node.launch": stuck });
    const node = await other();
    const late = errorOf(node.call("node.launch", batchLaunch(), { deadlineMs: 5000 }));
    const aborter = new AbortController();
    const aborted = errorOf(node.call("node.launch", batchLaunch(), { signal: aborter.signal }));
    const lost = errorOf(peer.call("node.report", { reports: [] }, { deadlineMs: null }));
    await Promise.resolve();
    expect(open.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
    clock.advance(5000);
    expect(await late).toMatchObject({ code: "DEADLINE" });
    aborter.abort();
    expect(await aborted).toMatchObject({ code: "CANCELLED" });
    server.close();
    expect(await lost).toMatchObject({ code: "LOST_CONTACT" });
    expect(open.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
    expect(await Promise.all([node.closed, peer.closed])).toEqual(["", ""]);
    expect(await errorOf(peer.call("ping", {}))).toMatchObject({ code: "LOST_CONTACT" });
    expect(clock.pending).toBe(0);
  });
});
