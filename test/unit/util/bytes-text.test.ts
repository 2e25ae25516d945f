import { expect, test } from "vitest";
import { utf8Length, utf8Text } from "../../../src/util/bytes.ts";

const TEXTS = ["", "plain", "Größe", "日本", "a😀b", "x".repeat(10_000), `${"x".repeat(10_000)}ü`];

test("lengths and texts are those of the system's encoder", () => {
  for (const text of TEXTS) {
    const bytes = new TextEncoder().encode(text);
    expect(utf8Length(text)).toBe(bytes.length);
    expect(utf8Text(bytes)).toBe(text);
  }
});

test("bytes that are no text become what a decoder makes of them, and a mark at the start is left out", () => {
  expect(utf8Text(Uint8Array.of(0x61, 0xff, 0x62))).toBe("a\ufffdb");
  expect(utf8Text(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("a");
});
