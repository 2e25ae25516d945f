/**
 * The terminal UI, which mgpu-squeue and mgpu top load when they need it (openTui in ../command.ts). Ink's layout engine
 * is WebAssembly, which can't be loaded while a CommonJS file is: it is there before Ink is.
 */

import { connectController } from "../../cli/connect.ts";
import type { ConnectPorts } from "../../cli/dial.ts";
import { runTui } from "../../tui/app.ts";
import type { TuiPorts, TuiRequest } from "../../tui/ports.ts";

/**
 * Shows the screen until it is left; the exit code, `null` if there is no controller to be had. It connects by itself: a
 * command's own bundle knows only of the procedures that the command calls.
 */
export async function openTui(
  ports: Omit<TuiPorts, "connect" | "loadInk">,
  connectPorts: ConnectPorts,
  request: TuiRequest,
): Promise<number | null> {
  // Only the first contact may start a controller.
  let isFirst = true;
  let isRefused = false;
  const connect = async (): ReturnType<TuiPorts["connect"]> => {
    const options = isFirst ? {} : { start: false };
    const mayRefuse = isFirst;
    isFirst = false;
    try {
      return await connectController(connectPorts, options);
    } catch (error) {
      isRefused = mayRefuse;
      throw error;
    }
  };
  try {
    return await runTui({ ...ports, connect, loadInk }, request);
  } catch (error) {
    if (isRefused) return null;
    throw error;
  }
}

async function loadInk() {
  const { preloadYoga } = (await import("yoga-layout")) as unknown as { preloadYoga(): Promise<void> };
  await preloadYoga();
  return (await import("../../tui/ink.ts")).createInkScreen;
}

// As the build runs it (src/build/build.mjs), by itself.
if (process.env.MGPU_WRITE_CODE_CACHE !== undefined && process.argv[1] === __filename.replace(/\.js$/, ".cjs")) {
  void import("../rehearse-tui.ts").then(({ rehearse }) =>
    rehearse((ports, request) => runTui({ ...ports, loadInk }, request)),
  );
}
