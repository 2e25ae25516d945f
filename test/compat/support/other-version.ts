/** The built programs once more, of a version that speaks another protocol. */

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");

/**
 * Copies bin/ and dist/ into a folder, with the protocol's major number changed.
 * @returns the folder of the launchers
 */
export function otherVersion(folder: string): string {
  for (const part of ["bin", "dist"]) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  let changed = 0;
  for (const name of readdirSync(join(folder, "dist"))) {
    const path = join(folder, "dist", name);
    // The code cache would still hold the old number.
    if (name.endsWith(".cache")) rmSync(path);
    if (!name.endsWith(".js")) continue;
    const text = readFileSync(path, "latin1");
    const other = text.replaceAll("={major:1,minor:0}", "={major:9,minor:0}");
    if (other !== text) changed += 1;
    writeFileSync(path, other, "latin1");
  }
  if (changed === 0) throw new Error("the built programs name their protocol in another way");
  return join(folder, "bin");
}
