/** Public traces and their published results, in shared/traces beside the project's root. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./machine.mjs";

const FOLDER = process.env.MGPU_BENCH_TRACES ?? join(ROOT, "../shared/traces");

/** The folder of some traces. Throws if it is not there. */
export function tracesOf(name) {
  const folder = join(FOLDER, name);
  if (existsSync(folder)) return folder;
  throw new Error(`there is no ${folder}: name the folder that holds ${name}/ in MGPU_BENCH_TRACES`);
}

/** Rows of a table, by the names of its columns; all cells are texts. */
export function readCsv(path) {
  const [head, ...lines] = readFileSync(path, "utf8").trim().split("\n");
  const names = head.split(",");
  return lines.map((line) => {
    const cells = cellsOf(line);
    return Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ""]));
  });
}

/** Commas within parentheses are no ends of cells. */
function cellsOf(line) {
  return line.split(/,(?![^(]*\))/);
}
