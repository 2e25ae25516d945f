/** mgpu feed: what is said of lines that are no jobs. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { fakeContext, fakePeer } from "./fake-context.ts";

async function feed(text: string, ...options: string[]) {
  const controller = fakePeer({
    "feed.submit": ({ lines }) => ({
      ...{ feedId: null, jobIds: lines.map(({ line }) => line), same: 0, problems: [], models: [] },
    }),
  });
  const files = { "/work/jobs.txt": text, "/work/a.sh": "" };
  const fake = fakeContext({ program: "mgpu", files, controller });
  return {
    code: await runCommand(command, ["feed", "jobs.txt", ...options], fake.context),
    out: fake.out(),
    err: fake.err(),
  };
}

test("a long file is sent in parts and told of as one", async () => {
  const calls: { readonly lines: number; readonly linesInAll: number | undefined; readonly requestId: string }[] = [];
  const controller = fakePeer({
    "feed.submit": ({ lines, linesInAll, requestId }) => {
      calls.push({ lines: lines.length, linesInAll, requestId });
      const jobIds = lines.filter(({ line }) => line % 2 === 1).map(({ line }) => line);
      const models = [{ model: "resnet", gpus: "2", jobs: jobIds.length }];
      return { feedId: null, jobIds, same: lines.length - jobIds.length, problems: [], models };
    },
  });
  const files = { "/work/jobs.txt": "1,a.sh\n".repeat(1200), "/work/a.sh": "" };
  const fake = fakeContext({ program: "mgpu", files, controller });
  expect(await runCommand(command, ["feed", "jobs.txt"], fake.context)).toBe(0);
  expect(fake.out()).toMatch(/^jobs.txt: 600 jobs queued: 1,3,.*,1199; 600 lines were queued before\n$/);
  expect(fake.err()).toBe("mgpu feed: model resnet gets --gpus=2 (600 jobs)\n");
  expect(calls.reduce((sum, { lines }) => sum + lines, 0)).toBe(1200);
  expect(calls.length).toBeGreaterThan(1);
  for (const call of calls) expect(call).toMatchObject({ linesInAll: 1200, requestId: calls[0]?.requestId });
});

describe("lines that are no jobs", () => {
  test("are all counted", async () => {
    const { code, out, err } = await feed("1,a.sh\nx,a.sh\n1,gone.sh\n1,\n");
    expect({ code, out }).toEqual({ code: 1, out: "jobs.txt: 1 job queued: 1; 3 lines not queued\n" });
    expect(err).not.toContain("hint");
  });
  test("show the form of lines where nobody seems to know it", async () => {
    const all = await feed("python a.py\npython b.py\n");
    expect(all.out).toBe("jobs.txt: no job queued; 2 lines not queued\n");
    expect(
      all.err.match(/hint: a line is priority,script,conda_env,arguments,allowed_gpus .*man mgpu-feed\n/g),
    ).toHaveLength(1);
    expect((await feed("python a.py\n1,a.sh\n")).err).toContain("hint: a line is");
    expect((await feed("python a.py\n", "--check")).err).toContain("hint: a line is");
    expect((await feed("1,gone.sh\n")).err).not.toContain("hint");
  });
  test("--help has the form", async () => {
    expect((await feed("", "--help")).out).toContain("priority,script,conda_env,arguments,allowed_gpus");
  });
});
