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
 * @param {import("esbuild").BuildOptions} [options] in the place of those that do for pure code
 * @returns {Promise<T>}
 */
export async function withBundle(entry, use, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), "mgpu-bench-"));
  const outfile = join(folder, options.format === "cjs" ? "bundle.cjs" : "bundle.mjs");
  try {
    const usual = { entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" };
    await build({ ...usual, ...options });
    return await use(outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
