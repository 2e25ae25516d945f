/** The pictures of the README show what the programs print today. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "mgpu-images-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The words of a picture, a line for each text. */
function words(file: string): string[] {
  const texts = readFileSync(file, "utf8").matchAll(/<text [^>]*>([^<]*)<\/text>/g);
  return [...texts].map(([, text = ""]) => text.trimEnd());
}

test("npm run pictures makes them, and those in the repository are no older than the programs", () => {
  const said = execFileSync("node", [join(ROOT, "src/build/pictures.mjs"), folder], { encoding: "utf8" });
  const made = said.trim().split("\n");
  expect(made.length).toBeGreaterThan(1);
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  for (const file of made) expect(readme).toContain(`images/${file.slice(folder.length + 1)}`);
  // Of the other ones the clock tells what they show.
  expect(words(join(folder, "srun.svg"))).toEqual(words(join(ROOT, "images/srun.svg")));
}, 200_000);
