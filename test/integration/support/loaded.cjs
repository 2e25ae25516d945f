"use strict";
// Required before a program: writes to $LOADED_FILE which of our files it read, and which of Node's modules it loaded.
const fs = require("node:fs");
const { basename } = require("node:path");

const { readFileSync, writeFileSync } = fs;
const files = [];
fs.readFileSync = (path, ...more) => {
  if (typeof path === "string" && path.includes("/dist/")) files.push(basename(path));
  return readFileSync(path, ...more);
};
const before = new Set(process.moduleLoadList);
process.once("exit", () => {
  const modules = process.moduleLoadList.filter((name) => name.startsWith("NativeModule") && !before.has(name));
  writeFileSync(process.env.LOADED_FILE, JSON.stringify({ files, modules: modules.map((name) => name.split(" ")[1]) }));
});
