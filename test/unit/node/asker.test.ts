/** As whom a node looks for the programs and folders of somebody who asks mgpu doctor, and reads outputs. */

import { expect, test } from "vitest";
import type { AgentContext } from "../../../src/node/agent-context.ts";
import { askerOf, readerOf } from "../../../src/node/agent-user.ts";

const ROOT = { uid: 0, gid: 0, name: "root" };
const ADA = { uid: 1000, gid: 1000, name: "ada" };
const HERE = { ...ADA, uid: 2000, groups: [100], home: "/home/ada", shell: "/bin/sh" };

/** A node daemon of a user; root's knows ada by another number. */
const contextOf = (user: typeof ROOT): AgentContext => {
  const resolve = async ({ name }: typeof ROOT) => {
    if (name === "ada") return HERE;
    throw new Error(`this machine knows no user ${name}`);
  };
  return { name: "n1", user, holders: { others: user.uid === 0 ? { resolve } : null } } as unknown as AgentContext;
};

test("root's daemon becomes the user of that name, and nobody whom it does not know", async () => {
  expect(await askerOf(contextOf(ROOT), ADA, true)).toBe(HERE);
  expect(await askerOf(contextOf(ROOT), ROOT, true)).toBeNull();
  const bob = askerOf(contextOf(ROOT), { ...ADA, name: "bob" }, true);
  await expect(bob).rejects.toMatchObject({
    code: "PERMISSION",
    message: expect.stringContaining("knows no user bob"),
  });
});

test("a user's daemon runs nothing of others, unless its controller serves one user only", async () => {
  const bob = { ...ADA, name: "bob" };
  expect(await askerOf(contextOf(ADA), ADA, true)).toBeNull();
  expect(await askerOf(contextOf(ADA), bob, false)).toBeNull();
  const message = "node n1 runs programs of ada only, not of bob";
  await expect(askerOf(contextOf(ADA), bob, true)).rejects.toMatchObject({ code: "PERMISSION", message });
});

test("outputs are read as the user of that name, never by the controller's numbers", async () => {
  expect(await readerOf(contextOf(ROOT), ADA)).toBe(HERE);
  expect(await readerOf(contextOf(ROOT), ROOT)).toBe(ROOT);
  expect(await readerOf(contextOf(ADA), ADA)).toBe(ADA);
  for (const user of [
    { uid: 1000, gid: 1000 },
    { ...ADA, name: "bob" },
  ]) {
    await expect(readerOf(contextOf(ROOT), user)).rejects.toMatchObject({ code: "UNREADABLE" });
  }
});
