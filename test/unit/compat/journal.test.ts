/** A frozen journal of version 1: every later version must read it to the same state. The files are never edited. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSegment } from "../../../src/controller/store/segment.ts";
import type { Event } from "../../../src/core/events.ts";
import { replay } from "../../../src/core/kernel.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";

const FOLDER = join(import.meta.dirname, "../../fixtures/journal/v1");

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
  "job.signalled": true,
  "array.split": true,
  "step.created": true,
  "step.ending": true,
  "job.purged": true,
  "step.started": true,
  "step.ended": true,
  "node.registered": true,
  "node.down": true,
  "policy.changed": true,
};

test("the journal of version 1 gives its state", () => {
  const content = readSegment(readFileSync(join(FOLDER, "000000000001.jsonl")), "000000000001.jsonl");
  expect(content.trouble).toBeNull();
  const state = emptyState();
  replay(state, content.records);
  const frozen = JSON.parse(readFileSync(join(FOLDER, "state.json"), "utf8"));
  expect(toStored(state)).toEqual(frozen);
  expect(state).toEqual(fromStored(frozen));
});

test("it holds every event type", () => {
  const content = readSegment(readFileSync(join(FOLDER, "000000000001.jsonl")), "000000000001.jsonl");
  const found = new Set(content.records.flatMap((record) => record.events.map((event) => event.type)));
  expect([...found].sort()).toEqual(Object.keys(TYPES).sort());
});
