/** What jobs have in common is written once a file, and nothing else comes back than what went in. */

import { expect, test } from "vitest";
import { openJournal } from "../../../src/controller/store/journal.ts";
import { readSnapshot, writeSnapshot } from "../../../src/controller/store/snapshot.ts";
import { SpecReader, SpecWriter } from "../../../src/core/brief-specs.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { sharedSpec } from "../../../src/core/shared-specs.ts";
import { fromStored, toStored } from "../../../src/core/state.ts";
import { createSimDisk } from "../../../src/sim/disk.ts";
import { first, places, records, stateOf, text } from "./journals.ts";

const spec = stateOf(records(1)).jobs.get(1)?.spec as JobSpec;

function backAndForth(specs: readonly JobSpec[]) {
  const [writer, reader] = [new SpecWriter(), new SpecReader()];
  const lines = specs.map((one, index) => JSON.stringify(writer.job({ id: index + 1, spec: one })));
  const back = lines.map((line) => reader.job(JSON.parse(line) as { id: number; spec: JobSpec }).spec);
  return { lines, back };
}

test("the same wishes are named, others told by what differs", () => {
  const other = sharedSpec({ ...spec, name: "other" });
  const { lines, back } = backAndForth([spec, spec, other]);
  expect(lines[1]).toBe('{"id":2,"spec":{"as":1,"but":{}}}');
  expect(lines[2]).toBe('{"id":3,"spec":{"as":1,"but":{"name":"other"}}}');
  expect(back).toEqual([spec, spec, other]);
  expect(back[1]).toBe(back[0]);
});

test("a kind of job that comes again and again stands in full once, and is named from then on", () => {
  const other = sharedSpec({ ...spec, name: "other", comment: "a comment of its own" });
  const { lines, back } = backAndForth([spec, ...Array.from({ length: 20 }, () => other)]);
  expect(back).toEqual([spec, ...Array.from({ length: 20 }, () => other)]);
  expect(lines.filter((line) => line.includes('"but":{"'))).toHaveLength(3);
  expect(lines.slice(5).every((line) => line.endsWith('"spec":{"as":5,"but":{}}}'))).toBe(true);
});

test("of jobs told by the same differences, the later ones share a specification", () => {
  const lines = [3, 4, 5].map((id) => ({
    id,
    spec: { as: 1, but: { name: "again", comment: "told by differences" } },
  }));
  const reader = new SpecReader();
  reader.job({ id: 1, spec });
  const [, two, three] = lines.map((line) => reader.job(structuredClone(line)).spec);
  expect(two).toEqual({ ...spec, ...lines[0]?.spec.but });
  expect(three).toBe(two);
});

test.each([
  ["a wish more", { ...spec, wckey: "w", partitions: ["a"] }, spec],
  ["a wish less", spec, { ...spec, wckey: "w", partitions: ["a"] }],
  ["one that is undefined", { ...spec, partitions: ["a"] }, { ...spec, partitions: undefined }],
  ["others, as many", { ...spec, partitions: undefined }, { ...spec, onlyHere: 1 }],
])("%s comes back as it was", (_, one, two) => {
  const { back } = backAndForth([one, two, one] as JobSpec[]);
  expect(back).toEqual([one, two, one].map((each) => JSON.parse(JSON.stringify(each))));
});

test("an append that failed is no line to be named", async () => {
  const disk = createSimDisk();
  const journal = await openJournal(disk, places.journalFolder, 1);
  const [node, ...jobs] = records(3);
  await journal.append([node, jobs[0]].flatMap((one) => one ?? []));
  disk.failWith = "ENOSPC";
  await expect(journal.append(jobs.slice(1, 2))).rejects.toThrow("ENOSPC");
  disk.failWith = null;
  await journal.reset();
  await journal.append(jobs.slice(1));
  const lines = text(await disk.read(first))
    .trim()
    .split("\n");
  expect(lines.map((line) => line.includes('"as":'))).toEqual([false, false, false, false, true]);
});

test("a segment that an earlier program began is gone on with in full", async () => {
  const disk = createSimDisk();
  const journal = await openJournal(disk, places.journalFolder, 1);
  await journal.append(records(1));
  await journal.close();
  const again = await openJournal(disk, places.journalFolder, 1);
  await again.append(records(3).slice(2));
  expect(text(await disk.read(first))).not.toContain('"as":');
});

test("a snapshot is a line a job, and one that was cut off is refused", async () => {
  const disk = createSimDisk();
  const state = stateOf(records(2500));
  await writeSnapshot(disk, places.snapshotFile, toStored(state));
  const whole = await disk.read(places.snapshotFile);
  expect(whole.length / 2500).toBeLessThan(400);
  const stored = await readSnapshot(disk, places.snapshotFile);
  expect(stored && fromStored(stored)).toEqual(state);
  const lines = text(whole).trimEnd().split("\n");
  await disk.replace(places.snapshotFile, new TextEncoder().encode(lines.slice(0, -1).join("\n")));
  await expect(readSnapshot(disk, places.snapshotFile)).rejects.toThrow("2499 of 2500 jobs");
  await disk.replace(places.snapshotFile, whole.slice(0, -20));
  await expect(readSnapshot(disk, places.snapshotFile)).rejects.toThrow();
});

test("one of the first version, a single text, is read", async () => {
  const disk = createSimDisk();
  const state = toStored(stateOf(records(3)));
  const file = { mgpu: "snapshot", v: 1, state };
  await disk.replace(places.snapshotFile, new TextEncoder().encode(`${JSON.stringify(file, null, 1)}\n`));
  expect(await readSnapshot(disk, places.snapshotFile)).toEqual(JSON.parse(JSON.stringify(state)));
});
