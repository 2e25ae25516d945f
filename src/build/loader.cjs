"use strict";
// Starts the program of the same name with its V8 code cache. Copied beside each bundle by build.mjs.
const fs = require("node:fs");
const vm = require("node:vm");

const path = `${__filename.slice(0, -4)}.js`;
const cachePath = `${path}.cache`;
const source = `(function(exports,require,module,__filename,__dirname){${fs.readFileSync(path, "utf8")}\n})`;
let cachedData;
try {
  cachedData = fs.readFileSync(cachePath);
} catch {
  // Not made: start without it.
}
const script = new vm.Script(source, { filename: path, cachedData });
if (process.env.MGPU_WRITE_CODE_CACHE) {
  process.once("exit", () => fs.writeFileSync(cachePath, script.createCachedData()));
}
script.runInThisContext()(exports, require, module, path, __dirname);
