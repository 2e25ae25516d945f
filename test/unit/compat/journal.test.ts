/** A frozen journal of version 1: every later version must read it to the same state. The files are never edited. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSegment } from "../../../src/controller/store/segment.ts";
import type { Event } from "../../../src/core/events.ts";
import { replay } from "../../../src/core/kernel.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";

const FOLDER = join(import.meta.dirname, "../../fixtures/journal");

/** Each folder is a journal by itself: `v1`, and `v1-THEME` for what came later. */
const JOURNALS = readdirSync(FOLDER);

/** Every event type that version 1 knows: a new one needs a sample in a new fixture. */
const TYPES: Record<Event["type"], true> = {
  "job.submitted": true,
  "job.allocated": true,
  "job.ended": true,
  "job.cleaned": true,
  "job.requeued": true,
  "job.held": true,
  "job.updated": true,
  "job.suspended": true,
  "job.preempting": true,
  "job.shrunk": true,
  "job.signalled": true,
  "array.split": true,
  "step.created": true,
  "step.ending": true,
  "step.limited": true,
  "job.purged": true,
  "step.started": true,
  "step.ended": true,
  "node.registered": true,
  "node.down": true,
  "node.updated": true,
  "node.deleted": true,
  "partition.set": true,
  "partition.deleted": true,
  "reservation.set": true,
  "reservation.deleted": true,
  "policy.changed": true,
  "licenses.set": true,
  "feed.set": true,
  "feed.deleted": true,
  "feed.line": true,
  "elastic.queue.set": true,
  "elastic.queue.deleted": true,
  "elastic.node.set": true,
  "elastic.node.deleted": true,
  "elastic.noted": true,
};

test.each(JOURNALS)("the journal %s gives its state", (name) => {
  const { records, trouble } = readJournal(name);
  expect(trouble).toBeNull();
  const state = emptyState();
  replay(state, records);
  const frozen = JSON.parse(readFileSync(join(FOLDER, name, "state.json"), "utf8"));
  expect(state).toEqual(fromStored(frozen));
  expect(fromStored(toStored(state))).toEqual(state);
});

test("they hold every event type", () => {
  const records = JOURNALS.flatMap((name) => readJournal(name).records);
  const found = new Set(records.flatMap((record) => record.events.map((event) => event.type)));
  expect([...found].sort()).toEqual(Object.keys(TYPES).sort());
});

function readJournal(name: string): ReturnType<typeof readSegment> {
  const file = "000000000001.jsonl";
  return readSegment(readFileSync(join(FOLDER, name, file)), file);
}
