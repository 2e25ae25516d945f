/**
 * The terminal UI, which mgpu-squeue and mgpu top load when they need it (openTui in ../command.ts). Ink's layout engine
 * is WebAssembly, which can't be loaded while a CommonJS file is: it is there before Ink is.
 */

import * as yoga from "yoga-layout";
import type { TuiPorts, TuiRequest } from "../../tui/ports.ts";

/** src/build/ink.mjs puts it there. */
const { preloadYoga } = yoga as unknown as { preloadYoga(): Promise<void> };

/** Shows the screen until it is left; the exit code. */
export async function openTui(ports: TuiPorts, request: TuiRequest): Promise<number> {
  await preloadYoga();
  const { runTui } = await import("../../tui/app.ts");
  return runTui(ports, request);
}
