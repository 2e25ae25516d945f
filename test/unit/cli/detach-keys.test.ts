/** The keys of the client within a session. */

import { describe, expect, test } from "vitest";
import { DetachKeys, formatDetachKey, parseDetachKey } from "../../../src/cli/attach/detach-keys.ts";

const PREFIX = "\x1c";

/** Bytes as text, actions in angle brackets. */
function typed(keys: DetachKeys, text: string, nowMs = 0): string {
  return keys
    .take(new TextEncoder().encode(text), nowMs)
    .map((result) => ("action" in result ? `<${result.action}>` : new TextDecoder().decode(result.bytes)))
    .join("");
}

describe("the prefix", () => {
  test.each<[string, string]>([
    ["plain typing", "plain typing"],
    [`a${PREFIX}db`, "a<detach>b"],
    [`${PREFIX}?`, "<help>"],
    [`${PREFIX}r`, "<redraw>"],
    [`${PREFIX}\x1a`, "<suspend>"],
    [`${PREFIX}${PREFIX}`, PREFIX],
    [`${PREFIX}x`, `${PREFIX}x`],
    [`${PREFIX}ky`, "<ask-kill><kill>"],
    [`${PREFIX}kn`, "<ask-kill><keep>"],
    [`${PREFIX}k\rls`, "<ask-kill><keep>ls"],
  ])("%j", (text, result) => {
    expect(typed(new DetachKeys(0x1c), text)).toBe(result);
  });

  test("may come in one read and its letter in the next", () => {
    const keys = new DetachKeys(0x1c);
    expect(typed(keys, `ab${PREFIX}`)).toBe("ab");
    expect(keys.isPrefixed).toBe(true);
    expect(typed(keys, "d")).toBe("<detach>");
  });

  test("is the program's if nothing follows", () => {
    const keys = new DetachKeys(0x1c);
    typed(keys, PREFIX);
    expect(new TextDecoder().decode(keys.giveUp())).toBe(PREFIX);
    expect(typed(keys, "d")).toBe("d");
    expect(keys.giveUp()).toHaveLength(0);
  });

  test("none at all: everything is the program's", () => {
    expect(typed(new DetachKeys(null), `${PREFIX}d\x1d\x1d\x1d`)).toBe(`${PREFIX}d\x1d\x1d\x1d`);
  });
});

test("Ctrl-] three times within a second is a way out, slower it is typing", () => {
  expect(typed(new DetachKeys(0x01), "\x1d\x1d\x1d")).toBe("\x1d\x1d<detach>");
  const slow = new DetachKeys(0x01);
  expect([typed(slow, "\x1d", 0), typed(slow, "\x1d", 600), typed(slow, "\x1d", 1200)].join("")).toBe("\x1d\x1d\x1d");
});

describe("how a key is written", () => {
  test.each<[string, number | null | undefined]>([
    ["ctrl-\\", 0x1c],
    ["CTRL-A", 1],
    ["^]", 0x1d],
    ["none", null],
    ["ctrl-i", undefined],
    ["ctrl-m", undefined],
    ["a", undefined],
    ["", undefined],
  ])("%j", (text, byte) => {
    expect(parseDetachKey(text)).toBe(byte);
  });

  test("and shown", () => {
    expect([formatDetachKey(0x1c), formatDetachKey(1)]).toEqual(["Ctrl-\\", "Ctrl-a"]);
  });
});
