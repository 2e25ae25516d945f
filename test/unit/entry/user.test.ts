import { hostname, userInfo } from "node:os";
import { expect, test } from "vitest";
import { currentHost, currentUser, nameIn } from "../../../src/entry/user.ts";

test("the user and the machine are those that the system names", () => {
  const { uid, gid, username } = userInfo();
  expect(currentUser()).toEqual({ uid, gid, name: username });
  expect(currentHost()).toBe(hostname().split(".")[0]);
});

test("lines of the list of users that the system passes over name nobody", () => {
  const listed = "#old:x:7:7::/:/bin/sh\n+net:x:7:7:::\n\nada:x:7:7::/:/bin/sh\nbob:x:7:7::/:/bin/sh\n";
  expect(nameIn(listed, 7)).toBe("ada");
  expect(nameIn(listed, 8)).toBeUndefined();
});
