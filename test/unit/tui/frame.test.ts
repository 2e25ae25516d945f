import { expect, test } from "vitest";
import { createFrames } from "../../../src/tui/frame.ts";
import { createInkScreen } from "../../../src/tui/ink.ts";

/** What is painted, and a clock whose only call is made by `load`. */
function setting() {
  const painted: string[] = [];
  let run = (): void => {};
  const clock = {
    after(_ms: number, later: () => void) {
      run = later;
      return () => {};
    },
  };
  const painter = { paint: (rows: readonly string[]) => void painted.push(rows.join("|")), forget() {} };
  return { painted, clock, painter, load: () => run() };
}

test("frames are painted at once, then through Ink; none is painted twice, and loading Ink paints nothing", async () => {
  const { painted, clock, painter, load } = setting();
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
  const { painted, clock, painter, load } = setting();
  const frames = createFrames(clock, painter, async () => (onFrame) => ({ show: onFrame, close: () => onFrame([]) }));
  frames.show(["a"], 10);
  load();
  await new Promise((resolve) => setTimeout(resolve, 0));
  frames.show(["b"], 10);
  frames.close();
  expect(painted).toEqual(["a", "b"]);
});
