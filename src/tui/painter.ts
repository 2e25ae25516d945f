/** Rows to the terminal: only those that changed, in one write, which terminals that can show at once. */

/** Synchronized update (private mode 2026): harmless where it is unknown. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";

const CLEAR = "\x1b[0m\x1b[2J";

export interface Painter {
  paint(rows: readonly string[]): void;
  /** Nothing of what is on the terminal counts any more. */
  forget(): void;
}

/** A painter of a terminal whose content is not known. */
export function createPainter(out: (text: string) => void): Painter {
  let shown: readonly string[] | null = null;
  return {
    paint(rows) {
      let text = shown === null ? CLEAR : "";
      const height = Math.max(rows.length, shown?.length ?? 0);
      for (let at = 0; at < height; at++) {
        const row = rows[at] ?? "";
        if (shown === null ? row !== "" : shown[at] !== row) text += `\x1b[${at + 1};1H${row}\x1b[0m\x1b[K`;
      }
      shown = rows;
      if (text !== "") out(`${BEGIN}${text}${END}`);
    },
    forget() {
      shown = null;
    },
  };
}
