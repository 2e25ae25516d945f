/**
 * The terminal UI, which mgpu-squeue and mgpu top load when they need it (openTui in ../command.ts). Ink's layout engine
 * is WebAssembly, which can't be loaded while a CommonJS file is: it is there before Ink is.
 */

import * as yoga from "yoga-layout";
import { connectController } from "../../cli/connect.ts";
import type { ConnectPorts } from "../../cli/dial.ts";
import type { TuiPorts, TuiRequest } from "../../tui/ports.ts";

/** src/build/ink.mjs puts it there. */
const { preloadYoga } = yoga as unknown as { preloadYoga(): Promise<void> };

/**
 * Shows the screen until it is left; the exit code. It connects by itself: a command's own bundle knows only of the
 * procedures that the command calls.
 */
export async function openTui(
  ports: Omit<TuiPorts, "connect">,
  connectPorts: ConnectPorts,
  request: TuiRequest,
): Promise<number> {
  await preloadYoga();
  const { runTui } = await import("../../tui/app.ts");
  return runTui({ ...ports, connect: () => connectController(connectPorts, { start: false }) }, request);
}
