/** A terminal around a program of the cluster: what a person at a keyboard has, driven by terminal.py. */

import { join } from "node:path";
import type { Ran, Running, RunOptions, TestCluster } from "./cluster.ts";

const DRIVER = join(import.meta.dirname, "terminal.py");

export interface TerminalOptions extends Pick<RunOptions, "env" | "cwd"> {
  readonly columns?: number;
  readonly rows?: number;
}

export class Terminal {
  readonly #cluster: TestCluster;
  readonly #running: Running;
  /** Everything before this place of the screen was waited for already. */
  #seen = 0;

  constructor(cluster: TestCluster, argv: readonly string[], options: TerminalOptions = {}) {
    const { columns = 80, rows = 24, env, cwd } = options;
    this.#cluster = cluster;
    this.#running = cluster.start("python3", [DRIVER, String(columns), String(rows), ...argv], {
      env: { TERM: "xterm", ...env },
      ...(cwd ? { cwd } : {}),
    });
  }

  /** All that was shown so far. */
  get screen(): string {
    return this.#running.stdout();
  }

  type(text: string): void {
    this.#running.child.stdin?.write(`type ${Buffer.from(text).toString("hex")}\n`);
  }

  resize(columns: number, rows: number): void {
    this.#running.child.stdin?.write(`resize ${columns} ${rows}\n`);
  }

  /** Waits until this is shown, after all that was waited for before; answers with the match. */
  async shows(what: string | RegExp): Promise<RegExpExecArray> {
    const pattern = typeof what === "string" ? new RegExp(what.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : what;
    let match: RegExpExecArray | null = null;
    await this.#cluster.until(
      () => {
        match = pattern.exec(this.screen.slice(this.#seen));
        return match !== null;
      },
      () => `${pattern} is shown after ${JSON.stringify(this.screen.slice(this.#seen))}`,
    );
    const found = match as unknown as RegExpExecArray;
    this.#seen += found.index + found[0].length;
    return found;
  }

  /** Types a line to a shell. */
  enter(line: string): void {
    this.type(`${line}\r`);
  }

  /** Closes the window: whoever runs in it is told by a hangup. */
  close(): void {
    this.#running.child.stdin?.write("close\n");
  }

  get ended(): Promise<Ran> {
    return this.#running.ended;
  }
}
