import { beforeEach, describe, expect, it } from "vitest";
import type { HolderFactory } from "../../../src/node/holder-factory.ts";
import { createHolders } from "../../../src/node/holders.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { createHandClock, type HandClock, settle } from "./hand-clock.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { VirtualHolderHost } from "./virtual-holder-host.ts";

const SHARED = "/run/h.sock";
const PTY = "/run/h-7.1.0.sock";
const KEY = { jobId: 7, attempt: 1, stepId: 0 } as const;

/** How long a holder takes until it listens; Infinity for never. */
let startMs: number;
let host: VirtualHolderHost;
let clock: HandClock;
let disk: MemoryDisk;
let spawned: string[];
let removed: string[];
/** Pids that were asked to end. */
let ended: number[];
/** Start times of living processes. */
let processes: Map<number, number>;

beforeEach(async () => {
  startMs = 35;
  host = new VirtualHolderHost();
  clock = createHandClock();
  disk = createMemoryDisk();
  await disk.makeFolder("/state/holders");
  spawned = [];
  removed = [];
  ended = [];
  processes = new Map();
});

function factory(): HolderFactory {
  return createHolders(
    {
      clock,
      disk,
      log: silentLog(),
      dial: host.dial,
      net: { removeStale: ({ path }) => void removed.push(path) },
      startTicks: (pid) => processes.get(pid) ?? null,
      endProcess: (pid) => void ended.push(pid),
      async spawn(program, args, logFile) {
        const pid = 100 + spawned.length;
        spawned.push([program, ...args, logFile].join(" "));
        processes.set(pid, pid * 10);
        const [, socket = ""] = args;
        if (startMs < Number.POSITIVE_INFINITY) clock.after(startMs, () => host.listen(socket, pid));
        return { pid };
      },
    },
    { holderFolder: "/state/holders", sharedSocket: SHARED, logFile: "/log/h.log", scope: "/state" },
  );
}

/** Lets the time pass that a start needs. */
async function soonest<T>(promise: Promise<T>, ms = 100): Promise<T> {
  promise.catch(() => {});
  await clock.advance(ms);
  return promise;
}

describe("the shared holder", () => {
  it("is started once, recorded, and waited for", async () => {
    const holders = factory();
    const [one, other] = await soonest(Promise.all([holders.shared(), holders.shared()]));
    expect(one).toBe(other);
    expect(await holders.shared()).toBe(one);
    expect(spawned).toEqual(["mgpu-stepd --socket /run/h.sock --scope /state --log /log/h.log /log/h.log"]);
    expect(JSON.parse(disk.text("/state/holders/shared.json"))).toEqual({ socket: SHARED, pid: 100, startTicks: 1000 });
    expect(removed).toEqual([SHARED]);
  });

  it("is replaced when it is gone", async () => {
    const holders = factory();
    await soonest(holders.shared());
    host.die(SHARED);
    await settle();
    expect((await soonest(holders.shared())).identity.pid).toBe(101);
  });

  it("that listens already is used, although no record says so", async () => {
    host.listen(SHARED, 55);
    processes.set(55, 1);
    const holder = await factory().shared();
    expect([holder.identity.pid, spawned]).toEqual([55, []]);
    expect(JSON.parse(disk.text("/state/holders/shared.json"))).toEqual({ socket: SHARED, pid: 55, startTicks: 1 });
  });

  it("that ends at once is told of with its log", async () => {
    startMs = Number.POSITIVE_INFINITY;
    clock.after(20, () => processes.clear());
    await expect(soonest(factory().shared())).rejects.toThrow("mgpu-stepd ended right after its start; see /log/h.log");
  });

  it("that never answers is told of with its log, and tried again by the next who asks", async () => {
    startMs = Number.POSITIVE_INFINITY;
    const holders = factory();
    await expect(soonest(holders.shared(), 11_000)).rejects.toThrow("mgpu-stepd does not answer at /run/h.sock");
    startMs = 10;
    expect((await soonest(holders.shared())).identity.pid).toBe(101);
  });

  it("of another protocol is not replaced", async () => {
    host.listen(SHARED, 55);
    host.dialErrors.push(new RpcError("VERSION", "upgrade the mgpu-stepd side"));
    await expect(factory().shared()).rejects.toThrow(
      "the holder at /run/h.sock can't be used: upgrade the mgpu-stepd side",
    );
    expect(spawned).toEqual([]);
  });
});

describe("a new daemon", () => {
  it("finds living holders and clears away what dead ones left", async () => {
    const before = factory();
    await soonest(Promise.all([before.shared(), before.forPty(KEY, PTY)]));
    host.sockets.delete(SHARED);
    processes.delete(100);
    disk.files.set("/state/holders/9.1.0.json", new TextEncoder().encode("{"));
    removed.length = 0;
    const holders = factory();
    const adopted = await holders.adopt();
    expect(adopted.map((holder) => holder.identity.socket)).toEqual([PTY]);
    expect(await holders.forPty(KEY, PTY)).toBe(adopted[0]);
    expect(removed).toEqual([SHARED]);
    expect(await disk.list("/state/holders")).toEqual(["7.1.0.json"]);
  });

  it("waits for a living holder whose socket was removed, and ends one that does not come back", async () => {
    const before = factory();
    await soonest(Promise.all([before.shared(), before.forPty(KEY, PTY)]));
    const shared = host.sockets.get(SHARED);
    for (const socket of [SHARED, PTY]) host.sockets.delete(socket);
    clock.after(2000, () => shared && host.sockets.set(SHARED, shared));
    const adopted = await soonest(factory().adopt(), 10_000);
    expect(adopted.map((holder) => holder.identity.socket)).toEqual([SHARED]);
    expect(ended).toEqual([101]);
    expect(await disk.list("/state/holders")).toEqual(["shared.json"]);
  });

  it("leaves a holder that can't be talked to as it is", async () => {
    await soonest(factory().shared());
    host.dialErrors.push(new RpcError("DEADLINE", "no answer"));
    expect(await factory().adopt()).toEqual([]);
    expect(await disk.list("/state/holders")).toEqual(["shared.json"]);
  });
});

describe("the holder of a terminal", () => {
  it("is asked to end once its step is forgotten, until it does", async () => {
    const holder = await soonest(factory().forPty(KEY, PTY));
    const there = host.sockets.get(PTY);
    if (there) there.answers["holder.shutdown"] = { ending: false };
    await clock.advance(300_000);
    expect(there?.calls).toEqual([]);
    await soonest(holder.forget(KEY));
    await clock.advance(10_000);
    expect(there?.calls.map(([method]) => method)).toEqual(["holder.release", ...Array(3).fill("holder.shutdown")]);
    if (there) there.answers["holder.shutdown"] = { ending: true };
    await clock.advance(5000);
    host.die(PTY);
    await clock.advance(60_000);
    expect(there?.calls.filter(([method]) => method === "holder.shutdown")).toHaveLength(4);
    expect(await disk.list("/state/holders")).toEqual([]);
    expect(removed.at(-1)).toBe(PTY);
  });

  it("that was taken over is asked to end after a while", async () => {
    await soonest(factory().forPty(KEY, PTY));
    const there = host.sockets.get(PTY);
    if (there) there.answers["holder.shutdown"] = { ending: true };
    await factory().adopt();
    await clock.advance(110_000);
    expect(there?.calls).toEqual([]);
    await clock.advance(20_000);
    expect(there?.calls).toEqual([["holder.shutdown", { discard: false }]]);
  });
});

it("idle holders are all asked to end", async () => {
  const holders = factory();
  await soonest(Promise.all([holders.shared(), holders.forPty(KEY, PTY)]));
  for (const socket of [SHARED, PTY]) {
    const there = host.sockets.get(socket);
    if (there) there.answers["holder.shutdown"] = socket === PTY ? new Error("trouble") : { ending: true };
  }
  await holders.shutdownIdle();
  expect([SHARED, PTY].map((socket) => host.sockets.get(socket)?.calls.length)).toEqual([1, 1]);
});
