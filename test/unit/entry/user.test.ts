import { hostname, userInfo } from "node:os";
import { expect, test } from "vitest";
import { currentHost, currentUser } from "../../../src/entry/user.ts";

test("the user and the machine are those that the system names", () => {
  const { uid, gid, username } = userInfo();
  expect(currentUser()).toEqual({ uid, gid, name: username });
  expect(currentHost()).toBe(hostname().split(".")[0]);
});
