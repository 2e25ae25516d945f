import { expect, test } from "vitest";
import { createKeyDecoder } from "../../../src/tui/keys.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("a burst of one key is as many keys, and sequences cut anywhere are one key", () => {
  const keys = createKeyDecoder();
  expect(keys.feed(bytes("jjj"))).toEqual(["j", "j", "j"]);
  expect(keys.feed(bytes("\x1b[B\x1b[B\r"))).toEqual(["down", "down", "enter"]);
  for (const cutAt of [1, 2]) {
    expect(keys.feed(bytes("\x1b[5~".slice(0, cutAt)))).toEqual([]);
    expect(keys.isWaiting).toBe(true);
    expect(keys.feed(bytes("\x1b[5~".slice(cutAt)))).toEqual(["pgup"]);
    expect(keys.isWaiting).toBe(false);
  }
  const euro = bytes("€");
  expect([...keys.feed(euro.subarray(0, 2)), ...keys.feed(euro.subarray(2))]).toEqual(["€"]);
});

test("a lone escape is the key, once nothing follows", () => {
  const keys = createKeyDecoder();
  expect(keys.feed(bytes("\x1b"))).toEqual([]);
  expect(keys.flush()).toEqual(["escape"]);
  expect(keys.flush()).toEqual([]);
});

test("mouse reports, focus, paste marks and unknown sequences are no keys; controls have names", () => {
  const keys = createKeyDecoder();
  expect(keys.feed(bytes("\x1b[<0;12;3M\x1b[I\x1b[200~ab\x1b[201~\x1b[?1u"))).toEqual(["a", "b"]);
  expect(keys.feed(bytes("\x03\x04\t\x7f\x1bOA\x1bx"))).toEqual([
    "ctrl-c",
    "ctrl-d",
    "tab",
    "backspace",
    "up",
    "alt-x",
  ]);
});
