/**
 * What Ink 6.8.0 and its layout engine need to be part of a CommonJS bundle that starts fast and runs for days. Each
 * change names the text that it replaces, and fails the build where that has become another: then look again whether it
 * is still needed (src/decisions/0015-terminal-ui.md).
 */

import { readFileSync } from "node:fs";

/** Entries are kept in a map that forgets all when it is full: Ink keeps every string it ever measured. */
const BOUNDED =
  "{ store: new Map(), get(key) { return this.store.get(key); }, set(key, value) { if (this.store.size >= 2000) this.store.clear(); this.store.set(key, value); } }";

/** Rows that one operation writes whole, from the left, need no grid of cells: nearly all of ours. */
const FAST_PATH = `get() {
        if (this.operations.every(({ type, x, text }) => type === 'write' && x === 0 && !text.includes('\\n'))) {
            const rows = new Array(this.height).fill('');
            let isPlain = true;
            for (const { y, text, transformers } of this.operations) {
                if (rows[y] !== '' || !(y < this.height)) { isPlain = false; break; }
                rows[y] = transformers.reduce((line, transform) => transform(line, 0), text);
            }
            if (isPlain) return { output: rows.join('\\n'), height: rows.length };
        }`;

/** By file: what is replaced by what. */
const PATCHES = {
  "ink/build/reconciler.js": [
    [/if \(isDev\(\)\) \{\s*try \{\s*await import\('\.\/devtools\.js'\);[\s\S]*?\n\}\n/, ""],
    [/const packageJson = isDev\(\)\s*\? await loadPackageJson\(\)\s*: /, "const packageJson = "],
  ],
  "ink/build/output.js": [[/get\(\) \{/, FAST_PATH]],
  "ink/build/measure-text.js": [[/const cache = new Map\(\);/, `const cache = ${BOUNDED};`]],
  "ink/build/wrap-text.js": [
    [/const cache = \{\};/, `const cache = ${BOUNDED};`],
    [/cache\[cacheKey\];/, "cache.get(cacheKey);"],
    [/cache\[cacheKey\] = wrappedText;/, "cache.set(cacheKey, wrappedText);"],
  ],
  "yoga-layout/dist/src/index.js": [
    [
      /const Yoga = wrapAssembly\(await loadYoga\(\)\);/,
      "let Yoga; export async function preloadYoga() { Yoga ??= wrapAssembly(await loadYoga()); }",
    ],
    [/export default Yoga;/, "export { Yoga as default };"],
  ],
  // A data: URL is no reason to load all that fetch needs.
  "yoga-layout/dist/binaries/yoga-wasm-base64-esm.js": [[/typeof fetch\b/g, "typeof undefined"]],
};

/** Most strings are ASCII, and the segmenter of Unicode takes 13 ms to make. */
const LEAN_WIDTH = `import slow from "string-width-original";
export default function stringWidth(text, options) {
  const plain = typeof text === "string" && text.includes("\\x1b") ? text.replace(/\\x1b\\[[0-9;]*m/g, "") : text;
  return typeof plain === "string" && /^[\\x20-\\x7e\\u2500-\\u25ff]*$/.test(plain) ? plain.length : slow(text, options);
}`;

/** Applies the changes. */
export function patchInk() {
  return {
    name: "patch-ink",
    setup({ onLoad, onResolve, resolve }) {
      for (const [file, changes] of Object.entries(PATCHES)) {
        const filter = new RegExp(`node_modules/${file.replaceAll(".", "\\.")}$`);
        onLoad({ filter, namespace: "file" }, ({ path }) => ({
          contents: patched(file, readFileSync(path, "utf8"), changes),
          loader: "js",
        }));
      }
      onResolve({ filter: /^string-width$/ }, ({ importer }) => {
        return /node_modules\/(ink|widest-line)\//.test(importer)
          ? { path: importer, namespace: "lean-width" }
          : undefined;
      });
      onResolve({ filter: /^string-width-original$/ }, ({ importer, resolveDir }) =>
        resolve("string-width", { importer, resolveDir, kind: "import-statement", namespace: "file" }),
      );
      onLoad({ filter: /.*/, namespace: "lean-width" }, ({ path }) => ({
        contents: LEAN_WIDTH,
        loader: "js",
        resolveDir: path.replace(/\/[^/]*$/, ""),
      }));
    },
  };
}

function patched(file, text, changes) {
  return changes.reduce((changed, [from, to]) => {
    if (changed.search(from) < 0) throw new Error(`${file} has no ${from} any more: see src/build/ink.mjs`);
    return changed.replace(from, () => to);
  }, text);
}
