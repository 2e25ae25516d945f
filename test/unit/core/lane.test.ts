import { expect, test } from "vitest";
import { Lane } from "../../../src/core/lane.ts";

function readyAt(lane: Lane, now: number): number[] {
  const ids: number[] = [];
  const iterator = lane.ready(now);
  for (let step = iterator.next(); !step.done; step = iterator.next()) ids.push(step.value);
  return ids;
}

test("jobs whose time has not come are kept aside, and stand at their places then", () => {
  const lane = new Lane();
  for (const id of [1, 3, 5]) lane.add(id, id);
  expect(lane.add(2, 2, 1000)).toBe(true);
  expect(lane.add(4, 4, 500)).toBe(true);
  expect(lane.size).toBe(5);
  expect([...lane]).toEqual([1, 2, 3, 4, 5]);
  expect(lane.nextAt).toBe(500);
  expect(readyAt(lane, 499)).toEqual([1, 3, 5]);
  expect(readyAt(lane, 500)).toEqual([1, 3, 4, 5]);
  expect(lane.nextAt).toBe(1000);
  expect(readyAt(lane, 2000)).toEqual([1, 2, 3, 4, 5]);
  expect(lane.nextAt).toBe(Number.POSITIVE_INFINITY);
});

test("a job that gets another time, or none, is ready then; one that leaves never", () => {
  const lane = new Lane();
  lane.add(1, 1, 1000);
  lane.add(2, 2, 1000);
  lane.add(3, 3, 1000);
  expect(lane.add(1, 1, 1000)).toBe(false);
  expect(lane.add(1, 1, 300)).toBe(false);
  expect(lane.add(2, 2)).toBe(false);
  expect(lane.delete(3)).toBe(true);
  expect(lane.delete(3)).toBe(false);
  expect(lane.size).toBe(2);
  expect(lane.nextAt).toBe(300);
  expect(readyAt(lane, 0)).toEqual([2]);
  expect(readyAt(lane, 300)).toEqual([1, 2]);
  expect(lane.nextAt).toBe(Number.POSITIVE_INFINITY);
});
