import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordText } from "../../../src/controller/store/record-text.ts";
import type { JournalRecord } from "../../../src/core/events.ts";
import { sharedSpec } from "../../../src/core/shared-specs.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures/journal");

test("each kind of record reads as what it is", () => {
  const lines = readdirSync(FIXTURES).flatMap((version) => {
    const names = readdirSync(join(FIXTURES, version)).filter((name) => name.endsWith(".jsonl"));
    return names.flatMap((name) => {
      const lines = readFileSync(join(FIXTURES, version, name), "utf8")
        .trim()
        .split("\n");
      return lines.filter((line) => line.includes('"seq":'));
    });
  });
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) {
    const record = JSON.parse(line) as JournalRecord;
    expect(JSON.parse(recordText(record))).toEqual(record);
    const events = record.events.map((event) =>
      event.type === "job.submitted" ? { ...event, job: { ...event.job, spec: sharedSpec(event.job.spec) } } : event,
    );
    expect(JSON.parse(recordText({ ...record, events }))).toEqual(record);
  }
});
