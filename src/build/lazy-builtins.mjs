/**
 * Node's own modules are loaded when something of theirs is first used, not when the program starts: `net` with its
 * streams takes as long as all of ours, and most commands never touch child processes, crypto or TLS.
 */

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** What Node has loaded before a program's first line costs nothing; what is used of it is taken once, into plain variables. */
const LOADED_ANYWAY = new Set(["node:fs", "node:path", "node:events", "node:buffer", "node:util", "node:process"]);

const NAMESPACE = "lazy-builtin";

/**
 * An esbuild plugin.
 * @param text the sources of the program: of a module only what they name is kept
 */
export function lazyBuiltins(text) {
  return {
    name: NAMESPACE,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:/ }, ({ path, importer, namespace }) => {
        if (namespace === NAMESPACE || importer.includes("/node_modules/")) return { path, external: true };
        return { path, namespace: NAMESPACE };
      });
      onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => {
        const names = namesOf(path, text);
        if (LOADED_ANYWAY.has(path)) return { contents: loadedSource(path, names), loader: "js" };
        const getters = names.map((name) => `get ${name}() { return load().${name}; }`);
        const contents = `const load = () => require("${path}");\nmodule.exports = { ${getters.join(", ")} };\n`;
        return { contents, loader: "js" };
      });
    },
  };
}

/** What a program's sources use of a module: what they import by name, and what follows the name of the whole. */
function namesOf(path, text) {
  const imports = [...text.matchAll(new RegExp(`import (?:\\* as (\\w+)|\\{([^}]*)\\}) from "${path}"`, "g"))];
  const named = imports.flatMap(([, , list]) => list?.split(",").map((one) => one.trim().split(/ as /)[0]) ?? []);
  const wholes = new Set(imports.flatMap(([, whole]) => whole ?? []));
  const uses = [...wholes].flatMap((whole) =>
    [...text.matchAll(new RegExp(`\\b${whole}\\s*\\.(\\w+)`, "g"))].map(([, name]) => name),
  );
  const wanted = new Set([...named, ...uses]);
  return Object.keys(require(path)).filter((name) => wanted.has(name));
}

/** A name that nothing uses is left out. */
function loadedSource(path, names) {
  const exported = names.map((name) => `export const ${name} = /* @__PURE__ */ take("${name}");`);
  return `const loaded = require("${path}");\nconst take = (name) => loaded[name];\n${exported.join("\n")}\n`;
}
