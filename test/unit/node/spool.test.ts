import { beforeEach, describe, expect, it } from "vitest";
import { FINISHED_MAX, openFinished } from "../../../src/node/finished.ts";
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

let disk: MemoryDisk;
beforeEach(() => {
  disk = createMemoryDisk();
});

function open(now = NOW): Promise<Spool> {
  return openSpool({ disk, log: silentLog() }, PLACES, now);
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
    ["launch.json", "{}"],
    ["launch.json", JSON.stringify({ v: 1, ...RECORD, holder: {} })],
    ["launch.json", JSON.stringify({ v: 2, ...RECORD })],
    ["launch.json", JSON.stringify({ v: 1, ...RECORD, key: { ...KEY, jobId: 8 } })],
    ["end.json", '{"v":1,"end":{"type":"gone"}}'],
    ["end.json", ""],
  ])("takes a step with a damaged %s (%s) for lost", async (file, text) => {
    const spool = await open();
    await spool.writeLaunch(RECORD);
    disk.files.set(`${spool.folderOf(KEY)}/${file}`, new TextEncoder().encode(text));
    const { steps } = await open();
    expect(steps).toMatchObject([{ end: { type: "lost", cause: "the node's record of the step is damaged" } }]);
  });
});

describe("finished.log", () => {
  const path = "/state/finished.log";
  beforeEach(() => disk.makeFolder("/state"));
  const key = (jobId: number) => ({ jobId, attempt: 1, stepId: 0 }) as const;

  it("drops a line that a crash cut off, and heals", async () => {
    disk.files.set(path, new TextEncoder().encode("1.1.0 5\nnonsense\n2.1 5\n3.1.0 "));
    const finished = await openFinished(disk, path);
    expect([1, 2, 3].map((jobId) => finished.has(key(jobId), 5))).toEqual([true, true, false]);
    await finished.add(key(4), 5);
    expect(disk.text(path)).toBe("1.1.0 5\n2.1 5\n4.1.0 5\n");
    await finished.add(key(4), 5);
    await finished.add(key(5), 5);
    expect(disk.text(path)).toBe("1.1.0 5\n2.1 5\n4.1.0 5\n5.1.0 5\n");
  });

  it("knows steps one by one; an earlier version's lines are for all steps of a start", async () => {
    disk.files.set(path, new TextEncoder().encode("1.1.batch 5\n2.1 5\n"));
    const finished = await openFinished(disk, path);
    const has = (jobId: number, stepId: number | "batch") => finished.has({ jobId, attempt: 1, stepId }, 5);
    expect([has(1, "batch"), has(1, 0), has(2, "batch"), has(2, 7)]).toEqual([true, false, true, true]);
  });

  it("keeps the newest ten thousand, in a file of at most twice that", async () => {
    const finished = await openFinished(disk, path);
    const total = 2 * FINISHED_MAX + 500;
    for (let jobId = 1; jobId <= total; jobId += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, at) => finished.add(key(jobId + at), 0)));
    }
    expect(finished.has(key(total), 0)).toBe(true);
    expect(finished.has(key(total - FINISHED_MAX + 1), 0)).toBe(true);
    expect(finished.has(key(total - FINISHED_MAX), 0)).toBe(false);
    expect(disk.text(path).split("\n").length).toBeLessThanOrEqual(2 * FINISHED_MAX + 1);
    const again = await openFinished(disk, path);
    expect(again.has(key(total), 0)).toBe(true);
  });

  it("writes what a full disk refused once it has room", async () => {
    const finished = await openFinished(disk, path);
    await finished.add(key(1), 0);
    disk.failWith = "ENOSPC";
    await expect(finished.add(key(2), 0)).rejects.toThrow("ENOSPC");
    disk.failWith = null;
    await finished.add(key(3), 0);
    expect(disk.text(path)).toBe("1.1.0 0\n2.1.0 0\n3.1.0 0\n");
  });
});
