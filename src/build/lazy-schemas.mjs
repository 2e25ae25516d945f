/**
 * A command uses few of the schemas that its bundle holds, and making all of them takes it 2 ms: so those of src/protocol/ are made
 * when something of them is first used. Daemons use most of them, again and again, and keep theirs as they are.
 */

/** What the sources of a program import for it. */
const HELPER = "lazy-schema-helper";

/** Tables of procedures: what goes in, comes back and streams is made one by one, since who calls checks answers only. */
const TABLE = /(^|_)PROCEDURES$/;

const SCHEMA = /\bv\.\w+\(/;

/** For esbuild: resolves what {@link withLazySchemas} imports. */
export function resolveHelper({ onResolve, onLoad }) {
  onResolve({ filter: new RegExp(`^${HELPER}$`) }, ({ path }) => ({ path, namespace: HELPER }));
  onLoad({ filter: /.*/, namespace: HELPER }, () => ({ contents: HELPER_SOURCE, loader: "js" }));
}

/**
 * The text of a file of src/protocol/ with its schemas made late.
 * @param ts the compiler's API
 */
export function withLazySchemas(ts, text) {
  const file = ts.createSourceFile("file.ts", text, ts.ScriptTarget.ES2023, true);
  const late = file.statements.flatMap((statement) => {
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ name, initializer }) => {
      if (!initializer || !SCHEMA.test(initializer.getText(file))) return [];
      const bare = bareOf(ts, initializer);
      if (ts.isObjectLiteralExpression(bare) && TABLE.test(name.getText(file))) return callsIn(ts, bare);
      return ts.isCallExpression(bare) || ts.isObjectLiteralExpression(bare) ? [initializer] : [];
    });
  });
  if (late.length === 0) return text;
  let result = text;
  for (const node of late.toReversed()) {
    const [from, to] = [node.getStart(file), node.getEnd()];
    const made = `/* @__PURE__ */ lateSchema(() => (${result.slice(from, to)}))`;
    result = `${result.slice(0, from)}${made}${result.slice(to)}`;
  }
  return `import { lateSchema } from "${HELPER}";\n${result}`;
}

/** Without what only types are concerned with. */
function bareOf(ts, node) {
  return ts.isAsExpression(node) || ts.isSatisfiesExpression(node) ? bareOf(ts, node.expression) : node;
}

/** The calls that an object and those in it have as values. */
function callsIn(ts, literal) {
  return literal.properties.flatMap((property) => {
    if (!ts.isPropertyAssignment(property)) return [];
    const { initializer } = property;
    if (ts.isObjectLiteralExpression(initializer)) return callsIn(ts, initializer);
    return ts.isCallExpression(initializer) ? [initializer] : [];
  });
}

/**
 * A stand-in that is whatever was made, once it is. What it was made of is put in place of further stand-ins then: a thousand rows are
 * not checked through proxies.
 */
const HELPER_SOURCE = `
const makers = new WeakMap();

export function lateSchema(make) {
  let made;
  const get = () => (made ??= settled(make()));
  const standIn = new Proxy({}, {
    get: (_, key) => get()[key],
    has: (_, key) => key in get(),
    ownKeys: () => Reflect.ownKeys(get()),
    getOwnPropertyDescriptor(_, key) {
      const descriptor = Reflect.getOwnPropertyDescriptor(get(), key);
      if (descriptor) descriptor.configurable = true;
      return descriptor;
    },
  });
  makers.set(standIn, get);
  return standIn;
}

function settled(value) {
  for (const key of Object.keys(value)) {
    if (key.startsWith("~")) continue;
    const part = value[key];
    if (typeof part !== "object" || part === null) continue;
    const get = makers.get(part);
    if (get) value[key] = get();
    else if (Array.isArray(part) || Object.getPrototypeOf(part) === Object.prototype) settled(part);
  }
  return value;
}
`;

/**
 * The text of a file of src/protocol/ whose tables hold only what a program calls, and of that only what it looks at: who calls checks
 * answers, not what goes out. The build drops the schemas that nothing uses then.
 * @param ts the compiler's API
 * @param isCalled whether a procedure is called by the program
 * @param isAnswered whether it is answered by the program as well
 */
export function withCallsOnly(ts, text, isCalled, isAnswered) {
  const file = ts.createSourceFile("file.ts", text, ts.ScriptTarget.ES2023, true);
  const dropped = file.statements.flatMap((statement) => {
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ name, initializer }) => {
      const bare = initializer && TABLE.test(name.getText(file)) ? bareOf(ts, initializer) : null;
      return bare && ts.isObjectLiteralExpression(bare) ? uncalledIn(ts, bare, isCalled, isAnswered) : [];
    });
  });
  let result = text;
  for (const node of dropped.toReversed()) {
    const rest = result.slice(node.getEnd());
    result = result.slice(0, node.getStart(file)) + rest.replace(/^\s*,/, "");
  }
  return result;
}

function uncalledIn(ts, table, isCalled, isAnswered) {
  return table.properties.flatMap((property) => {
    if (!ts.isPropertyAssignment(property) || !ts.isObjectLiteralExpression(property.initializer)) return [];
    const name = property.name.text;
    if (!isCalled(name)) return [property];
    const parts = property.initializer.properties.filter(ts.isPropertyAssignment);
    return isAnswered(name) ? [] : parts.filter((part) => part.name.text === "params");
  });
}
