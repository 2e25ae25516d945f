/** `npm run generate`: writes man/ and completions/ from the declarations of the commands' options. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "mgpu-gen-"));

try {
  const outfile = join(folder, "generated.mjs");
  const entry = join(root, "src/cli/gen/generated.ts");
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "warning" });
  const { generated } = await import(pathToFileURL(outfile).href);
  for (const name of ["man", "completions"]) rmSync(join(root, name), { recursive: true, force: true });
  for (const [path, text] of await generated(version)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
} finally {
  rmSync(folder, { recursive: true });
}
