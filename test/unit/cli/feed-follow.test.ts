/** mgpu feed --watch without a controller here: no change of the file is missed. */

import { expect, test } from "vitest";
import { follow, markOf } from "../../../src/cli/feed/follow.ts";
import { fakeContext } from "./fake-context.ts";

test("what changed while it was fed first is fed once it is at rest", async () => {
  const files: Record<string, string> = { "/work/jobs.txt": "a" };
  const { context, clock, signal } = fakeContext({ files });
  const before = markOf("/work/jobs.txt", context);
  files["/work/jobs.txt"] = "ab";
  const fed: (string | undefined)[] = [];
  const over = follow("/work/jobs.txt", context, before, async () => void fed.push(files["/work/jobs.txt"]));
  await clock.advance(3000);
  expect(fed).toEqual([]);
  await clock.advance(7000);
  expect(fed).toEqual(["ab"]);
  signal("SIGINT");
  await clock.advance(3000);
  await over;
});
