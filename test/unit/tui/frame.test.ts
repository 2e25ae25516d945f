import { expect, test } from "vitest";
import { createFrames } from "../../../src/tui/frame.ts";
import { createInkScreen } from "../../../src/tui/ink.ts";

test("frames are painted at once, then through Ink; none is painted twice, and loading Ink paints nothing", async () => {
  const painted: string[] = [];
  let load = (): void => {};
  const clock = {
    after(_ms: number, run: () => void) {
      load = run;
      return () => {};
    },
  };
  const painter = { paint: (rows: readonly string[]) => void painted.push(rows.join("|")), forget() {} };
  const frames = createFrames(clock, painter, async () => createInkScreen);
  frames.show(["a", "b"], 10);
  frames.show(["a", "b"], 10);
  expect(painted).toEqual(["a|b"]);
  load();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(painted).toEqual(["a|b"]);
  frames.show(["a", "c"], 10);
  frames.show(["a", "c"], 10);
  expect(painted).toEqual(["a|b", "a|c"]);
  frames.forget();
  frames.show(["a", "c"], 10);
  expect(painted.at(-1)).toBe("a|c");
  expect(painted).toHaveLength(3);
  frames.close();
});

test("what Ink still says when it is closed is painted nowhere: the terminal is the shell's again", async () => {
  const painted: string[] = [];
  let load = (): void => {};
  const clock = {
    after(_ms: number, run: () => void) {
      load = run;
      return () => {};
    },
  };
  const painter = { paint: (rows: readonly string[]) => void painted.push(rows.join("|")), forget() {} };
  const frames = createFrames(clock, painter, async () => (onFrame) => ({ show: onFrame, close: () => onFrame([]) }));
  frames.show(["a"], 10);
  load();
  await new Promise((resolve) => setTimeout(resolve, 0));
  frames.show(["b"], 10);
  frames.close();
  expect(painted).toEqual(["a", "b"]);
});
