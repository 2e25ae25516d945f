import { expect, test } from "vitest";
import { demoCluster } from "../../../src/tui/demo.ts";
import { matchesFilter, parseFilter } from "../../../src/tui/filter.ts";

const NOW = 1_700_000_000_000;
const { jobs } = demoCluster(100, NOW);

function found(text: string) {
  const filter = parseFilter(text);
  expect(filter.problem).toBe("");
  return jobs.filter((row) => matchesFilter(filter, row, NOW));
}

test("fields, numbers, words, and each of them turned round", () => {
  expect(found("state:R")).toEqual(jobs.filter(({ state }) => state === "RUNNING"));
  expect(found("state:running,PD")).toHaveLength(100);
  expect(found("user:bob,ada")).toEqual(jobs.filter(({ user }) => user === "bob" || user === "ada"));
  expect(found("gpu>2")).toEqual(jobs.filter(({ gpus }) => gpus > 2000));
  expect(found("gpus<=2 !user:bob")).toEqual(jobs.filter(({ gpus, user }) => gpus <= 2000 && user !== "bob"));
  expect(found("time>60").every(({ startAt }) => startAt !== null && NOW - startAt > 3_600_000)).toBe(true);
  expect(found("finetune !R").every(({ name }) => name.includes("finetune"))).toBe(true);
  expect(found("")).toHaveLength(100);
  expect(found("! state: gpu>")).toHaveLength(100);
});

test("what can't be understood is said, and the rest holds", () => {
  expect(parseFilter("colour:red gpu>many user>3 user:bob")).toMatchObject({
    problem: 'nothing is called "colour"; gpu wants a number, not "many"; user is no number: write user:3',
  });
  expect(parseFilter("constructor:x").problem).toContain("constructor");
  const { tests } = parseFilter("colour:red user:bob");
  expect(tests).toHaveLength(1);
});
