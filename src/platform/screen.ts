/**
 * Terminal screens without a terminal: what a program's output looks like. The emulator is loaded at its first use,
 * which most sessions never come to.
 */

/** A screen as its program's output so far has left it. */
export interface Screen {
  /** Resolves when the output has been taken in. */
  write(data: Uint8Array): Promise<void>;
  resize(columns: number, rows: number): void;
  /**
   * What, written to a cleared terminal of the same size, shows the same: text, colours, cursor and most modes.
   * @param scrollback lines above the screen, at most
   */
  paint(scrollback: number): string;
  close(): void;
}

/** Opens a screen of that size that keeps so many lines above it. */
export type OpenScreen = (columns: number, rows: number, scrollback: number) => Promise<Screen>;

/** The emulator of xterm.js. */
export const realScreen: OpenScreen = async (columns, rows, scrollback) => {
  const [{ default: emulator }, { default: serializer }] = await Promise.all([
    import("@xterm/headless"),
    import("@xterm/addon-serialize"),
  ]);
  const terminal = new emulator.Terminal({ cols: columns, rows, scrollback, allowProposedApi: true });
  const addon = new serializer.SerializeAddon();
  // The addon is typed for the terminal of browsers, which is the same as far as it looks.
  terminal.loadAddon(addon as never);
  return {
    write: (data) => new Promise((resolve) => terminal.write(data, resolve)),
    resize: (newColumns, newRows) => terminal.resize(newColumns, newRows),
    paint: (lines) => addon.serialize({ scrollback: lines }),
    close: () => terminal.dispose(),
  };
};
