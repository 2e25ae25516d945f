/** A terminal of tmux, in which a person would type: keys go in by `send-keys`, the screen comes out of `capture-pane`. */

import type { TestCluster } from "./cluster.ts";

let screens = 0;

export class TmuxScreen {
  readonly #cluster: TestCluster;
  readonly #socket: string;

  private constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    // A server that is told to end still holds its socket for a moment: the next screen has another.
    screens += 1;
    this.#socket = `${cluster.folder}/tmux${screens}`;
  }

  /** Starts a server of its own with one pane of this size, in which a shell waits. */
  static async open(cluster: TestCluster, columns: number, rows: number): Promise<TmuxScreen> {
    const screen = new TmuxScreen(cluster);
    const shell = "env PS1='$ ' sh";
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    await screen.#tmux("-f", "/dev/null", "new-session", "-d", "-s", "test", ...size, shell);
    // The size of the window is the test's to choose, whoever looks at it.
    await screen.#tmux("set-option", "-t", "test", "window-size", "manual");
    await screen.#tmux("set-option", "-t", "test", "status", "off");
    await screen.resize(columns, rows);
    return screen;
  }

  #tmux(...args: string[]): Promise<string> {
    return this.#cluster.ok("tmux", ["-S", this.#socket, ...args]);
  }

  /** Keys by tmux's names (`C-c`, `Enter`), or words as they are. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", "-t", "test", ...keys);
  }

  /** Types a line. */
  async enter(line: string): Promise<void> {
    await this.#tmux("send-keys", "-t", "test", "-l", line);
    await this.press("Enter");
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-t", "test", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** What is on the screen, with its colours; trailing blanks are left out. */
  async seen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-e", "-t", "test")).trimEnd();
  }

  /** Column and row of the cursor from 0, and whether an alternate screen is shown. */
  async cursor(): Promise<string> {
    return (await this.#tmux("display-message", "-p", "-t", "test", "#{cursor_x} #{cursor_y} #{alternate_on}")).trim();
  }

  /** Waits until this is on the screen. */
  async shows(what: RegExp): Promise<void> {
    let seen = "";
    await this.#cluster.until(
      async () => {
        seen = await this.seen();
        return what.test(seen);
      },
      () => `tmux shows ${what} instead of\n${seen}`,
    );
  }

  async close(): Promise<void> {
    await this.#tmux("kill-server");
  }
}
