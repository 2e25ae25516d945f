"use strict";
// Loads a command's first file (argv[2], as for --version), then each part of its second one, and says what is missing in them.
const fs = require("node:fs");
const { dirname } = require("node:path");

const [, , program] = process.argv;
const loader = `${program}.cjs`;
const first = fs.readFileSync(`${program}.js`, "latin1");
const names = "let MGPU_LINK,r;";
if (!first.includes(names)) throw new Error("the first file does not look as this test expects");
process.once("exit", () => {
  const rest = require(`${program}-rest.cjs`).open(globalThis.linkOfTest());
  const labels = [...fs.readFileSync(`${program}-rest.js`, "latin1").matchAll(/case"(src\/[^"]+)":return/g)];
  const parts = labels.map(([, label]) => {
    const exported = rest(label);
    const missing = Object.keys(exported).filter((name) => exported[name] === undefined);
    return { label, count: Object.keys(exported).length, missing };
  });
  fs.writeSync(1, `\n${JSON.stringify(parts)}`);
});
process.argv = [process.execPath, loader, "--version"];
const source = first.replace(names, `${names}globalThis.linkOfTest=()=>MGPU_LINK;`);
// The same as loader.cjs does, with the names from that folder.
const run = require("node:vm").runInThisContext(source, { filename: `${program}.js` });
run({}, require("node:module").createRequire(loader), {}, loader, dirname(loader));
