import { expect, test } from "vitest";
import { recordFinished } from "../../../src/controller/store/accounting.ts";
import { openBlobs } from "../../../src/controller/store/blobs.ts";
import { compact } from "../../../src/controller/store/compact.ts";
import { openJournal, segmentName } from "../../../src/controller/store/journal.ts";
import { recover } from "../../../src/controller/store/recover.ts";
import { readSegment } from "../../../src/controller/store/segment.ts";
import { previousPath } from "../../../src/controller/store/snapshot.ts";
import { isEnded } from "../../../src/core/job.ts";
import { step } from "../../../src/core/kernel.ts";
import { realDigest } from "../../../src/platform/digest.ts";
import { createSimDisk } from "../../../src/sim/disk.ts";
import { T0 } from "../support/samples.ts";
import { first, places, records, stateOf, text, written } from "./journals.ts";

test("what was appended comes back", async () => {
  const { disk } = await written(3);
  const { state, segment, messages } = await recover(disk, places);
  expect(state).toEqual(stateOf(records(3)));
  expect({ segment, messages }).toEqual({ segment: 1, messages: [] });
});

test("what is in order is read in parts, whatever its size, and jobs that say the same share a specification", async () => {
  const { disk } = await written(2000);
  await compact(disk, { places, openSegment: 2 });
  const parts: number[] = [];
  const inParts = {
    ...disk,
    read: () => Promise.reject(new Error("a whole file at a time")),
    readPart: async (path: string, from: number, bytes: number) => {
      parts.push(bytes);
      return disk.readPart(path, from, bytes);
    },
  };
  for (const places2 of [places, { ...places, snapshotFile: "/s/none.json" }]) {
    const { state } = await recover(inParts, places2);
    expect(state).toEqual(stateOf(records(2000)));
    expect(new Set([...state.jobs.values()].map(({ spec }) => spec)).size).toBe(1);
  }
  expect(Math.max(...parts)).toBeLessThanOrEqual(2 ** 18);
});

test("an empty folder is a new cluster", async () => {
  expect(await recover(createSimDisk(), places)).toMatchObject({ segment: 1, messages: [], state: { seq: 0 } });
});

test("a torn last line is cut off at every byte, and the journal goes on after it", async () => {
  const { disk } = await written(2);
  const whole = await disk.read(first);
  const lastLine = text(whole).trimEnd().lastIndexOf("\n") + 1;
  for (let cut = lastLine + 1; cut < whole.length; cut++) {
    await disk.replace(first, whole.subarray(0, cut));
    const { state, messages } = await recover(disk, places);
    expect(state).toEqual(stateOf(records(1)));
    expect(messages.join()).toContain("nothing acknowledged is lost");
    expect(await disk.size(first)).toBe(lastLine);
    const journal = await openJournal(disk, places.journalFolder, 1);
    await journal.append(records(2).slice(2));
    expect((await recover(disk, places)).state).toEqual(stateOf(records(2)));
  }
});

test("a journal of another version is refused with a sentence", () => {
  const line = new TextEncoder().encode('{"mgpu":"journal","v":99,"first":1}\n');
  expect(() => readSegment(line, "x.jsonl")).toThrow(/journal version 99, this program reads versions up to 2/);
});

test("snapshot plus tail is the live state; covered segments go once two snapshots hold them", async () => {
  const { disk, journal } = await written(3);
  await journal.rotate(5);
  const all = records(6);
  await journal.append(all.slice(4, 6));
  expect(await compact(disk, { places, openSegment: 5 })).toBe(4);
  expect((await recover(disk, places)).state).toEqual(stateOf(all.slice(0, 6)));
  expect(await disk.list(places.journalFolder)).toEqual([segmentName(1), segmentName(5)]);
  await journal.rotate(7);
  await journal.append(all.slice(6));
  expect(await compact(disk, { places, openSegment: 7 })).toBe(6);
  expect(await disk.list(places.journalFolder)).toEqual([segmentName(5), segmentName(7)]);
  expect((await recover(disk, places)).state).toEqual(stateOf(all));
});

test("a damaged snapshot falls back to the one before, and nothing is lost", async () => {
  const { disk, journal } = await written(3);
  await journal.rotate(5);
  await compact(disk, { places, openSegment: 5 });
  await journal.append(records(4).slice(4));
  await journal.rotate(6);
  await compact(disk, { places, openSegment: 6 });
  expect(await disk.size(previousPath(places.snapshotFile))).not.toBeNull();
  await disk.replace(places.snapshotFile, new TextEncoder().encode("{"));
  const { state, damage } = await recover(disk, places);
  expect(state).toEqual(stateOf(records(4)));
  expect(damage).toHaveLength(1);
  expect(damage[0]).toContain("can't be read");
  expect(await disk.size(`${places.snapshotFile}.damaged`)).toBe(1);
});

test("a failed append leaves nothing behind", async () => {
  const { disk, journal } = await written(1);
  disk.failWith = "ENOSPC";
  await expect(journal.append(records(2).slice(2))).rejects.toThrow("ENOSPC");
  disk.failWith = null;
  await journal.reset();
  expect((await recover(disk, places)).state).toEqual(stateOf(records(1)));
  await journal.append(records(2).slice(2));
  expect((await recover(disk, places)).state).toEqual(stateOf(records(2)));
});

test("blobs are stored once, checked when read, and swept when nobody needs them", async () => {
  const disk = createSimDisk();
  const blobs = openBlobs(disk, realDigest(), "/s/blobs");
  const data = new TextEncoder().encode("#!/bin/sh\n");
  const [a, b] = await Promise.all([blobs.put(data), blobs.put(data)]);
  expect(a).toBe(b);
  expect([...disk.files.keys()]).toEqual([`/s/blobs/${a.slice(0, 2)}/${a}`]);
  const again = openBlobs(disk, realDigest(), "/s/blobs");
  expect(await again.get(a)).toEqual(data);
  await blobs.sweep(new Set());
  expect(disk.files.size).toBe(1);
  await blobs.sweep(new Set([a]));
  expect(disk.files.size).toBe(1);
  await blobs.sweep(new Set());
  expect(disk.files.size).toBe(0);
  await disk.replace(`/s/blobs/${a.slice(0, 2)}/${a}`, new TextEncoder().encode("other"));
  await expect(openBlobs(disk, realDigest(), "/s/blobs").get(a)).rejects.toThrow("was changed on disk");
});

test("a blob is not stored in the place of a state folder that is gone", async () => {
  const disk = createSimDisk();
  const blobs = openBlobs(disk, realDigest(), "/s/blobs", () => Promise.reject(new Error("gone")));
  await expect(blobs.put(new TextEncoder().encode("x"))).rejects.toThrow("gone");
  expect([blobs.problem, disk.files.size]).toEqual(["scripts and environments can't be written: gone", 0]);
});

test("accounting goes to the month of the end; a failed write leaves no half line", async () => {
  const disk = createSimDisk();
  const state = stateOf(records(2));
  for (const jobId of [1, 2]) step(state, { type: "job.cancel", jobId, tasks: null, byUid: 0, cause: "" }, T0 + 100);
  const jobs = [...state.jobs.values()].filter(isEnded);
  await recordFinished(disk, "/s/acc", jobs.slice(0, 1));
  disk.failWith = "ENOSPC";
  await expect(recordFinished(disk, "/s/acc", jobs.slice(1))).rejects.toThrow("ENOSPC");
  disk.failWith = null;
  await recordFinished(disk, "/s/acc", jobs.slice(1));
  const lines = text(await disk.read("/s/acc/2026-11.jsonl"))
    .trimEnd()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line).job.id)).toEqual([1, 2]);
});
