/** --notify=desktop: what a terminal is sent, and through which others. */

import { expect, test } from "vitest";
import { desktopSequence, tellDesktop } from "../../../src/cli/output/desktop.ts";
import { fakeContext } from "./fake-context.ts";

test.each([
  ["job 12 has ended", { TERM: "xterm-kitty" }, "\x1b]9;job 12 has ended\x1b\\"],
  ["4;done", { TERM: "xterm" }, "\x1b]9; 4;done\x1b\\"],
  ["a;b", { TERM: "foot" }, "\x1b]777;notify;mgpu;a,b\x1b\\"],
  ["done", { TERM: "xterm-256color", VTE_VERSION: "6800" }, "\x1b]777;notify;mgpu;done\x1b\\"],
  ["done", { TERM: "tmux-256color", TMUX: "/tmp/t,1,0" }, "\x1bPtmux;\x1b\x1b]9;done\x1b\x1b\\\x1b\\"],
  ["done", { TERM: "screen", STY: "1.a" }, "\x1bP\x1b]9;done\x07\x1b\\"],
  ["x\x1b\\\x07y\n", { TERM: "xterm" }, "\x1b]9;x \\ y \x1b\\"],
])("%j in %j", (text, environment, sequence) => {
  expect(desktopSequence(text, environment)).toBe(sequence);
});

test("only a terminal is told", () => {
  const { context, err } = fakeContext({ program: "mgpu-srun" });
  tellDesktop({ ...context, stdio: { ...context.stdio, stderrIsTerminal: false } }, "done");
  expect(err()).toBe("");
  tellDesktop({ ...context, stdio: { ...context.stdio, stderrIsTerminal: true } }, "done");
  expect(err()).toContain("9;done");
});
