/** Colours and thousands separators: for people at a terminal, and for nobody else. */

import { expect, test } from "vitest";
import { command as sinfo } from "../../../src/cli/commands/sinfo.ts";
import { command as squeue } from "../../../src/cli/commands/squeue.ts";
import { painterFor } from "../../../src/cli/output/painter.ts";
import { runOn } from "../../golden/run.ts";
import { type FakeOptions, fakeContext } from "./fake-context.ts";

const TERMINAL = { terminal: { columns: 80, rows: 24 } };
const ESCAPE = "\u001b[";

const paint = (options: FakeOptions, isOwnFormat = true) => {
  return painterFor(fakeContext({ program: "mgpu-squeue", ...options }).context, { isOwnFormat });
};

test("a state has its colour, whatever its width and its marks", () => {
  const painter = paint(TERMINAL);
  expect(painter?.("  R", "state")).toBe(`  ${ESCAPE}32mR${ESCAPE}0m`);
  expect(painter?.("FAILED  ", "state")).toBe(`${ESCAPE}31mFAILED${ESCAPE}0m  `);
  expect(painter?.("down*", "state")).toBe(`${ESCAPE}31mdown*${ESCAPE}0m`);
  expect(painter?.("PEND", "state")).toBe("PEND");
});

test("thousands stand apart where there is room, in tables of our own", () => {
  expect(paint(TERMINAL)?.(" 12345", "count")).toBe("12,345");
  expect(paint(TERMINAL)?.("1234   ", "count")).toBe("1,234  ");
  expect(paint(TERMINAL)?.(" 999", "count")).toBe(" 999");
  expect(paint(TERMINAL)?.(" 123456", "count")).toBe("123,456");
  expect(paint(TERMINAL)?.("123456 ", "count")).toBe("123,456");
  expect(paint(TERMINAL)?.("512000", "count")).toBe("512000");
  expect(paint(TERMINAL)?.(" 64000+", "count")).toBe("64,000+");
  expect(paint(TERMINAL, false)?.(" 12345", "count")).toBe(" 12345");
});

test("never in a pipe, never under Slurm's names; NO_COLOR leaves the separators", () => {
  expect(paint({})).toBeUndefined();
  expect(paint({ ...TERMINAL, program: "squeue" })).toBeUndefined();
  const plain = paint({ ...TERMINAL, environment: { HOME: "/", NO_COLOR: "1" } });
  expect([plain?.("R", "state"), plain?.("  1234", "count")]).toEqual(["R", " 1,234"]);
  expect(paint({ ...TERMINAL, environment: { HOME: "/", TERM: "dumb" } })?.("R", "state")).toBe("R");
});

test.each([
  [squeue, []],
  [squeue, ["-O", "JobID,State"]],
  [sinfo, []],
  [sinfo, ["-N"]],
] as const)("$0.name %j: coloured for a terminal, the same text without the colours", async (command, argv) => {
  const piped = await runOn(command, argv);
  const shown = await runOn(command, argv, TERMINAL);
  expect(shown.out).toContain(ESCAPE);
  expect(shown.out.replace(/\u001b\[\d+m/g, "")).toBe(piped.out);
});

test.each([
  [squeue, ["--json"]],
  [squeue, ["--yaml"]],
  [sinfo, ["--json"]],
] as const)("$0.name %j never changes", async (command, argv) => {
  expect((await runOn(command, argv, TERMINAL)).out).toBe((await runOn(command, argv)).out);
});
