/** TypeScript of the source tree for benches of pure code: bundled into a module in a temporary folder. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

/**
 * Bundles a module, hands over the path of what came of it, and removes that again.
 * @template T
 * @param {string} entry path of a TypeScript module
 * @param {(path: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withBundle(entry, use) {
  const folder = mkdtempSync(join(tmpdir(), "mgpu-bench-"));
  const outfile = join(folder, "bundle.mjs");
  try {
    await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
    return await use(outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
