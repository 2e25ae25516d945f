import { beforeEach, describe, expect, it } from "vitest";
import type { StepKey } from "../../../src/core/ids.ts";
import { connectHolder, type HolderClientPorts } from "../../../src/node/holder-client.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { HolderStep } from "../../../src/protocol/holder.ts";
import { createHandClock, type HandClock, settle } from "./hand-clock.ts";
import { VirtualHolderHost } from "./virtual-holder-host.ts";

const SOCKET = "/run/h.sock";
const KEY = { jobId: 7, attempt: 1, stepId: 0 } as const;
const STEP: HolderStep = { key: KEY, phase: "running", exits: [], problem: "", clean: false };

let host: VirtualHolderHost;
let clock: HandClock;
let ports: HolderClientPorts;
beforeEach(() => {
  host = new VirtualHolderHost();
  clock = createHandClock();
  ports = { clock, log: silentLog(), dial: host.dial };
});

describe("a holder's client", () => {
  it("calls it by the table's names", async () => {
    const holder = host.listen(SOCKET, 5);
    holder.answers["holder.status"] = { steps: [STEP] };
    holder.answers["holder.shutdown"] = { ending: true };
    const client = await connectHolder(ports, SOCKET);
    expect(client.identity).toEqual({ socket: SOCKET, pid: 5, version: "1", startedAt: 5 });
    await client.signal(KEY, 10, true);
    await client.terminate(7, 1, 30_000);
    await client.terminate(7, 1, 0, { elsewhere: ["7.1.2"] });
    const forgotten = client.forget(KEY);
    expect(await client.status()).toEqual([STEP]);
    await forgotten;
    expect(await client.shutdown()).toBe(true);
    expect(holder.calls).toEqual([
      ["holder.signal", { key: KEY, signal: 10, tree: true }],
      ["holder.terminate", { jobId: 7, attempt: 1, killWaitMs: 30_000 }],
      ["holder.terminate", { jobId: 7, attempt: 1, killWaitMs: 0, elsewhere: ["7.1.2"] }],
      ["holder.release", { keys: [KEY] }],
      ["holder.status", {}],
      ["holder.shutdown", { discard: false }],
    ]);
  });

  it("tells it what it may forget with the next launch, or some milliseconds later, in one call", async () => {
    const holder = host.listen(SOCKET, 5);
    const client = await connectHolder(ports, SOCKET);
    const [a, b, c] = [1, 2, 3].map((jobId) => ({ ...KEY, jobId }) as const) as [StepKey, StepKey, StepKey];
    const first = [client.forget(a), client.forget(b)];
    await settle();
    expect(holder.calls).toEqual([]);
    void client.launch({ key: c } as never);
    await Promise.all(first);
    expect(holder.calls).toEqual([
      ["holder.release", { keys: [a, b] }],
      ["holder.launch", { key: c }],
    ]);
    const last = client.forget(c);
    await clock.advance(20);
    await last;
    expect(holder.calls.at(-1)).toEqual(["holder.release", { keys: [c] }]);
  });

  it("tells a holder of an earlier version step by step", async () => {
    const holder = host.listen(SOCKET, 5);
    holder.answers["holder.release"] = new RpcError("UNKNOWN_METHOD", "there is no method");
    const client = await connectHolder(ports, SOCKET);
    const other = { ...KEY, jobId: 8 };
    const forgotten = [client.forget(KEY), client.forget(other)];
    await clock.advance(20);
    await Promise.all(forgotten);
    const again = client.forget(KEY);
    await clock.advance(20);
    await again;
    expect(holder.calls.map(([method]) => method)).toEqual(["holder.release", ...Array(3).fill("holder.forget")]);
  });

  it("rejects what it could not tell it", async () => {
    host.listen(SOCKET, 5);
    const client = await connectHolder(ports, SOCKET);
    const forgotten = client.forget(KEY);
    forgotten.catch(() => {});
    host.die(SOCKET);
    await settle();
    await clock.advance(20);
    await expect(forgotten).rejects.toBeDefined();
  });

  it("passes changes on, and goes on after a broken connection", async () => {
    const holder = host.listen(SOCKET, 5);
    const client = await connectHolder(ports, SOCKET);
    const seen: string[] = [];
    let isGone = false;
    client.onChange((step) => seen.push(step.phase));
    client.onGone(() => {
      isGone = true;
    });
    holder.tell(STEP);
    holder.breakConnections();
    await settle();
    holder.tell({ ...STEP, phase: "ended" });
    expect([seen, isGone, holder.connections]).toEqual([["running", "ended"], false, 1]);
  });

  it("ends open calls with LOST_CONTACT when the connection breaks", async () => {
    const holder = host.listen(SOCKET, 5);
    holder.answers["holder.status"] = new Promise(() => {});
    const client = await connectHolder(ports, SOCKET);
    const status = client.status();
    holder.breakConnections();
    await expect(status).rejects.toMatchObject({ code: "LOST_CONTACT" });
  });

  it("says once that the holder is gone, also to who asks late", async () => {
    host.listen(SOCKET, 5);
    const client = await connectHolder(ports, SOCKET);
    let times = 0;
    client.onGone(() => {
      times += 1;
    });
    host.die(SOCKET);
    await settle();
    client.onGone(() => {
      times += 1;
    });
    expect(times).toBe(2);
  });

  it("does not take a new holder at the same socket for the old one", async () => {
    host.listen(SOCKET, 5);
    const client = await connectHolder(ports, SOCKET);
    let isGone = false;
    client.onGone(() => {
      isGone = true;
    });
    const old = host.sockets.get(SOCKET);
    const next = host.listen(SOCKET, 6);
    old?.breakConnections();
    await settle();
    expect([isGone, next.connections]).toEqual([true, 0]);
  });

  it("tries again for a while when it listens but does not answer", async () => {
    const holder = host.listen(SOCKET, 5);
    const client = await connectHolder(ports, SOCKET);
    let isGone = false;
    client.onGone(() => {
      isGone = true;
    });
    host.dialErrors.push(...Array.from({ length: 4 }, () => new RpcError("DEADLINE", "no answer")));
    holder.breakConnections();
    await clock.advance(1000);
    expect([isGone, holder.connections]).toEqual([false, 1]);
    host.dialErrors.push(...Array.from({ length: 5 }, () => new RpcError("DEADLINE", "no answer")));
    holder.breakConnections();
    await clock.advance(1000);
    expect(isGone).toBe(true);
  });

  it("refuses who is no holder", async () => {
    const stranger = host.listen(SOCKET, 5, { daemon: "mgpuctld" });
    await expect(connectHolder(ports, SOCKET)).rejects.toThrow("mgpuctld listens at /run/h.sock");
    expect(stranger.connections).toBe(0);
  });
});
