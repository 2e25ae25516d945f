import { expect, test } from "vitest";
import { parseJobTarget } from "../../../src/cli/filters.ts";
import { loadRecords } from "../../../src/cli/records.ts";
import type { Peer } from "../../../src/rpc/types.ts";
import { ended, pending } from "../sched/samples.ts";

/** A controller whose answer is the heterogeneous job 12 and job 14; what it was asked for. */
async function load(text: string) {
  const asked: unknown[] = [];
  const jobs = [0, 1].map((offset) => ended(pending(12 + offset, { het: { offset, size: 2 } }), "COMPLETED"));
  const records = [...jobs, ended(pending(14), "COMPLETED")].map((job) => ({ job, state: job.state }));
  const peer = {
    stream: async (_: string, params: { filter: { ids: number[] } }, onItem: (item: unknown) => void) => {
      asked.push(...params.filter.ids);
      onItem({ records });
      return { now: 5 };
    },
  } as unknown as Peer;
  const target = parseJobTarget(text);
  if (!target) throw new Error(text);
  const found = await loadRecords(peer, target);
  return { asked, ids: found.records.map(({ job }) => job.id) };
}

test("one component is that one alone, and nothing where there is no such component", async () => {
  expect(await load("12+1")).toEqual({ asked: [13], ids: [13] });
  expect(await load("12+0")).toEqual({ asked: [12], ids: [12] });
  expect(await load("13+1")).toEqual({ asked: [14], ids: [] });
  expect((await load("12")).asked).toEqual([12]);
});
