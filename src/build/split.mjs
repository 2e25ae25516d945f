/**
 * A short command is two files: what every run of it needs, and the rest, which is loaded when it is first asked for
 * (src/decisions/0023-quick-start.md). What is reached by static imports is the first; what only `import()` reaches is the rest.
 *
 * Both share one instance of each module of ours: the rest is handed those of the first file. Schemas (src/protocol/) are made of data
 * alone, and each file has those that it uses.
 */

import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** What declares a free name of a bundle, which the function around it must have: {@link firstWrap}, {@link restWrap}. */
const LINK = "MGPU_LINK";
const REST = "MGPU_REST";

const NAMESPACE = "split";

/** Modules of src/protocol/ that more than data are in: there is one of each. */
const SINGLE = new Set(
  ["errors", "codec", "procedures", "repeats", "envelope"].map((name) => `src/protocol/${name}.ts`),
);

/**
 * Modules of functions that few runs call, without a wait: of these the first file has stand-ins, which load the rest. What lists on a
 * terminal or submissions with the usual options need is none of them. (esbuild tells of one from which something else is imported.)
 */
const RARE = new Set(
  [
    ...["cli/advice", "cli/await-job", "cli/build-text", "cli/help", "cli/options/unknown", "cli/output/progress"],
    ...["cli/output/verbose", "cli/slurm", "core/begin-time", "core/constraint", "core/distribution", "core/gpu-bind"],
    ...["platform/listener", "platform/socket-owner", "util/nearest", "view/job-field-columns"],
  ].map((name) => `src/${name}.ts`),
);

/** Whether each file has its own. */
function isCopied(path) {
  return !path.startsWith("src/") || (path.startsWith("src/protocol/") && !SINGLE.has(path));
}

/**
 * What belongs to which file.
 * @param metafile esbuild's, of the program in one file
 * @param entry path of the program's source, relative to the root, as all paths here
 * @returns {{first: string[], rest: string[], shared: Map<string, Set<string>>, late: string[]}} first and rest: modules; shared: what
 *   the rest needs of the first, by module; late: modules of the rest that the first asks for
 */
export function planOf(ts, root, metafile, entry) {
  const { inputs } = metafile;
  const first = closure(inputs, [entry], ["import-statement"], RARE);
  const late = new Set();
  for (const path of first) {
    for (const one of inputs[path]?.imports ?? []) {
      if ((isLate(one) && !first.has(one.path)) || RARE.has(one.path)) late.add(one.path);
    }
  }
  const reached = closure(inputs, [...late, TABLE], ["import-statement", "dynamic-import"]);
  const rest = new Set([...reached].filter((path) => !first.has(path) || isCopied(path)));
  const shared = new Map();
  const need = (path, names) => {
    if (!shared.has(path)) shared.set(path, new Set());
    for (const name of names) shared.get(path).add(name);
  };
  const readers = { names: (path) => exportsOf(ts, root, path), exists: (path) => first.has(path) && !isCopied(path) };
  for (const path of rest) {
    if (path.startsWith("src/") && !(first.has(path) && !isCopied(path))) needsOf(ts, root, path, readers, need);
  }
  // The first asks for modules of its own by import() too.
  for (const path of first) {
    for (const one of inputs[path]?.imports ?? []) {
      if (isLate(one) && readers.exists(one.path)) need(one.path, readers.names(one.path));
    }
  }
  need(TABLE, ["PROCEDURES"]);
  return { first: [...first], rest: [...rest], shared, late: [...late] };
}

const TABLE = "src/protocol/procedures.ts";

function isLate({ kind, external, path }) {
  return kind === "dynamic-import" && !external && path.startsWith("src/");
}

function closure(inputs, from, kinds, without = new Set()) {
  const seen = new Set();
  const left = [...from];
  while (left.length > 0) {
    const path = left.pop();
    if (seen.has(path)) continue;
    seen.add(path);
    for (const one of inputs[path]?.imports ?? []) {
      if (!one.external && kinds.includes(one.kind) && !without.has(one.path)) left.push(one.path);
    }
  }
  return seen;
}

function parse(ts, root, path) {
  return ts.createSourceFile(path, readFileSync(join(root, path), "utf8"), ts.ScriptTarget.ES2023, true);
}

const resolved = (path, specifier) => join(dirname(path), specifier);

/** Names that a module exports, types left out. */
function exportsOf(ts, root, path) {
  const names = [];
  for (const statement of parse(ts, root, path).statements) {
    const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
    if (ts.isExportDeclaration(statement) && !statement.isTypeOnly) {
      const { exportClause } = statement;
      if (!exportClause) throw new Error(`${path}: export * is not expected by ${import.meta.url}`);
      for (const one of exportClause.elements) if (!one.isTypeOnly) names.push(one.name.text);
    } else if (isExported && ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) names.push(name.text);
    } else if (isExported && (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))) {
      names.push(statement.name.text);
    }
  }
  return names;
}

/** Tells what a module of the rest imports of the first's. */
function needsOf(ts, root, path, { names, exists }, need) {
  const visit = (node) => {
    const { moduleSpecifier } = node;
    const isCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
    const specifier = isCall ? node.arguments[0].text : moduleSpecifier?.text;
    if (specifier?.startsWith(".")) {
      const from = resolved(path, specifier);
      if (exists(from)) need(from, isCall ? names(from) : namesIn(ts, node, () => names(from)));
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(ts, root, path));
}

function namesIn(ts, node, all) {
  if (node.isTypeOnly) return [];
  const clause = ts.isImportDeclaration(node) ? node.importClause : null;
  if (clause?.isTypeOnly) return [];
  const named = clause ? clause.namedBindings : node.exportClause;
  if (!named || ts.isNamespaceImport(named)) return all();
  return named.elements.filter((one) => !one.isTypeOnly).map((one) => (one.propertyName ?? one.name).text);
}

/** An esbuild plugin for the first file; its entry point is `split:first`. */
export function firstFile(ts, root, entry, plan) {
  const late = new Set(plan.late);
  return {
    name: "split-first",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^split:/ }, ({ path }) => ({ path, namespace: NAMESPACE }));
      onResolve({ filter: /^\./ }, ({ kind, path, importer }) => {
        const target = relative(root, join(dirname(importer), path));
        if (kind === "import-statement" && RARE.has(target)) return { path: `standin:${target}`, namespace: NAMESPACE };
        if (kind !== "dynamic-import") return undefined;
        return { path: `${late.has(target) ? "rest" : "own"}:${target}`, namespace: NAMESPACE };
      });
      onLoad({ filter: /^split:first$/, namespace: NAMESPACE }, () => ({
        contents: `import "split:link";\nimport "${join(root, entry)}";\n`,
        resolveDir: root,
      }));
      onLoad({ filter: /^split:link$/, namespace: NAMESPACE }, () => ({
        contents: linkSource(root, plan),
        resolveDir: root,
      }));
      onLoad({ filter: /^standin:/, namespace: NAMESPACE }, ({ path }) => ({
        contents: standInSource(ts, root, path.slice("standin:".length)),
      }));
      onLoad({ filter: /^rest:/, namespace: NAMESPACE }, ({ path }) => ({
        contents: `module.exports = ${REST}(${JSON.stringify(path.slice("rest:".length))});`,
      }));
      onLoad({ filter: /^own:/, namespace: NAMESPACE }, ({ path }) => ({
        contents: `module.exports = ${LINK}(${JSON.stringify(path.slice("own:".length))});`,
      }));
    },
  };
}

/** Stands in for the functions of a module. */
function standInSource(ts, root, path) {
  const isFunction = (statement) =>
    ts.isFunctionDeclaration(statement) &&
    statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  const names = parse(ts, root, path).statements.filter(isFunction);
  return names
    .map(({ name: { text } }) => `export function ${text}(...words) { return ${REST}("${path}").${text}(...words); }`)
    .join("\n");
}

/** Hands modules out. Nothing of it runs, or is compiled, before the rest is loaded. */
function linkSource(root, { shared }) {
  const imports = [];
  const cases = [];
  let count = 0;
  for (const [path, names] of shared) {
    const fields = [...names].map((name) => {
      const own = `s${count++}`;
      imports.push(`import { ${name} as ${own} } from "${join(root, path)}";`);
      return `${name}: ${own}`;
    });
    cases.push(`case ${JSON.stringify(path)}: return { ${fields.join(", ")} };`);
  }
  return `${imports.join("\n")}
${LINK} = (name) => {
  switch (name) {
    ${cases.join("\n    ")}
  }
};
`;
}

/** An esbuild plugin for the rest; its entry point is `split:rest`. */
export function restFile(root, { first, late, shared }) {
  const theirs = new Set(first);
  return {
    name: "split-rest",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^split:/ }, ({ path }) => ({ path, namespace: NAMESPACE }));
      onResolve({ filter: /^\.|^\// }, ({ path, importer, namespace }) => {
        if (namespace === NAMESPACE && path.endsWith(`/${TABLE}?`))
          return { path: path.slice(0, -1), namespace: "file" };
        const target = relative(root, path.startsWith("/") ? path : join(dirname(importer), path));
        if (isCopied(target) || !theirs.has(target)) return undefined;
        return { path: target, namespace: NAMESPACE };
      });
      onLoad({ filter: /^split:rest$/, namespace: NAMESPACE }, () => ({
        contents: restSource(root, late),
        resolveDir: root,
      }));
      // With its exports by name, so that esbuild tells of one that is missing.
      onLoad({ filter: /^src\//, namespace: NAMESPACE }, ({ path }) => {
        const names = [...(shared.get(path) ?? [])];
        return { contents: `export const { ${names.join(", ")} } = ${LINK}(${JSON.stringify(path)});` };
      });
    },
  };
}

function restSource(root, late) {
  const cases = late.map((path) => `case ${JSON.stringify(path)}: return require("${join(root, path)}");`);
  return `
exports.open = (link) => {
  ${LINK} = link;
  const { PROCEDURES } = link(${JSON.stringify(TABLE)});
  for (const [name, one] of Object.entries(require("${join(root, TABLE)}?").PROCEDURES)) PROCEDURES[name] = one;
  return (name) => {
    switch (name) {
      ${cases.join("\n      ")}
    }
  };
};
`;
}

/** The function that a first file is, with what its free names mean. @param more the path of the rest's loader from there */
export function firstWrap(text, more) {
  const names = `let ${LINK},r;const ${REST}=(n)=>(r??=require(${JSON.stringify(more)}).open(${LINK}))(n);`;
  return `(function(exports,require,module,__filename,__dirname){${names}${text}\n})`;
}

/** The same of the rest. */
export function restWrap(text) {
  return `(function(exports,require,module,__filename,__dirname){let ${LINK};${text}\n})`;
}
