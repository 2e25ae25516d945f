"use strict";
// Starts the program of the same name with its V8 code cache. Copied beside each bundle by build.mjs.
const fs = require("node:fs");
const vm = require("node:vm");

if (process.env.MGPU_ODD_VARIABLES !== undefined) restoreVariables();
const path = `${__filename.slice(0, -4)}.js`;
const cachePath = `${path}.cache`;
// Bundles are ASCII (esbuild's default charset): UTF-8 is what Node reads with the least code. They are functions already (build.mjs).
const source = fs.readFileSync(path, "utf8");
let cachedData;
try {
  cachedData = fs.readFileSync(cachePath);
} catch {
  // Not made: start without it.
}
const script = new vm.Script(source, { filename: path, cachedData });
// Which files' caches are to be written, by the end of their names.
const written = process.env.MGPU_WRITE_CODE_CACHE;
if (written && path.endsWith(written)) {
  process.once("exit", () => fs.writeFileSync(cachePath, script.createCachedData()));
}
script.runInThisContext()(exports, require, module, path, __dirname);

/** Puts back what the launcher's shell would have dropped: NAME=value entries, each ended by a NUL, in base64. */
function restoreVariables() {
  const { env } = process;
  const entries = env.MGPU_ODD_VARIABLES;
  delete env.MGPU_ODD_VARIABLES;
  for (const entry of Buffer.from(entries, "base64").toString().split("\0")) {
    const end = entry.indexOf("=");
    if (end > 0) env[entry.slice(0, end)] = entry.slice(end + 1);
  }
}
