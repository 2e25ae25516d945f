/** The accounting files as jobs.history reads them. */

import { expect, test } from "vitest";
import { type FinishedQuery, readFinished, recordFinished } from "../../../src/controller/store/accounting.ts";
import type { EndedJob } from "../../../src/core/job.ts";
import { createSimDisk } from "../../../src/sim/disk.ts";
import { spec } from "../support/samples.ts";

const OCTOBER = Date.UTC(2026, 9, 5);
const NOVEMBER = Date.UTC(2026, 10, 5);

function job(id: number, endAt: number, over: Partial<EndedJob> = {}): EndedJob {
  return {
    ...{ id, spec: spec(), submitAt: endAt - 60_000, requestId: "", attempt: 1, array: null, state: "COMPLETED" },
    ...{ startAt: endAt - 1000, eligibleAt: endAt - 60_000, endAt, limitS: 0, allocation: [], steps: [] },
    ...{ exit: { code: 0, signal: 0 }, cause: "", cancelledBy: null, cleanup: [], suspendedMs: 0 },
    ...over,
  };
}

async function read(disk: ReturnType<typeof createSimDisk>, query: Partial<FinishedQuery> = {}) {
  const ids: number[] = [];
  let damaged = 0;
  for await (const jobs of readFinished(disk, "/acc", { since: null, ids: null, ...query }, () => damaged++)) {
    ids.push(...jobs.map(({ id }) => id));
  }
  return { ids, damaged };
}

test("months before the window are not opened, and a job that was written twice comes once", async () => {
  const disk = createSimDisk();
  const first = job(1, OCTOBER);
  await recordFinished(disk, "/acc", [first, job(2, NOVEMBER)]);
  await recordFinished(disk, "/acc", [first, job(3, NOVEMBER + 1000)]);
  expect(await read(disk)).toEqual({ ids: [1, 2, 3], damaged: 0 });
  const opened: string[] = [];
  const readPart = disk.readPart.bind(disk);
  disk.readPart = (path, from, bytes) => {
    opened.push(path);
    return readPart(path, from, bytes);
  };
  expect((await read(disk, { since: NOVEMBER + 500 })).ids).toEqual([3]);
  expect(new Set(opened)).toEqual(new Set(["/acc/2026-11.jsonl"]));
});

test("a number that was given anew after a lost state is another job", async () => {
  const disk = createSimDisk();
  await recordFinished(disk, "/acc", [job(1, OCTOBER), job(1, NOVEMBER)]);
  expect((await read(disk)).ids).toEqual([1, 1]);
});

test("a job that was requeued after its line was written comes once, with its later end", async () => {
  const disk = createSimDisk();
  const first = job(1, OCTOBER);
  const { attempt, startAt, endAt, allocation, steps, state, exit, cause, suspendedMs } = first;
  const one = { attempt, startAt: startAt ?? 0, endAt, limitS: 0, allocation, steps, state, exit, cause, suspendedMs };
  const second = job(1, NOVEMBER, { submitAt: first.submitAt, attempt: 2, state: "FAILED", earlier: [one] });
  for (const end of [first, job(2, OCTOBER), first, second, second]) await recordFinished(disk, "/acc", [end]);
  const found: EndedJob[] = [];
  for await (const jobs of readFinished(disk, "/acc", { since: null, ids: null }, () => {})) found.push(...jobs);
  expect(found.map(({ id, state: end }) => [id, end])).toEqual([
    [2, "COMPLETED"],
    [1, "FAILED"],
  ]);
});

test("only lines that may be meant are read, tasks of arrays and parts of heterogeneous jobs among them", async () => {
  const disk = createSimDisk();
  const array = { jobId: 2, tasks: [{ first: 1, last: 1, step: 1 }] };
  const tricky = spec({ name: '"array":null,"het":null' });
  const jobs = [job(1, OCTOBER), job(2, OCTOBER), job(3, OCTOBER, { array, spec: tricky }), job(4, OCTOBER)];
  await recordFinished(disk, "/acc", [...jobs, job(5, OCTOBER, { spec: spec({ het: { offset: 3, size: 4 } }) })]);
  expect((await read(disk, { ids: new Set([2]) })).ids).toEqual([2, 3, 5]);
});

test("lines that can't be read are counted, and a torn last line is passed over", async () => {
  const disk = createSimDisk();
  await recordFinished(disk, "/acc", [job(1, OCTOBER)]);
  const file = await disk.openAppend("/acc/2026-10.jsonl");
  await file.append(new TextEncoder().encode('no line\n{"v":2,"job":{"id":7}}\n{"v":1,"job":{"id":8,'));
  expect(await read(disk)).toEqual({ ids: [1], damaged: 2 });
});

test("200,000 jobs are read with flat memory, many chunks one after the other", async () => {
  const line = JSON.stringify({ v: 1, job: job(0, NOVEMBER) });
  const total = 200_000;
  const text = (id: number): string => line.replace('"id":0', `"id":${id}`);
  // Made as they are read: no file of that size exists anywhere.
  let made = 0;
  let rest = Buffer.alloc(0);
  const disk = {
    list: async () => ["2026-11.jsonl"],
    async readPart(_path: string, _from: number, bytes: number) {
      while (rest.length < bytes && made < total) {
        const lines = Array.from({ length: 100 }, (_, index) => `${text(made + index + 1)}\n`);
        made += lines.length;
        rest = Buffer.concat([rest, Buffer.from(lines.join(""))]);
      }
      const part = rest.subarray(0, bytes);
      rest = rest.subarray(part.length);
      return new Uint8Array(part);
    },
  };
  let count = 0;
  let largest = 0;
  for await (const jobs of readFinished(disk, "/acc", { since: null, ids: null }, () => {})) {
    count += jobs.length;
    largest = Math.max(largest, jobs.length);
  }
  expect(count).toBe(total);
  // What is in memory at one time is what one part of the file holds.
  expect(largest).toBeLessThan(500);
});
