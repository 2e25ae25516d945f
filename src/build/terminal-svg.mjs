/** A terminal's screen as SVG: text stays text, colours are of one palette, and every cell stands on its grid. */

const CELL = { width: 8.4, height: 18 };
const MARGIN = 14;
const FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
const BACKGROUND = "#16181d";
const FOREGROUND = "#d7dae0";

/** The sixteen colours of a terminal. */
const PALETTE = [
  ...["#2b2f38", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4"],
  ...["#5c6370", "#ff7b86", "#b5e08f", "#ffd68a", "#7cc4ff", "#dd93f2", "#6fd3e0", "#ffffff"],
];

/**
 * The visible screen.
 * @param {import("@xterm/headless").Terminal} terminal
 * @returns {string} an SVG document
 */
export function svgOf(terminal) {
  const { active } = terminal.buffer;
  const rows = Array.from({ length: terminal.rows }, (_, y) =>
    runsOf(active.getLine(active.viewportY + y), terminal.cols),
  );
  while (rows.length > 1 && rows.at(-1)?.every(({ text, back }) => text.trim() === "" && back === null)) rows.pop();
  const width = Math.ceil(terminal.cols * CELL.width + 2 * MARGIN);
  const height = Math.ceil(rows.length * CELL.height + 2 * MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>`,
    `<g font-family="${FONT}" font-size="14" fill="${FOREGROUND}" xml:space="preserve">`,
    ...rows.flatMap((runs, y) => runs.flatMap((run) => runSvg(run, y))),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** Neighbouring cells of one look. */
function runsOf(line, columns) {
  const runs = [];
  for (let x = 0; x < columns; x++) {
    const cell = line?.getCell(x);
    if (!cell || cell.getWidth() === 0) continue;
    const look = lookOf(cell);
    const text = cell.getChars() || " ";
    const last = runs.at(-1);
    if (last && last.key === look.key && cell.getWidth() === 1) {
      last.text += text;
      last.cells += 1;
    } else runs.push({ ...look, x, text, cells: cell.getWidth() });
  }
  return runs;
}

function lookOf(cell) {
  const own = { fore: colourOf(cell, "Fg"), back: colourOf(cell, "Bg") };
  const { fore, back } = cell.isInverse() ? { fore: own.back ?? BACKGROUND, back: own.fore ?? FOREGROUND } : own;
  const [isBold, isDim, isUnderlined] = [cell.isBold() !== 0, cell.isDim() !== 0, cell.isUnderline() !== 0];
  return { fore, back, isBold, isDim, isUnderlined, key: [fore, back, isBold, isDim, isUnderlined].join() };
}

function colourOf(cell, side) {
  const value = cell[`get${side}Color`]();
  if (cell[`is${side}RGB`]()) return `#${value.toString(16).padStart(6, "0")}`;
  if (!cell[`is${side}Palette`]()) return null;
  if (value < 16) return PALETTE[value];
  // xterm's table of 256: a cube of six steps, then greys.
  if (value >= 232) return hex([8, 8, 8].map((one) => one + (value - 232) * 10));
  const step = (one) => (one === 0 ? 0 : 55 + one * 40);
  const index = value - 16;
  return hex([step(Math.floor(index / 36)), step(Math.floor(index / 6) % 6), step(index % 6)]);
}

function hex(parts) {
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function runSvg({ x, text, cells, fore, back, isBold, isDim, isUnderlined }, y) {
  const left = (MARGIN + x * CELL.width).toFixed(1);
  const top = MARGIN + y * CELL.height;
  const width = (cells * CELL.width).toFixed(1);
  const parts =
    back === null ? [] : [`<rect x="${left}" y="${top}" width="${width}" height="${CELL.height}" fill="${back}"/>`];
  if (text.trim() === "") return parts;
  const looks = [
    fore === null ? "" : ` fill="${fore}"`,
    isBold ? ' font-weight="bold"' : "",
    isDim ? ' opacity="0.65"' : "",
    isUnderlined ? ' text-decoration="underline"' : "",
  ].join("");
  const shown = text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return [
    ...parts,
    `<text x="${left}" y="${top + 13}" textLength="${width}" lengthAdjust="spacingAndGlyphs"${looks}>${shown}</text>`,
  ];
}
