import { beforeEach, describe, expect, it } from "vitest";
import { FINISHED_MAX, Finished, finishedLine } from "../../../src/node/finished.ts";
import { openSpool, type Spool } from "../../../src/node/spool.ts";
import type { LaunchRecord, StepEnd } from "../../../src/node/spool-records.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { PLACES } from "./world.ts";

const NOW = 1_700_000_000_000;
const KEY = { jobId: 7, attempt: 1, stepId: 0 } as const;
const RECORD: LaunchRecord = {
  key: KEY,
  kind: "run",
  tasks: 2,
  startAt: 5,
  receivedAt: 6,
  bootId: "b",
  holder: { socket: "/s", pid: 3, startedAt: 4 },
  cpus: [[0, 2], [1]],
  memory: { stepMiB: 5, jobMiB: 0 },
  outOfMemory: true,
};
const END: StepEnd = { type: "ended", exits: [{ code: 1, signal: 0 }], problem: "", clean: true };

const LOG = "/state/n1/steps.log";

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

let disk: MemoryDisk;
beforeEach(() => {
  disk = createMemoryDisk();
});

function open(now = NOW): Promise<Spool> {
  const after = (_ms: number, act: () => void) => {
    act();
    return () => {};
  };
  const clock = { now: () => now, after };
  return openSpool({ disk, log: silentLog(), clock }, PLACES);
}

describe("the spool", () => {
  it("gives back what was written, in the order of the names", async () => {
    const spool = await open();
    const other = { ...RECORD, key: { jobId: 10, attempt: 2, stepId: "batch" }, holder: null } as const;
    await spool.writeLaunch(RECORD);
    await spool.writeLaunch(other);
    await spool.writeEnd(KEY, END, NOW);
    expect((await open()).steps).toMatchObject([
      { record: other, end: null },
      { record: RECORD, end: END },
    ]);
    expect(spool.folderOf(KEY)).toBe("/state/n1/spool/7.1.0");
  });

  it("knows finished steps at once and after a restart, and removes their folders", async () => {
    const spool = await open();
    await spool.writeLaunch(RECORD);
    const done = spool.finish([RECORD]);
    expect([0, 3].map((stepId) => spool.isFinished({ ...KEY, stepId }, 5))).toEqual([true, false]);
    await done;
    const later = await open();
    expect([later.steps, await disk.list(PLACES.spoolFolder)]).toEqual([[], []]);
    expect(later.isFinished(KEY, 5)).toBe(true);
    expect(later.isFinished(KEY, 6)).toBe(false);
    expect(later.isFinished({ ...KEY, attempt: 2 }, 5)).toBe(false);
  });

  it("gives up ends that nobody wanted to hear of for a week", async () => {
    const spool = await open();
    await spool.writeLaunch(RECORD);
    await spool.writeEnd(KEY, END, NOW);
    const week = 7 * 24 * 3600 * 1000;
    expect((await open(NOW + week)).steps).toHaveLength(1);
    expect((await open(NOW + week + 1)).steps).toHaveLength(0);
  });

  it.each([
    ["launch", "{}"],
    ["launch", JSON.stringify({ ...RECORD, holder: {} })],
    ["launch", JSON.stringify({ ...RECORD, key: { ...KEY, jobId: 8 } })],
    ["launch", "{"],
    ["end", '{"type":"gone"}'],
    ["end", ""],
  ])("takes a step with a damaged %s (%s) for lost", async (field, text) => {
    await (await open()).writeLaunch(RECORD);
    disk.files.set(LOG, encode(`${disk.text(LOG)}{"v":1,"step":"7.1.0","endedAt":5,"${field}":${text}}\n`));
    for (const _start of [1, 2]) {
      const { steps } = await open();
      expect(steps).toMatchObject([{ end: { type: "lost", cause: "the node's record of the step is damaged" } }]);
    }
  });

  it("drops a line that a crash cut off, and goes on behind it", async () => {
    const spool = await open();
    await spool.writeLaunch(RECORD);
    disk.files.set(LOG, encode(`${disk.text(LOG)}{"v":1,"step":"7.1.0","endedAt":5,"end":`));
    const next = await open();
    expect(next.steps).toMatchObject([{ record: RECORD, end: null }]);
    await next.writeEnd(KEY, END, NOW);
    expect((await open()).steps).toMatchObject([{ record: RECORD, end: END }]);
  });

  it("writes what a full disk refused once it has room, but for launches, which were refused", async () => {
    const spool = await open();
    const other = { ...RECORD, key: { ...KEY, jobId: 8 } };
    await spool.writeLaunch(RECORD);
    disk.failWith = "ENOSPC";
    await expect(spool.writeEnd(KEY, END, NOW)).rejects.toThrow("ENOSPC");
    await expect(spool.writeLaunch(other)).rejects.toThrow("ENOSPC");
    disk.failWith = null;
    await spool.writeLaunch({ ...RECORD, key: { ...KEY, jobId: 9 } });
    expect((await open()).steps).toMatchObject([
      { record: RECORD, end: END },
      { record: { key: { jobId: 9 } }, end: null },
    ]);
  });

  it("tells nobody that a line is on disk whose write failed for another caller", async () => {
    const { openAppend } = disk;
    let isFailing = false;
    disk.openAppend = async (path) => {
      const file = await openAppend(path);
      const append = (data: Uint8Array): Promise<void> => {
        if (!isFailing) return file.append(data);
        isFailing = false;
        return Promise.reject(new Error("EIO"));
      };
      return { ...file, append };
    };
    const spool = await open();
    const launch = (jobId: number) => spool.writeLaunch({ ...RECORD, key: { ...KEY, jobId } });
    await launch(1);
    await launch(2);
    isFailing = true;
    const told = await Promise.allSettled([launch(3), launch(4), launch(5)]);
    const onDisk = (await open()).steps.map(({ record }) => record.key.jobId);
    expect(onDisk).toEqual([1, 2, ...told.flatMap(({ status }, at) => (status === "fulfilled" ? [3 + at] : []))]);
    expect(onDisk.length).toBeLessThan(5);
  });

  it("writes lines of callers at the same time at once", async () => {
    const spool = await open();
    let syncs = 0;
    const { openAppend } = disk;
    disk.openAppend = async (path) => {
      const file = await openAppend(path);
      return { ...file, sync: async () => void syncs++ };
    };
    await spool.writeLaunch({ ...RECORD, key: { ...KEY, jobId: 1 } });
    syncs = 0;
    await Promise.all(
      Array.from({ length: 100 }, (_, at) => spool.writeLaunch({ ...RECORD, key: { ...KEY, jobId: at + 2 } })),
    );
    expect(syncs).toBeLessThanOrEqual(2);
    expect((await open()).steps).toHaveLength(101);
  });

  it("stays small, whatever was over", async () => {
    const spool = await open();
    await spool.writeLaunch({ ...RECORD, key: { ...KEY, jobId: 1 } });
    const steps = 3 * FINISHED_MAX;
    for (let jobId = 2; jobId <= steps; jobId += 500) {
      const records = Array.from({ length: 500 }, (_, at) => ({ ...RECORD, key: { ...KEY, jobId: jobId + at } }));
      await Promise.all(records.map((record) => spool.writeLaunch(record)));
      await spool.finish(records);
    }
    expect(disk.text(LOG).split("\n").length).toBeLessThanOrEqual(4 * FINISHED_MAX + 1);
    const again = await open();
    expect(again.steps).toMatchObject([{ record: { key: { jobId: 1 } } }]);
    expect(again.isFinished({ ...KEY, jobId: steps }, 5)).toBe(true);
  });
});

describe("records of earlier versions", () => {
  const folder = "/state/n1/spool/7.1.0";
  const write = (name: string, text: string) => disk.files.set(`${folder}/${name}`, encode(text));
  beforeEach(() => disk.makeFolder(folder));

  it("are taken over once, with what was over", async () => {
    write("launch.json", JSON.stringify({ v: 1, ...RECORD }));
    write("end.json", JSON.stringify({ v: 1, endedAt: NOW, end: END }));
    disk.files.set("/state/n1/finished.log", encode("1.1.0 5\nnonsense\n2.1 5\n3.1.0 "));
    for (const _start of [1, 2]) {
      const spool = await open();
      expect(spool.steps).toMatchObject([{ record: RECORD, end: END }]);
      const has = [1, 2, 3].map((jobId) => spool.isFinished({ ...KEY, jobId }, 5));
      expect(has).toEqual([true, true, false]);
    }
    expect([...disk.files.keys()]).toEqual([LOG]);
  });

  it("leave the files of a batch script where they are", async () => {
    const key = { ...KEY, stepId: "batch" } as const;
    const own = "/state/n1/spool/7.1.batch";
    await disk.makeFolder(own);
    disk.files.set(`${own}/launch.json`, encode(JSON.stringify({ v: 1, ...RECORD, key, kind: "batch" })));
    disk.files.set(`${own}/script`, encode("#!/bin/sh"));
    expect((await open()).steps).toMatchObject([{ record: { kind: "batch" }, end: null }]);
    expect((await open()).steps).toHaveLength(1);
    expect([...disk.files.keys()].sort()).toEqual([`${own}/script`, LOG]);
  });

  it.each([
    ["launch.json", "{}"],
    ["launch.json", JSON.stringify({ v: 2, ...RECORD })],
    ["launch.json", JSON.stringify({ v: 1, ...RECORD, key: { ...KEY, jobId: 8 } })],
    ["end.json", '{"v":1,"end":{"type":"gone"}}'],
    ["end.json", ""],
  ])("with a damaged %s (%s) are those of a lost step", async (file, text) => {
    write("launch.json", JSON.stringify({ v: 1, ...RECORD }));
    write(file, text);
    const { steps } = await open();
    expect(steps).toMatchObject([{ end: { type: "lost", cause: "the node's record of the step is damaged" } }]);
  });
});

describe("steps that are over", () => {
  const key = (jobId: number) => ({ jobId, attempt: 1, stepId: 0 }) as const;

  it("are known one by one; an earlier version's lines are for all steps of a start", () => {
    const finished = new Finished();
    for (const line of ["1.1.batch 5", "2.1 5"]) finished.add(line);
    const has = (jobId: number, stepId: number | "batch") => finished.has({ jobId, attempt: 1, stepId }, 5);
    expect([has(1, "batch"), has(1, 0), has(2, "batch"), has(2, 7)]).toEqual([true, false, true, true]);
  });

  it("are the newest ten thousand", () => {
    const finished = new Finished();
    const total = FINISHED_MAX + 500;
    for (let jobId = 1; jobId <= total; jobId++) finished.add(finishedLine(key(jobId), 0));
    const has = [total, 501, 500].map((jobId) => finished.has(key(jobId), 0));
    expect(has).toEqual([true, true, false]);
  });
});
