/**
 * The terminal UI on a terminal that is not there, for the build: V8's code cache holds the functions that have run, and
 * where a package is installed there may be no terminal.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { realClock } from "../platform/clock.ts";
import type { TuiPorts, TuiRequest } from "../tui/ports.ts";

/** Through each view, then out. */
const KEYS = ["j", "\r", "q", "l", "q", "2", "3", "q", "q", "?", "q", "/gpu\r", "\x1b", ":", "\x1b", "q"];

/** Longer than a frame takes. */
const PAUSE_MS = 70;

const LETTERS = new TextEncoder();

/** The demonstration, looked at for a second. */
export async function rehearse(
  open: (ports: Omit<TuiPorts, "loadInk">, request: TuiRequest) => Promise<number>,
): Promise<void> {
  const ports: Omit<TuiPorts, "loadInk"> = {
    ...{ launcherFolder: "", environment: { LANG: "C.UTF-8" }, user: { uid: 1000, gid: 1000, name: "ada" } },
    clock: realClock(),
    stdio: { out() {} },
    session: {
      input: {
        async read(take) {
          for (const key of KEYS) {
            await sleep(PAUSE_MS);
            await take(LETTERS.encode(key));
          }
        },
        stop() {},
      },
      terminal: {
        size: () => ({ columns: 120, rows: 40 }),
        raw: () => () => {},
        fullScreen: () => () => {},
        suspend() {},
      },
      onSignal: () => () => {},
      startChild: () => Promise.reject(new Error("there is nothing to attach to")),
    },
    utcOffsetMinutes: () => 0,
    connect: () => Promise.reject(new Error("there is no controller")),
  };
  await open(ports, { isDemo: true, isReadOnly: false, isAscii: false });
}
