import { expect, test } from "vitest";
import { parseDependency } from "../../../src/core/dependency.ts";
import type { Job } from "../../../src/core/job.ts";
import type { Peer } from "../../../src/rpc/types.ts";
import { dependencyLines } from "../../../src/tui/dependencies.ts";

function job(id: number, name: string, text: string): Job {
  const parsed = parseDependency(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return { id, state: "PENDING", array: null, spec: { name, het: null, dependency: parsed.value } } as unknown as Job;
}

test("what a job waits for, and what that waits for; jobs that are gone are said to be", async () => {
  const jobs = [job(3, "train", "afterok:2"), job(2, "fetch", "afterany:1"), job(4, "score", "")];
  const peer = {
    async stream(_: string, { filter }: { filter: { ids: number[] } }, take: (item: unknown) => void) {
      take({ jobs: jobs.filter(({ id }) => filter.ids.includes(id)).map((one) => ({ job: one })) });
      return { now: 0 };
    },
  } as unknown as Peer;
  expect(await dependencyLines(peer, job(9, "report", "afterok:3,afterany:4,singleton"))).toEqual([
    "- afterok:3 train PENDING",
    "  - afterok:2 fetch PENDING",
    "    - afterany:1 has left the queue",
    "- afterany:4 score PENDING",
    "- singleton: no other job of this name and user",
  ]);
  expect(await dependencyLines(peer, job(10, "alone", ""))).toEqual([]);
});
