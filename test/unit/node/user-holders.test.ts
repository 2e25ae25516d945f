/** The holders of root's node daemon for its users. */

import { beforeEach, describe, expect, it } from "vitest";
import type { HolderFactory, OtherUsers, RunnerAccount } from "../../../src/node/holder-factory.ts";
import { createHolders } from "../../../src/node/holders.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { createHandClock, type HandClock } from "./hand-clock.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { VirtualHolderHost } from "./virtual-holder-host.ts";

const ADA = { uid: 1000, gid: 100, name: "ada" };
const SOCKET = "/run/mgpu/1000/own/h-100.sock";

let host: VirtualHolderHost;
let clock: HandClock;
let disk: MemoryDisk;
let started: string[];
let done: string[];
let accounts: Map<string, RunnerAccount>;
/** Nobody can say who anybody is. */
let isMute: boolean;

beforeEach(async () => {
  host = new VirtualHolderHost();
  clock = createHandClock();
  disk = createMemoryDisk();
  await disk.makeFolder("/state/holders");
  isMute = false;
  started = [];
  done = [];
  accounts = new Map([["ada", { ...ADA, home: "/home/ada", shell: "/bin/sh", groups: [100, 44] }]]);
});

function factory(isFar = false): HolderFactory {
  const spawn = async (socket: string, words: string[]): Promise<{ pid: number }> => {
    started.push(words.join(" "));
    const pid = 100 + started.length;
    clock.after(30, () => host.listen(socket, pid));
    return { pid };
  };
  return createHolders(
    {
      endProcess: (pid, signal, owner) => void done.push(`${signal} ${pid} of ${owner}`),
      ...{ clock, disk, log: silentLog(), dial: host.dial, startTicks: (pid: number) => pid },
      net: { removeStale: ({ path }) => void done.push(`root removes ${path}`) },
      spawn: async (program, args) => spawn(args[1] ?? "", [program, ...args]),
      users: {
        clock,
        findAccount: async (name) => {
          if (isMute) throw new Error("no answer");
          return accounts.get(name) ?? null;
        },
        prepare: ({ name }) => void done.push(`folders of ${name}`),
        remove: async ({ name }, folder) => void done.push(`${name} removes ${folder}`),
        spawn: async ({ name }, args, log) => spawn(args[1] ?? "", [name, ...args, log]),
      },
    },
    { holderFolder: "/state/holders", sharedSocket: "/run/mgpu/h.sock", logFile: "/log/h.log", scope: "s", isFar },
  );
}

const othersOf = (one: HolderFactory): OtherUsers => {
  if (!one.others) throw new Error("root's daemon has users");
  return one.others;
};

async function soonest<T>(promise: Promise<T>, ms = 100): Promise<T> {
  promise.catch(() => {});
  await clock.advance(ms);
  return promise;
}

describe("a user's holder", () => {
  it("becomes the user, listens in the user's folder, and logs beside it", async () => {
    const holders = factory();
    const [one, other] = await soonest(Promise.all([othersOf(holders).shared(ADA), othersOf(holders).shared(ADA)]));
    expect([one === other, one.owner, one.identity.socket]).toEqual([true, 1000, SOCKET]);
    expect(started).toEqual([`ada --socket ${SOCKET} --scope s --become 1000:100:100,100,44 /run/mgpu/1000/log/h.log`]);
    expect(JSON.parse(disk.text("/state/holders/u1000-100.json"))).toMatchObject({ socket: SOCKET, uid: 1000 });
    // A link to somebody else's socket leads nowhere, at a new connection either.
    host.sockets.get(SOCKET)?.breakConnections();
    await clock.advance(1000);
    expect([...new Set(host.dialled.map(({ path, owner }) => `${path} of ${owner}`))]).toEqual([`${SOCKET} of 1000`]);
    // Root touches nothing in a user's folder.
    expect(done).toEqual(["folders of ada", "folders of ada"]);
  });

  it("of each first group is one of its own, and so is that of a terminal", async () => {
    const others = othersOf(factory());
    await soonest(others.shared({ ...ADA, gid: 44 }));
    const pty = await soonest(others.forPty(ADA, { jobId: 7, attempt: 1, stepId: 0 }));
    expect([pty.identity.socket, pty.owner]).toEqual(["/run/mgpu/1000/own/h-100-7.1.0.sock", 1000]);
    expect(started[0]).toContain("/own/h-44.sock --scope s --become 1000:44:44,100,44 ");
  });

  it("is started where the user put something else in its socket's place", async () => {
    host.dialErrors.push(Object.assign(new Error("a link"), { code: "EPERM" }));
    expect((await soonest(othersOf(factory()).shared(ADA))).identity.pid).toBe(101);
    const before = started.length;
    host.dialErrors.push(Object.assign(new Error("a link"), { code: "EPERM" }));
    // Nobody else can do so to the daemon's own.
    await expect(factory().shared()).rejects.toThrow("the holder at /run/mgpu/h.sock can't be used: a link");
    expect(started).toHaveLength(before);
  });

  it("is found again by the next daemon, as that user's", async () => {
    await soonest(othersOf(factory()).shared(ADA));
    const [adopted] = await factory().adopt();
    expect([adopted?.owner, adopted?.identity.socket]).toEqual([1000, SOCKET]);
  });

  it("is ended by the pid that it was started with, and only as that user's", async () => {
    const others = othersOf(factory());
    const starting = others.shared(ADA);
    // It says that it is another process.
    clock.after(20, () => host.listen(SOCKET, 4242));
    expect((await soonest(starting)).identity.pid).toBe(4242);
    expect(JSON.parse(disk.text("/state/holders/u1000-100.json"))).toMatchObject({ pid: 101 });
    host.sockets.clear();
    await soonest(factory().adopt(), 10_000);
    expect(done.at(-1)).toBe("SIGTERM 101 of 1000");
  });

  it("is asked to end a minute after its last use; who comes meanwhile waits, and has a new one with new groups", async () => {
    const others = othersOf(factory());
    await soonest(others.shared(ADA));
    const there = host.sockets.get(SOCKET);
    if (there) there.answers["holder.shutdown"] = { ending: false };
    await clock.advance(70_000);
    expect(there?.calls.map(([method]) => method)).toEqual(["holder.shutdown"]);
    expect((await soonest(others.shared(ADA))).identity.pid).toBe(101);
    if (there) there.answers["holder.shutdown"] = { ending: true };
    accounts.set("ada", { ...ADA, home: "/", shell: "/bin/sh", groups: [100, 44, 7] });
    await clock.advance(90_000);
    const next = others.shared(ADA);
    await clock.advance(1000);
    expect(started).toHaveLength(1);
    host.die(SOCKET);
    expect((await soonest(next, 1000)).identity.pid).toBe(102);
    expect(started[1]).toContain("--become 1000:100:100,100,44,7 ");
  });

  it("that says it ends and stays is killed, so that the next step does not wait for it", async () => {
    const others = othersOf(factory());
    await soonest(others.shared(ADA));
    const there = host.sockets.get(SOCKET);
    if (there) there.answers["holder.shutdown"] = { ending: true };
    await clock.advance(70_000);
    const next = others.shared(ADA);
    host.sockets.delete(SOCKET);
    await clock.advance(35_000);
    expect(done).toContain("SIGKILL 101 of 1000");
    expect((await soonest(next)).identity.pid).toBe(102);
  });

  it("keeps a script's files, which are removed with the user's rights", async () => {
    const others = othersOf(factory());
    const key = { jobId: 7, attempt: 1, stepId: "batch" } as const;
    const folder = others.batchFolder(ADA, key);
    expect(folder).toMatch(/^\/run\/mgpu\/1000\/own\/spool-[0-9a-f]+\/7\.1\.batch$/);
    await others.removeBatch(ADA, key);
    expect(done).toEqual([`ada removes ${folder}`]);
  });
});

describe("who a submitter is here", () => {
  const resolve = (user: Partial<typeof ADA>, isFar = false) => othersOf(factory(isFar)).resolve({ ...ADA, ...user });

  it("is found by name, with the group that was chosen", async () => {
    expect(await resolve({ gid: 5 })).toMatchObject({ uid: 1000, gid: 5, home: "/home/ada" });
  });

  it("numbers of another machine are worth nothing", async () => {
    expect(await resolve({ uid: 77, gid: 44 }, true)).toMatchObject({ uid: 1000, gid: 44 });
    expect(await resolve({ uid: 77, gid: 5 }, true)).toMatchObject({ uid: 1000, gid: 100 });
  });

  it("nobody, root, or somebody else of that name is refused", async () => {
    accounts.set("toor", { uid: 0, gid: 0, name: "toor", home: "/", shell: "/bin/sh", groups: [0] });
    await expect(resolve({ name: "eve" })).rejects.toThrow("this machine knows no user eve");
    await expect(resolve({ name: "toor" })).rejects.toThrow("that is root here");
    await expect(resolve({ uid: 77 })).rejects.toThrow("ada has uid 1000 here, and the job was submitted by uid 77");
  });
});

describe("a user database that does not answer", () => {
  it("is asked again at the next launch", async () => {
    const others = othersOf(factory());
    isMute = true;
    await expect(others.resolve(ADA)).rejects.toThrow("no answer");
    isMute = false;
    expect(await others.resolve(ADA)).toMatchObject(ADA);
  });
});
