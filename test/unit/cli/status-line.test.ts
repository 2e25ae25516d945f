import { expect, test } from "vitest";
import { StatusLine } from "../../../src/cli/attach/status-line.ts";
import { screenAfter } from "../../integration/support/emulator.ts";
import { fakeContext } from "./fake-context.ts";

const SIZE = { columns: 10, rows: 4 };

/** What is seen after this output, without colours. */
async function seen(output: string): Promise<string[]> {
  const painted = (await screenAfter(output, SIZE.columns, SIZE.rows)).replace(/\x1b\[(\d*)C/g, " ");
  return painted.replace(/\x1b\[[\d;?]*[A-Za-z]/g, "").split("\r\n");
}

/** A line over a program's screen; `shown` is all that was written. */
function onTerminal() {
  const { clock } = fakeContext();
  const terminal = { shown: "\x1b[2J\x1b[Hone\r\ntwo\r\nthree\r\nfour\x1b[2;2H", redraws: 0 };
  const line = new StatusLine({
    clock,
    out: (text) => {
      terminal.shown += text;
    },
    size: () => SIZE,
    redraw: () => {
      terminal.redraws++;
    },
  });
  return { line, clock, terminal };
}

test("stands over the last row, cut to its width, and leaves the cursor where it was", async () => {
  const { line, terminal } = onTerminal();
  line.show("no contact with n1");
  expect(await seen(`${terminal.shown}X`)).toEqual(["one", "tXo", "three", "no contact"]);
});

test("goes by itself, and what was under it is drawn anew, once", async () => {
  const { line, clock, terminal } = onTerminal();
  line.show("soon over");
  await clock.advance(4000);
  line.show("over now");
  await clock.advance(4999);
  expect(terminal.redraws).toBe(0);
  await clock.advance(1);
  expect(terminal.redraws).toBe(1);
  // Without contact nothing is drawn: then it is all there is to tell.
  expect(await seen(`${terminal.shown}X`)).toEqual(["one", "tXo", "three", "over now"]);
  line.clear();
  await clock.advance(60_000);
  expect(terminal.redraws).toBe(1);
});

test("one that waits for a key stays until then", async () => {
  const { line, clock, terminal } = onTerminal();
  line.show("y/N", true);
  await clock.advance(60_000);
  expect(await seen(terminal.shown)).toEqual(["one", "two", "three", "y/N"]);
  line.clear();
  expect(terminal.redraws).toBe(1);
});

test("a picture that comes meanwhile leaves nothing to be done", async () => {
  const { line, clock, terminal } = onTerminal();
  line.show("y/N");
  line.drawn();
  const { shown } = terminal;
  await clock.advance(60_000);
  line.wipe();
  expect(terminal).toMatchObject({ shown, redraws: 0 });
});

test("is wiped without a new picture when the terminal is given back", async () => {
  const { line, clock, terminal } = onTerminal();
  line.show("y/N");
  line.wipe();
  await clock.advance(60_000);
  expect(await seen(terminal.shown)).toEqual(["one", "two", "three"]);
  expect(terminal.redraws).toBe(0);
});
