/**
 * Frames of the terminal UI as fast as they can be made: the model, the lines, Ink and the painter, on no terminal.
 * Bundled with the same changes to Ink as the program itself.
 */

import * as yoga from "yoga-layout";
import { demoCluster } from "../../../src/tui/demo.ts";
import { paintScreen } from "../../../src/tui/draw/screen.ts";
import { createModel, type Model } from "../../../src/tui/model.ts";
import { createPainter } from "../../../src/tui/painter.ts";
import { update } from "../../../src/tui/update.ts";

const { preloadYoga } = yoga as unknown as { preloadYoga(): Promise<void> };

const NOW = 1_700_000_000_000;

/** Milliseconds of a second at a frame: times in the rows change all the while. */
const FRAME_MS = 40;

export interface Frames {
  readonly cpuMsAFrame: number;
  /** Of live objects, in MiB: after the first tenth of the frames, and after all. */
  readonly heapBefore: number;
  readonly heapAfter: number;
  readonly bytesAFrame: number;
}

/** Holds `j` down for that many frames in a list of so many jobs, on 200 columns and 50 rows. */
export async function holdKey(jobs: number, frames: number): Promise<Frames> {
  await preloadYoga();
  const { createInkScreen } = await import("../../../src/tui/ink.ts");
  let bytes = 0;
  const painter = createPainter((text) => {
    bytes += text.length;
  });
  const ink = createInkScreen((rows) => painter.paint(rows));
  let model = opened(jobs);
  const show = (count: number): void => {
    for (let at = 0; at < count; at++) {
      const isEnd = model.cursor === model.entries.length - 1;
      model = update(model, { type: "key", key: isEnd ? "g" : "j" }).model;
      model = update(model, { type: "tick", nowMs: model.nowMs + FRAME_MS }).model;
      ink.show(paintScreen(model, true), model.columns);
    }
  };
  show(Math.ceil(frames / 10));
  const heapBefore = heap();
  const cpu = process.cpuUsage();
  bytes = 0;
  const rest = frames - Math.ceil(frames / 10);
  show(rest);
  const { user, system } = process.cpuUsage(cpu);
  const result = {
    cpuMsAFrame: (user + system) / 1000 / rest,
    heapBefore,
    heapAfter: heap(),
    bytesAFrame: bytes / rest,
  };
  ink.close();
  return result;
}

function opened(count: number): Model {
  const { jobs, nodes } = demoCluster(count, NOW);
  const flags = { isReadOnly: false, isAscii: false, isDemo: true, utcOffset: () => 0 };
  const model = createModel({ columns: 200, rows: 50, nowMs: NOW, user: { uid: 1000, name: "ada" }, ...flags });
  const told = [
    { type: "jobs", isReset: true, isPartial: false, rows: jobs, gone: [], nowMs: NOW },
    { type: "nodes", isReset: true, nodes, gone: [] },
  ] as const;
  return told.reduce((current, message) => update(current, message).model, model);
}

/** MiB of live objects; node must run with --expose-gc. */
function heap(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
