import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createLoop } from "../../../src/controller/loop.ts";
import { compact } from "../../../src/controller/store/compact.ts";
import { recover } from "../../../src/controller/store/recover.ts";
import { openStore } from "../../../src/controller/store/store.ts";
import type { Effect } from "../../../src/core/effects.ts";
import { realDisk } from "../../../src/platform/disk.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { createSimDisk } from "../../../src/sim/disk.ts";
import { inventory, submit, T0 } from "../support/samples.ts";

const places = { journalFolder: "/s/journal", snapshotFile: "/s/snapshot.json" };

async function loopOn(disk = createSimDisk(), snapshotBytes = 1 << 20) {
  const ports = { disk, log: silentLog(), compact: (order: Parameters<typeof compact>[1]) => compact(disk, order) };
  const opened = await openStore(ports, places, snapshotBytes);
  const effects: Effect[] = [];
  let reloads = 0;
  let mended = 0;
  const clock = { now: () => T0, monotonic: () => 0, after: () => () => {} };
  const loop = createLoop(opened, {
    clock,
    log: silentLog(),
    perform: (list) => void effects.push(...list),
    onReloaded: () => void reloads++,
    onMended: () => void mended++,
  });
  return { disk, loop, effects, reloads: () => reloads, mended: () => mended };
}

test("answers and effects leave only after the sync", async () => {
  const disk = createSimDisk();
  let synced = false;
  const openAppend = disk.openAppend;
  disk.openAppend = async (path) => {
    const file = await openAppend(path);
    return {
      ...file,
      sync: async () => {
        synced = false;
        await new Promise((resolve) => setImmediate(resolve));
        await file.sync();
        synced = true;
      },
    };
  };
  const { loop, effects } = await loopOn(disk);
  const answer = loop.execute(submit("r1"));
  expect(loop.state.jobs.size).toBe(1);
  expect(effects).toEqual([]);
  synced = false;
  await answer;
  expect(synced).toBe(true);
  expect(effects.length).toBeGreaterThan(0);
});

test("commands that come together share a write", async () => {
  const disk = createSimDisk();
  let syncs = 0;
  const openAppend = disk.openAppend;
  disk.openAppend = async (path) => {
    const file = await openAppend(path);
    return { ...file, sync: () => file.sync().then(() => void syncs++) };
  };
  const { loop } = await loopOn(disk);
  const before = syncs;
  await Promise.all(Array.from({ length: 100 }, (_, i) => loop.execute(submit(`r${i}`))));
  expect(syncs - before).toBeLessThanOrEqual(2);
  expect((await recover(disk, places)).state.jobs.size).toBe(100);
});

test("a full disk refuses, forgets nothing acknowledged, and recovers by itself", async () => {
  const { disk, loop, reloads, mended } = await loopOn();
  await loop.execute({ type: "node.register", node: "n1", inventory: inventory() });
  await loop.execute(submit("kept"));
  disk.failWith = "ENOSPC";
  const refused = await Promise.allSettled([loop.execute(submit("a")), loop.execute(submit("b"))]);
  for (const one of refused) expect(one).toMatchObject({ status: "rejected", reason: { code: "STORAGE" } });
  expect(loop.problem).toContain("can't be written");
  await expect(loop.execute(submit("c"))).rejects.toMatchObject({ code: "STORAGE" });
  expect([...loop.state.jobs.values()].map((job) => job.requestId)).toEqual(["kept"]);
  expect(reloads(), "one recovery, however many commands are refused").toBe(1);
  disk.failWith = null;
  await loop.execute(submit("d"));
  expect(loop.problem).toBe("");
  expect({ reloads: reloads(), mended: mended() }).toEqual({ reloads: 1, mended: 1 });
  const { state } = await recover(disk, places);
  expect([...state.jobs.values()].map((job) => job.requestId)).toEqual(["kept", "d"]);
  expect(state).toEqual(loop.state);
});

test("a crash at any moment keeps every acknowledged submission", async () => {
  for (let torn = 0; torn < 40; torn++) {
    const { disk, loop } = await loopOn();
    const acknowledged: string[] = [];
    for (let i = 0; i < 5; i++) {
      await loop.execute(submit(`r${i}`));
      acknowledged.push(`r${i}`);
    }
    const late = loop.execute(submit("late"));
    disk.crash((bytes) => Math.floor((bytes * torn) / 39));
    await late;
    const { state } = await recover(disk, places).catch(() => ({ state: null }));
    const ids = [...(state?.jobs.values() ?? [])].map((job) => job.requestId);
    expect(ids.slice(0, 5)).toEqual(acknowledged);
  }
});

test("snapshots are made on the way and the state stays the same", async () => {
  const { disk, loop } = await loopOn(createSimDisk(), 2000);
  for (let i = 0; i < 30; i++) await loop.execute(submit(`r${i}`));
  await loop.close();
  expect(disk.files.has(places.snapshotFile)).toBe(true);
  expect((await recover(disk, places)).state).toEqual(loop.state);
});

test("a broken assertion refuses one command and the loop goes on from disk", async () => {
  const { loop } = await loopOn();
  await loop.execute(submit("r1"));
  loop.state.jobs.delete(1);
  await expect(loop.execute({ type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" })).resolves.toMatchObject(
    {
      kind: "deny",
    },
  );
  const broken = { type: "job.submit", requestId: "bad", spec: null } as never;
  await expect(loop.execute(broken)).rejects.toMatchObject({ code: "INTERNAL" });
  await loop.execute(submit("r2"));
  expect([...loop.state.jobs.keys()]).toEqual([1, 2]);
});

describe("a journal that somebody takes away", () => {
  /** A disk as a real one: an open file that was removed takes writes, and loses them. */
  async function onRealDisk(look: (callback: () => void) => void = () => {}) {
    const folder = mkdtempSync(join(tmpdir(), "mgt-loop-"));
    folders.push(folder);
    const real = { journalFolder: `${folder}/controller/journal`, snapshotFile: `${folder}/controller/snapshot.json` };
    const disk = realDisk();
    const opened = await openStore({ disk, log: silentLog(), compact: async () => 0 }, real, 1 << 20);
    const loop = createLoop(opened, {
      clock: {
        now: () => T0,
        monotonic: () => 0,
        after(_ms, callback) {
          look(callback);
          return () => {};
        },
      },
      log: silentLog(),
      perform() {},
      onReloaded() {},
      onMended() {},
    });
    return { folder, real, loop, checkPlace: opened.store.checkPlace };
  }

  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  test("acknowledges nothing, says what is wrong and what to do, and goes on when it is put back", async () => {
    const { folder, real, loop, checkPlace } = await onRealDisk();
    await loop.execute(submit("kept"));
    await checkPlace();
    renameSync(`${folder}/controller`, `${folder}/away`);
    const problem = `the state folder can't be used: ${real.journalFolder} was removed or replaced while mgpu ran`;
    const refusal = { code: "STORAGE", message: problem, hint: expect.stringContaining("mgpu down --force") };
    await expect(checkPlace()).rejects.toThrow("was removed or replaced");
    for (const id of ["a", "b"]) await expect(loop.execute(submit(id))).rejects.toMatchObject(refusal);
    expect(loop.problem).toBe(problem);
    // Neither is an empty one taken for the state, nor made by us.
    expect(existsSync(`${folder}/controller`)).toBe(false);
    mkdirSync(real.journalFolder, { recursive: true });
    await expect(loop.execute(submit("c"))).rejects.toMatchObject(refusal);
    expect(readdirSync(real.journalFolder)).toEqual([]);
    rmSync(`${folder}/controller`, { recursive: true });
    renameSync(`${folder}/away`, `${folder}/controller`);
    await loop.execute(submit("d"));
    expect(loop.problem).toBe("");
    const { state } = await recover(realDisk(), real);
    expect([...state.jobs.values()].map((job) => job.requestId)).toEqual(["kept", "d"]);
    await loop.close();
  });

  test("is noticed without a command", async () => {
    const looks: (() => void)[] = [];
    const { folder, loop } = await onRealDisk((callback) => void looks.push(callback));
    rmSync(folder, { recursive: true });
    looks[0]?.();
    await expect.poll(() => loop.problem).toContain("was removed or replaced");
    await loop.close();
  });

  test("that is replaced by an older state is not gone on with, by a whole copy it is", async () => {
    const { folder, loop } = await onRealDisk();
    await loop.execute(submit("old"));
    cpSync(`${folder}/controller`, `${folder}/older`, { recursive: true });
    await loop.execute(submit("new"));
    cpSync(`${folder}/controller`, `${folder}/whole`, { recursive: true });
    const replaceBy = (copy: string): void => {
      rmSync(`${folder}/controller`, { recursive: true });
      renameSync(`${folder}/${copy}`, `${folder}/controller`);
    };
    replaceBy("older");
    await expect(loop.execute(submit("a"))).rejects.toMatchObject({ code: "STORAGE" });
    await expect(loop.execute(submit("b"))).rejects.toMatchObject({ code: "STORAGE" });
    replaceBy("whole");
    await loop.execute(submit("c"));
    expect([...loop.state.jobs.values()].map((job) => job.requestId)).toEqual(["old", "new", "c"]);
    await loop.close();
  });
});
