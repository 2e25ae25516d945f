/** What nodes are told that look at themselves for somebody. */

import { expect, test } from "vitest";
import type { ControllerContext } from "../../../src/controller/context.ts";
import { examineHandler } from "../../../src/controller/handlers/examine.ts";

async function ordered(allowedScriptPaths: readonly string[]): Promise<unknown> {
  let order: unknown;
  const call = async (method: string, params: unknown) => {
    if (method === "ping") return { now: 0 };
    order = params;
    return { facts: null, port: null, back: null };
  };
  const session = { peer: { call }, registration: { name: "n1", inventory: { version: "1", gpuProvider: "fake" } } };
  const context = {
    clock: { now: () => 0 },
    sessions: { all: new Map([["n1", session]]), get: () => session },
    identity: { user: { uid: 0, name: "root" } },
    settings: { allowedScriptPaths },
  } as unknown as ControllerContext;
  const asking = { home: "/home/ada", cwd: "/", path: "/evil" };
  const user = { uid: 1000, gid: 1000, name: "ada" };
  await examineHandler(context, null)(asking, { hello: { user } } as never);
  return order;
}

test("where not every program may run, none of the asker's is looked at by running it", async () => {
  const user = { uid: 1000, gid: 1000, name: "ada" };
  expect(await ordered(["/opt/lab"])).toMatchObject({ user, isShared: true, isRestricted: true });
  expect(await ordered([])).toMatchObject({ user, isRestricted: false });
});
