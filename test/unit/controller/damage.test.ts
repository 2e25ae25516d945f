/** A state folder that was damaged: what is used, what is dropped, what is said, and that no job id comes twice. */

import { describe, expect, test } from "vitest";
import { compact } from "../../../src/controller/store/compact.ts";
import { damageFile, readDamage } from "../../../src/controller/store/damage.ts";
import { openJournal, segmentName } from "../../../src/controller/store/journal.ts";
import { recover } from "../../../src/controller/store/recover.ts";
import { previousPath } from "../../../src/controller/store/snapshot.ts";
import { openStore } from "../../../src/controller/store/store.ts";
import { step } from "../../../src/core/kernel.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { SimDisk } from "../../../src/sim/disk.ts";
import { submit, T0 } from "../support/samples.ts";
import { first, places, records, stateOf, text, written } from "./journals.ts";

const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

/** Changes the lines of a segment: index 0 is the header, index i record i. */
async function edit(disk: SimDisk, change: (lines: string[]) => void, path = first): Promise<string> {
  const lines = text(await disk.read(path)).split("\n");
  change(lines);
  await disk.replace(path, bytes(lines.join("\n")));
  return lines.join("\n");
}

/** Segments from record 1 and from record 4 on, and records of five jobs in all. */
async function inTwoSegments() {
  const { disk, journal } = await written(2);
  await journal.rotate(4);
  await journal.append(records(5).slice(3));
  return { disk, second: `${places.journalFolder}/${segmentName(4)}` };
}

describe("a record that is lost", () => {
  test("ends the journal; a copy is kept, what was dropped is named, and job ids go on far above", async () => {
    const { disk } = await written(4);
    const damaged = await edit(disk, (lines) => {
      lines[3] = "{ not json";
    });
    const { state, messages, damage, segment } = await recover(disk, places);
    expect({ ...state, nextJobId: 0 }).toEqual({ ...stateOf(records(1)), nextJobId: 0 });
    expect([state.nextJobId, segment, messages]).toEqual([1001, 1, []]);
    expect(damage).toEqual([
      `${first}, line 4: this is no JSON object; dropped from there on: records 4 to 5 (jobs 3, 4 submitted) and ` +
        `1 line that can't be read; the file as it was is kept as ${first}.damaged`,
      "job ids go on at 1001, so that none of a lost job is given again",
    ]);
    expect(text(await disk.read(`${first}.damaged`))).toBe(damaged);
    expect(text(await disk.read(first))).toBe(`${damaged.split("\n").slice(0, 3).join("\n")}\n`);
    expect(await readDamage(disk, places)).toEqual(damage);
  });

  test("is told until somebody deletes the note, and its job ids are never given again", async () => {
    const { disk } = await written(4);
    await edit(disk, (lines) => {
      lines[2] = "";
    });
    const { damage } = await recover(disk, places);
    const again = await recover(disk, places);
    expect([again.damage, again.messages, again.state.nextJobId]).toEqual([[], [], 1001]);
    expect(await readDamage(disk, places)).toEqual(damage);
    await disk.remove(damageFile(places));
    const { state } = await recover(disk, places);
    expect(await readDamage(disk, places)).toEqual([]);
    const { decision, record } = step(state, submit("next"), T0 + 99);
    expect(decision).toMatchObject({ jobId: 1001 });
    const journal = await openJournal(disk, places.journalFolder, 1);
    await journal.append(record ? [record] : []);
    expect((await recover(disk, places)).state.nextJobId).toBe(1002);
  });

  test("may be what happened to a job that goes on: that is said", async () => {
    const { disk, journal } = await written(2);
    const state = stateOf(records(2));
    const { record } = step(state, { type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" }, T0 + 9);
    await journal.append(record ? [record] : []);
    await edit(disk, (lines) => {
      lines[3] = "x";
    });
    const { damage } = await recover(disk, places);
    expect(damage[0]).toContain("record 4 (job 1 changed) and 1 line");
    expect(damage[1]).toBe("job 1 as of record 2: what happened since is lost, and what ran already may run again");
  });

  test("counts although it can't be read: so many bytes may have held so many jobs", async () => {
    const { disk } = await written(2);
    await edit(disk, (lines) => {
      lines[2] = "\0".repeat(400_000);
    });
    expect((await recover(disk, places)).state.nextJobId).toBeGreaterThan(400_000 / 1000);
  });

  test("ends the journal although later segments are whole: they are kept aside too", async () => {
    const { disk, second } = await inTwoSegments();
    await edit(disk, (lines) => {
      lines[2] = "garbage";
    });
    const { state, segment, damage } = await recover(disk, places);
    expect([state.seq, segment, state.nextJobId]).toEqual([1, 2, 1001]);
    expect(damage.slice(1, 3)).toEqual([
      `${second}: records 2 to 3 are missing before it`,
      `${second} can't follow what is missing before it; dropped: records 4 to 6 (jobs 3, 4, 5 submitted); ` +
        `kept as ${second}.damaged`,
    ]);
    expect(await disk.list(places.journalFolder)).toEqual([
      segmentName(1),
      `${segmentName(1)}.damaged`,
      `${segmentName(4)}.damaged`,
    ]);
    const journal = await openJournal(disk, places.journalFolder, segment);
    await journal.append(records(1).slice(1));
    expect((await recover(disk, places)).damage).toEqual([]);
  });

  test("a second time, the first copy stays", async () => {
    const { disk } = await written(4);
    for (const line of [4, 3]) {
      await edit(disk, (lines) => {
        lines[line] = "x";
      });
      await recover(disk, places);
    }
    expect(await disk.list(places.journalFolder)).toEqual(
      [1, 2, 3].map((n) => segmentName(1) + ["", ".damaged", ".damaged-2"][n - 1]),
    );
    expect(await readDamage(disk, places)).toHaveLength(4);
  });
});

describe("damage without which nothing is missing", () => {
  test("a line of garbage between two records that follow one another", async () => {
    const { disk } = await written(4);
    await edit(disk, (lines) => void lines.splice(3, 0, "garbage", '{"v":1,"seq":3,"at":17'));
    const { state, damage } = await recover(disk, places);
    expect(state).toEqual(stateOf(records(4)));
    expect(damage).toEqual([
      `${first}, line 4: this is no JSON object; no record is missing without it; the file as it was is kept as ` +
        `${first}.damaged`,
      `${first}, line 5: this is no JSON object; no record is missing without it; the file as it was is kept as ` +
        `${first}.damaged`,
    ]);
    expect((await recover(disk, places)).damage, "the segment was cleaned").toEqual([]);
    expect((await recover(disk, places)).state).toEqual(state);
  });

  test("a header", async () => {
    const { disk } = await written(2);
    await edit(disk, (lines) => {
      lines[0] = "{";
    });
    const { state, damage } = await recover(disk, places);
    expect(state).toEqual(stateOf(records(2)));
    expect(damage[0]).toContain("line 1: this is no journal header; no record is missing");
    expect((await recover(disk, places)).damage).toEqual([]);
  });

  test("a line at the end of a segment that another one follows", async () => {
    const { disk } = await inTwoSegments();
    await edit(disk, (lines) => void lines.splice(-1, 0, "garbage"));
    const { state, damage } = await recover(disk, places);
    expect(state).toEqual(stateOf(records(5)));
    expect(damage).toHaveLength(1);
    expect(damage[0]).toContain("line 5: this is no JSON object; no record is missing without it");
  });

  test("records that the snapshot holds", async () => {
    const { disk } = await inTwoSegments();
    await compact(disk, { places, openSegment: 4 });
    await edit(disk, (lines) => {
      lines[2] = "garbage";
    });
    expect(await recover(disk, places)).toMatchObject({ damage: [], state: { seq: 6 } });
  });
});

describe("records that read well and are none", () => {
  test("one that contradicts those before it", async () => {
    const { disk } = await written(4);
    await edit(disk, (lines) => {
      lines[3] = '{"v":1,"seq":3,"at":17,"events":[{"type":"job.cleaned","jobId":77,"node":"n1"}]}';
    });
    const { state, damage } = await recover(disk, places);
    expect([state.seq, state.jobs.size, state.nextJobId]).toEqual([2, 1, 1001]);
    expect(damage[0]).toMatch(
      /line 4: record 3 contradicts those before it: .*job 77 is missing; dropped from there on: records 3/,
    );
  });

  test("one that comes twice, or out of order", async () => {
    for (const change of [
      (lines: string[]) => lines.splice(3, 0, lines[2] ?? ""),
      (lines: string[]) => lines.splice(2, 1),
    ]) {
      const { disk } = await written(4);
      await edit(disk, (lines) => void change(lines));
      const { state, damage } = await recover(disk, places);
      expect(state.seq).toBeLessThan(3);
      expect(damage[0]).toMatch(/record \d follows record \d; dropped from there on/);
    }
  });
});

test("both snapshots damaged and the journal before them gone: ids are read from what is left of them", async () => {
  const { disk, journal } = await written(3);
  for (const count of [3, 4]) {
    await journal.rotate(count + 2);
    await compact(disk, { places, openSegment: count + 2 });
    await journal.append(records(count + 1).slice(count + 1));
  }
  for (const path of [places.snapshotFile, previousPath(places.snapshotFile)]) {
    await disk.replace(path, bytes(`{"nextJobId": 5012,${text(await disk.read(path)).slice(40)}`));
  }
  const { state, damage } = await recover(disk, places);
  expect(state.jobs.size).toBe(0);
  expect(state.nextJobId).toBe(6001);
  expect(damage.join("\n")).toContain("records 1 to 4 are missing before it");
});

test("damage is written to the log as an error", async () => {
  const { disk } = await written(2);
  await edit(disk, (lines) => {
    lines[2] = "x";
  });
  const errors: string[] = [];
  const log = { ...silentLog(), error: (message: string) => void errors.push(message) };
  await openStore({ disk, log, compact: async () => 0 }, places, 1 << 20);
  expect(errors).toEqual(await readDamage(disk, places));
});
