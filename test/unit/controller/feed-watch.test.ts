/** feed.watch: whose files are watched, and what becomes of a watch whose file can't be read. */

import { expect, test } from "vitest";
import type { ControllerContext } from "../../../src/controller/context.ts";
import type { FeedWatch } from "../../../src/controller/feeds/watch.ts";
import { feedHandlers } from "../../../src/controller/handlers/feed.ts";

const ADA = { uid: 1000, gid: 1000, name: "ada" };
const PARAMS = { requestId: "r", path: "/home/ada/jobs", job: {}, environment: {}, again: false };

function watching(isKnown: boolean) {
  const feeds = new Map<number, object>();
  if (isKnown) feeds.set(7, { id: 7, path: PARAMS.path, user: ADA });
  const commands: string[] = [];
  const execute = async ({ type }: { type: string }) => {
    commands.push(type);
    if (type === "feed.put" && !isKnown) feeds.set(8, { id: 8, path: PARAMS.path, user: ADA });
    return { kind: "accept" };
  };
  const context = {
    ...{ loop: { state: { feeds }, execute }, isEnding: () => false },
    blobs: { put: async () => "digest", write: async () => "digest", has: async () => true },
  } as unknown as ControllerContext;
  const readNow = async () => {
    throw Object.assign(new Error(""), { code: "ENOENT" });
  };
  const handler = feedHandlers(context, () => "digest", { readNow } as unknown as FeedWatch)["feed.watch"];
  const call = (caller?: object) => handler(PARAMS as never, { hello: { user: ADA, caller } } as never);
  return { call, commands };
}

test("a file that can't be read is not watched for, unless it was watched before", async () => {
  const fresh = watching(false);
  await expect(fresh.call()).rejects.toMatchObject({ message: "/home/ada/jobs: No such file or directory" });
  expect(fresh.commands).toEqual(["feed.put", "feed.drop"]);
  const known = watching(true);
  const message = "/home/ada/jobs: No such file or directory; it is watched as feed 7 all the same";
  await expect(known.call()).rejects.toMatchObject({ code: "UNREADABLE", message });
  expect(known.commands).toEqual(["feed.put"]);
});

test("users of root's daemons and of other machines are told why their files are not watched", async () => {
  const { call, commands } = watching(false);
  const told = (message: string) => ({ code: "NOT_HERE", message });
  await expect(call({ isHere: true })).rejects.toMatchObject(told("root's daemons do not watch files of users"));
  const far = "the controller is on another machine and does not see this file";
  await expect(call({})).rejects.toMatchObject(told(far));
  expect(commands).toEqual([]);
});
