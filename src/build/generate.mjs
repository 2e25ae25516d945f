/**
 * `npm run generate`: writes man/ and completions/ from the declarations of the commands' options, and lists the pages in
 * package.json: npm links those into the manual that are listed, and no others.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const manifest = join(root, "package.json");
const about = JSON.parse(readFileSync(manifest, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "mgpu-gen-"));

try {
  const outfile = join(folder, "generated.mjs");
  const entry = join(root, "src/cli/gen/generated.ts");
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "warning" });
  const { generated } = await import(pathToFileURL(outfile).href);
  for (const name of ["man", "completions"]) rmSync(join(root, name), { recursive: true, force: true });
  const made = await generated(about.version);
  about.man = [...made.keys()].filter((path) => path.startsWith("man/")).sort();
  writeFileSync(manifest, `${JSON.stringify(about, null, 2)}\n`);
  for (const [path, text] of made) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
} finally {
  rmSync(folder, { recursive: true });
}
