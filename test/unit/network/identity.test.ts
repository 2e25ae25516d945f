import { expect, test } from "vitest";
import {
  formatIdentity,
  formatInvitation,
  parseIdentity,
  parseInvitation,
  parseTarget,
} from "../../../src/protocol/identity.ts";

const KEY = "0123456789abcdef0123456789abcdef";

test("identities survive their text", () => {
  const identity = { kind: "user", name: "ada@lab-1", generation: 12 };
  expect(formatIdentity(identity)).toBe("user/ada@lab-1/12");
  expect(parseIdentity("user/ada@lab-1/12")).toEqual(identity);
});

test.each(["", "user/ada", "user//1", "user/ada/x", "User/ada/1", "user/a b/1", "user/-a/1", "user/ada/1\n", "../x/1"])(
  "no identity: %j",
  (text) => expect(parseIdentity(text)).toBe(null),
);

test("invitations survive their text; a token has a short one", () => {
  const long = { target: "gpu0:7411", identity: "user/ada/1", key: `${KEY}${KEY}` };
  expect(formatInvitation(long)).toBe(`gpu0:7411#user/ada/1:${KEY}${KEY}`);
  expect(parseInvitation(formatInvitation(long))).toEqual(long);
  const token = { target: "[fe80::1%eth0]:99", identity: "join/deadbeef/1", key: KEY };
  expect(formatInvitation(token)).toBe(`[fe80::1%eth0]:99#deadbeef${KEY}`);
  expect(parseInvitation(formatInvitation(token))).toEqual(token);
});

test.each([
  "gpu0:7411",
  "gpu0#",
  "#x",
  `gpu0:99999#deadbeef${KEY}`,
  "gpu0#user/ada/1:xyz",
  "gpu0#user/ada:00",
  "a b#c",
])("no invitation: %j", (text) => expect(parseInvitation(text)).toBe(null));

test("targets: with the usual port, with brackets; never a path", () => {
  expect(["gpu0", "gpu0:1", "10.0.0.2", "[::1]", "[::1]:8"].map(parseTarget)).toEqual([
    ...["gpu0:7411", "gpu0:1", "10.0.0.2:7411", "[::1]:7411", "[::1]:8"],
  ]);
  expect(["", ":1", "a:b", "a:1:2", "/run/x", "a:70000"].map(parseTarget)).toEqual(Array(6).fill(null));
});
