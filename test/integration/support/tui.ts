/** The terminal UI on a terminal, and what a person sees of it. */

import type { TestCluster } from "./cluster.ts";
import { screenAfter } from "./emulator.ts";
import { Terminal } from "./terminal.ts";

/** Colours and cursor movements told apart from the text. */
const plain = (painted: string): string =>
  painted.replace(/\x1b\[(\d*)C/g, (_, cells) => " ".repeat(Number(cells || 1))).replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "");

/** What the painter writes before it draws everything anew. */
const CLEAR = "\x1b[0m\x1b[2J";

export interface Tui {
  readonly terminal: Terminal;
  /** The text on the screen, for a terminal of this size (of its start without one). */
  seen(columns?: number, rows?: number): Promise<string>;
  /** Waits until the screen shows this. */
  sees(what: RegExp): Promise<void>;
}

/** Starts a program on a terminal. */
export function openTui(
  cluster: TestCluster,
  argv: readonly string[],
  { env = {}, columns = 80, rows = 24 }: { env?: Record<string, string>; columns?: number; rows?: number } = {},
): Tui {
  const terminal = new Terminal(cluster, argv, { env: { LANG: "C.UTF-8", ...env }, columns, rows });
  const seen = async (width = columns, height = rows): Promise<string> => {
    // What was drawn for another size is gone.
    const { screen } = terminal;
    return plain(await screenAfter(screen.slice(Math.max(0, screen.lastIndexOf(CLEAR))), width, height));
  };
  let last = "";
  const sees = (what: RegExp) =>
    cluster.until(
      async () => {
        last = await seen();
        return what.test(last);
      },
      () => `the screen shows ${what} instead of\n${last}`,
    );
  return { terminal, seen, sees };
}
