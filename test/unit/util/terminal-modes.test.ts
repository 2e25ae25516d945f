/** The modes of a terminal: what undoes them, and what an emulator leaves out. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TerminalModes } from "../../../src/util/terminal-modes.ts";

const ESC = "\x1b";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function after(...texts: string[]): TerminalModes {
  const modes = new TerminalModes();
  for (const text of texts) modes.feed(bytes(text));
  return modes;
}

describe("what is undone", () => {
  test.each<[string, string, string]>([
    ["nothing", "plain text\r\n", ""],
    ["nothing that a program undid itself", `${ESC}[?25l${ESC}[?1049h${ESC}[?1049l${ESC}[?25h`, ""],
    ["a hidden cursor", `${ESC}[?25l`, `${ESC}[?25h${ESC}[0m`],
    ["the alternate screen, as it was entered", `${ESC}[?1049h`, `${ESC}[?1049l${ESC}[0m`],
    ["several modes of one sequence", `${ESC}[?1000;1006h`, `${ESC}[?1000l${ESC}[?1006l${ESC}[0m`],
    ["bracketed paste and cursor keys", `${ESC}[?1h${ESC}[?2004h`, `${ESC}[?1l${ESC}[?2004l${ESC}[0m`],
    ["no wrapping", `${ESC}[?7l`, `${ESC}[?7h${ESC}[0m`],
    ["insert mode and the keypad", `${ESC}[4h${ESC}=`, `${ESC}[4l${ESC}>${ESC}[0m`],
    ["line drawing letters", `${ESC}(0`, `${ESC}(B\x0f${ESC}[0m`],
    ["a scroll region, without moving the cursor", `${ESC}[2;10r`, `${ESC}7${ESC}[r${ESC}8${ESC}[0m`],
    ["no region once it is reset", `${ESC}[2;10r${ESC}[r`, ""],
    ["a cursor's shape", `${ESC}[5 q`, `${ESC}[0 q${ESC}[0m`],
    ["the keyboard of kitty, as often as it was asked for", `${ESC}[>1u${ESC}[>3u${ESC}[<u`, `${ESC}[<1u${ESC}[0m`],
    ["other keys", `${ESC}[>4;2m`, `${ESC}[>4m${ESC}[0m`],
    ["nothing after a reset", `${ESC}[?25l${ESC}[?1049h${ESC}c`, ""],
    ["nothing that stands in a title", `${ESC}]0;a [?25l title\x07`, ""],
    ["nothing that stands in a device control string", `${ESC}P?25l${ESC}\\`, ""],
  ])("%s", (_name, text, undo) => {
    expect(after(text).undo()).toBe(undo);
  });
});

test("what an emulator leaves out comes after its picture", () => {
  const modes = after(`${ESC}[?25l${ESC}[?1006h${ESC}[3;8r${ESC}[4 q${ESC}[?2004h`);
  expect(modes.unpainted()).toBe(`${ESC}7${ESC}[3;8r${ESC}8${ESC}[4 q${ESC}[?25l${ESC}[?1006h`);
  expect(after("x").unpainted()).toBe("");
});

test("the alternate screen is known", () => {
  expect(after(`${ESC}[?1049h`).isAlternateScreen).toBe(true);
  expect(after(`${ESC}[?1049h${ESC}[?1049l`).isAlternateScreen).toBe(false);
});

test("sequences may be cut anywhere", () => {
  const pieces = fc.array(
    fc.constantFrom(`${ESC}[?25l`, `${ESC}[?1049h`, `${ESC}[2;9r`, "text", `${ESC}]2;t\x07`, `${ESC}(0`, `${ESC}[m`),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, fc.array(fc.nat({ max: 200 }), { maxLength: 8 }), (words, cuts) => {
      const text = words.join("");
      const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
      const parts = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
      expect(parts.join("")).toBe(text);
      const whole = after(text);
      const cut = after(...parts);
      expect([cut.undo(), cut.unpainted()]).toEqual([whole.undo(), whole.unpainted()]);
    }),
  );
});

test("no bytes make it fail", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
      const modes = new TerminalModes();
      modes.feed(data);
      modes.undo();
    }),
  );
});
