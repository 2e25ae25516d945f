/** The house rules of src/ARCHITECTURE.md as a test: import directions, banned globals, sizes, headers. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const source = join(root, "src");

const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;

/** Which folders of src a folder may import, itself apart. `type:` allows types only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  util: [],
  core: ["util"],
  sched: ["core", "util"],
  replay: ["core", "sched", "view", "util"],
  view: ["core", "sched", "type:protocol", "util"],
  protocol: ["core", "util"],
  config: ["core", "util"],
  platform: ["util", "type:core"],
  rpc: ["protocol", "core", "type:platform", "util"],
  controller: ["core", "sched", "view", "protocol", "rpc", "config", "type:platform", "util"],
  node: ["core", "protocol", "rpc", "config", "type:platform", "util"],
  backend: ["core", "view", "protocol", "type:rpc", "config", "type:platform", "util"],
  cli: ["core", "view", "protocol", "rpc", "config", "type:platform", "type:replay", "type:backend", "util"],
  tui: ["core", "view", "protocol", "rpc", "config", "type:platform", "util"],
  sim: ["core", "sched", "controller", "node", "protocol", "rpc", "config", "platform", "view", "util"],
  entry: [
    "core",
    "controller",
    "node",
    "cli",
    "tui",
    "backend",
    "replay",
    "protocol",
    "rpc",
    "config",
    "platform",
    "view",
    "util",
  ],
};

/** Pure helpers of platform that need nothing of the machine, so anybody may call them. */
const PURE_PLATFORM = new Set(["platform/clock.ts:sleep", "platform/clock.ts:nextTurn"]);

/** Packages that a folder may use. Everything else outside is forbidden there. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  config: ["valibot", "yaml"],
  protocol: ["valibot", "msgpackr"],
  rpc: ["valibot"],
  controller: ["lowdb"],
  tui: ["ink", "react"],
  entry: ["yoga-layout"],
  platform: ["pino"],
};

const MACHINE_FOLDERS = new Set(["platform", "entry"]);
const BANNED_GLOBALS = new Set([
  "Date",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "process",
  "console",
  "performance",
  "fetch",
  "require",
  "__dirname",
]);

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

const files = listFiles(source).map(load);

describe("src", () => {
  test("import directions", () => {
    expect(files.flatMap(importProblems)).toEqual([]);
  });
  test("no globals of the machine outside platform and entry", () => {
    expect(files.flatMap(globalProblems)).toEqual([]);
  });
  test("sizes of files and functions", () => {
    expect(files.flatMap(sizeProblems)).toEqual([]);
  });
  test("every file says at its top what it is", () => {
    expect(files.filter((file) => !/^\/\*\*/.test(file.text)).map((file) => file.path)).toEqual([]);
  });
  test("exported functions have docstrings", () => {
    expect(files.flatMap(docProblems)).toEqual([]);
  });
  test("nothing unfinished is left lying about", () => {
    const marks = /\b(TODO|FIXME|XXX|HACK)\b/;
    expect(files.filter((file) => marks.test(file.text)).map((file) => file.path)).toEqual([]);
  });
});

test("the map names every folder of src", () => {
  const map = readFileSync(join(source, "ARCHITECTURE.md"), "utf8");
  const folders = readdirSync(source).filter((name) => statSync(join(source, name)).isDirectory());
  expect(folders.filter((name) => !map.includes(`\`${name}/\``))).toEqual([]);
});

test("each command has a launcher, and each launcher is in package.json", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const launchers = readdirSync(join(root, "bin")).sort();
  expect(Object.keys(manifest.bin).sort()).toEqual(launchers);
  for (const name of launchers) {
    expect(manifest.bin[name]).toBe(`bin/${name}`);
    expect(existsSync(join(source, `entry/programs/${name}.ts`)), name).toBe(true);
  }
});

test("decision records are numbered without gaps", () => {
  const names = readdirSync(join(source, "decisions")).sort();
  expect(names.length).toBeGreaterThan(0);
  for (const [index, name] of names.entries()) {
    expect(name).toMatch(new RegExp(`^${String(index + 1).padStart(4, "0")}-[a-z0-9-]+\\.md$`));
  }
});

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function load(path: string): SourceFile {
  const text = readFileSync(path, "utf8");
  const name = relative(source, path);
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  return { path: name, folder: name.split("/")[0] ?? "", text, tree };
}

function importProblems(file: SourceFile): string[] {
  return file.tree.statements.flatMap((statement) => {
    const isImport = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
    const specifier = isImport ? statement.moduleSpecifier : undefined;
    if (!specifier || !ts.isStringLiteral(specifier)) return [];
    const typeOnly = ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly === true;
    return importProblem(file, specifier.text, typeOnly, namesOf(statement));
  });
}

function namesOf(statement: ts.Statement): string[] {
  if (!ts.isImportDeclaration(statement)) return [];
  const bindings = statement.importClause?.namedBindings;
  if (!bindings || !ts.isNamedImports(bindings)) return [];
  return bindings.elements.filter((one) => !one.isTypeOnly).map((one) => one.name.text);
}

function importProblem(file: SourceFile, specifier: string, typeOnly: boolean, names: readonly string[]): string[] {
  if (specifier.startsWith("node:")) return MACHINE_FOLDERS.has(file.folder) ? [] : [`${file.path}: ${specifier}`];
  if (!specifier.startsWith(".")) {
    return (PACKAGES[file.folder] ?? []).some((name) => specifier === name || specifier.startsWith(`${name}/`))
      ? []
      : [`${file.path}: package ${specifier}`];
  }
  const target = relative(source, join(source, dirname(file.path), specifier));
  const folder = target.split("/")[0] ?? "";
  const allowed = MAY_IMPORT[file.folder] ?? [];
  if (folder === file.folder || allowed.includes(folder)) return [];
  if (typeOnly && allowed.includes(`type:${folder}`)) return [];
  const pure = allowed.includes(`type:${folder}`) && names.every((name) => PURE_PLATFORM.has(`${target}:${name}`));
  return pure ? [] : [`${file.path}: ${target}`];
}

function globalProblems(file: SourceFile): string[] {
  if (MACHINE_FOLDERS.has(file.folder)) return [];
  const problems: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && isGlobalUse(node)) problems.push(`${file.path}: ${node.text}`);
    if (ts.isPropertyAccessExpression(node) && node.getText() === "Math.random")
      problems.push(`${file.path}: Math.random`);
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return problems;
}

function isGlobalUse(node: ts.Identifier): boolean {
  if (!BANNED_GLOBALS.has(node.text)) return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  if (ts.isPropertySignature(parent) || ts.isMethodSignature(parent) || ts.isQualifiedName(parent)) return false;
  return !ts.isTypeReferenceNode(parent);
}

function sizeProblems(file: SourceFile): string[] {
  const problems: string[] = [];
  const lines = file.text.split("\n").length - 1;
  if (lines > FILE_LINES_MAX) problems.push(`${file.path}: ${lines} lines`);
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const start = file.tree.getLineAndCharacterOfPosition(node.getStart()).line;
      const end = file.tree.getLineAndCharacterOfPosition(node.getEnd()).line;
      const length = end - start + 1;
      if (length > FUNCTION_LINES_MAX) problems.push(`${file.path}:${start + 1}: a function of ${length} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return problems;
}

function docProblems(file: SourceFile): string[] {
  return file.tree.statements.flatMap((statement) => {
    if (!ts.isFunctionDeclaration(statement)) return [];
    const exported = statement.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
    const hasDoc = ts.getJSDocCommentsAndTags(statement).length > 0;
    return exported && !hasDoc ? [`${file.path}: ${statement.name?.text}`] : [];
  });
}
