/**
 * `npm run build`: each program becomes one minified CommonJS file in dist/, with a small loader and a V8 code cache.
 *
 * The cache is made at the end of a real run of the program, so that functions which V8 compiles lazily are in it. A cache
 * that does not belong to the running Node is rejected by V8 and the program starts without it, a little slower.
 */

import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { patchInk } from "./ink.mjs";
import { lazyBuiltins } from "./lazy-builtins.mjs";
import { resolveHelper, withCallsOnly, withLazySchemas } from "./lazy-schemas.mjs";
import { firstFile, firstWrap, planOf, restFile, restWrap } from "./split.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
/** Where it belongs once it is whole. Two builds at once and commands that run meanwhile see the old one or the new one. */
const finished = join(root, "dist");
const dist = join(root, `dist.${process.pid}`);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const entries = readdirSync(join(root, "src/entry/programs")).map((name) => name.replace(/\.ts$/, ""));

/** Variables of ours that the cluster of the caches needs. */
const KEPT = new Set(["MGPU_HOME", "MGPU_FAKE_GPUS"]);

/** What each command does in its run for the cache: what people do most. */
const WARM_UP = {
  "mgpu-srun": ["true"],
  "mgpu-sbatch": ["--output=/dev/null", "--wrap", "true"],
  "mgpu-salloc": ["true"],
  "mgpu-squeue": [],
  "mgpu-scontrol": ["show", "job", "1"],
  "mgpu-scancel": ["1"],
  "mgpu-sattach": ["1.0"],
  "mgpu-sbcast": [process.execPath, "/nowhere"],
  "mgpu-sacct": [],
  "mgpu-sinfo": [],
  // It has no end of its own: see callFront.
  front: [],
  "mgpu-sstat": ["--jobs=1"],
  mgpu: ["status"],
};

/** The same for what is in their second files. */
const WARM_UP_REST = {
  "mgpu-squeue": ["--json"],
  "mgpu-sinfo": ["--json"],
  "mgpu-scancel": ["--help"],
  "mgpu-sbatch": ["--help"],
};

/** V8 keeps its flags with a cache: bin/ has the same for commands, src/platform/daemon.ts for what goes on running. */
const DAEMONS = ["mgpud", "mgpuctld", "mgpu-stepd", "front", "snapshot-worker"];
const FLAGS = ["--min-semi-space-size=4"];
const DAEMON_FLAGS = ["--max-semi-space-size=8", "--heap-growing-percent=40"];

/** Commands that are asked for one thing many times: each has what few of its runs need in a file of its own. */
const SPLIT = ["mgpu-squeue", "mgpu-sinfo", "mgpu-scancel", "mgpu-sbatch"];

/** Ends the cluster of the caches, and with it the daemons, which write theirs then. */
const END = ["down", "--force"];

const OPTIONS = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  minify: true,
  keepNames: false,
  legalComments: "none",
  define: {
    MGPU_BUILD_VERSION: JSON.stringify(version),
    MGPU_BUILD_COMMIT: JSON.stringify(commitName()),
    "process.env.NODE_ENV": '"production"',
  },
  // The native decoder of msgpackr costs 9 ms to find and is not needed.
  external: ["msgpackr-extract"],
  logLevel: "warning",
};

/** The first line of a procedure. */
const ENTRY = /^ {2}"?([\w.]+)"?: \{/;

const TABLE = "src/protocol/procedures.ts";

/** Every connection uses these; they are not named as texts. */
const ALWAYS = ["hello", "ping"];

await main();

async function main() {
  mkdirSync(dist, { recursive: true });
  process.once("exit", () => rmSync(dist, { recursive: true, force: true }));
  await bundle();
  for (const name of entries) if (!SPLIT.includes(name)) wrap(join(dist, `${name}.js`));
  await bundleLibrary();
  const loader = readFileSync(join(root, "src/build/loader.cjs"), "utf8");
  const programs = [...entries, ...SPLIT.map((name) => `${name}-rest`)];
  for (const name of programs) writeFileSync(join(dist, `${name}.cjs`), loader);
  for (const arch of ["x64", "arm64"]) {
    copyFileSync(join(root, `node_modules/node-pty/prebuilds/linux-${arch}/pty.node`), join(dist, `pty-${arch}.node`));
  }
  await makeCodeCaches();
  putInPlace();
  linkCommands();
}

/** Of the sources: short, with a + where something differs from it; empty outside of a repository. */
function commitName() {
  const git = (...args) =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    // A package that lies in somebody else's repository is none of its commits.
    if (git("rev-parse", "--show-prefix").trim() !== "") return "";
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "bin").trim();
    return `${git("rev-parse", "--short=10", "HEAD").trim()}${changed === "" ? "" : "+"}`;
  } catch {
    return "";
  }
}

/** A folder can't be renamed over another one that has files; somebody else's build may do the same just now. */
function putInPlace() {
  const old = `${dist}.old`;
  for (let triesLeft = 10; ; triesLeft--) {
    try {
      renameSync(finished, old);
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
    try {
      renameSync(dist, finished);
      break;
    } catch (error) {
      if (triesLeft === 0) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

/** Makes a bundle the function that CommonJS calls: the loader must not copy 200 kB at each start to do so. */
function wrap(path) {
  writeFileSync(path, `(function(exports,require,module,__filename,__dirname){${readFileSync(path, "utf8")}\n})`);
}

/** A program's bundle holds the schemas of those procedures only that its sources name: making all takes 2 ms. */
async function bundle() {
  const { default: ts } = await import("typescript");
  const entryPoints = entries.map((name) => ({ in: `src/entry/programs/${name}.ts`, out: name }));
  const { metafile } = await build({
    ...OPTIONS,
    ...{ entryPoints, minify: false, metafile: true, write: false, plugins: [patchInk()] },
  });
  for (const entryPoint of entryPoints) {
    if (SPLIT.includes(entryPoint.out)) {
      await bundleInTwo(ts, metafile, entryPoint);
      continue;
    }
    const { inputs } = metafile.outputs[`${relative(root, dist)}/${entryPoint.out}.js`];
    const text = textOf(Object.keys(inputs));
    await build({
      ...OPTIONS,
      entryPoints: [entryPoint],
      plugins: [protocol(text, DAEMONS.includes(entryPoint.out) ? null : ts), lazyBuiltins(text), patchInk()],
    });
  }
}

/** What every run of a command needs, and the rest. */
async function bundleInTwo(ts, metafile, { in: entry, out }) {
  const plan = planOf(ts, root, metafile, entry);
  const parts = [
    { part: "first", name: out, paths: plan.first, plugin: firstFile(ts, root, entry, plan) },
    { part: "rest", name: `${out}-rest`, paths: plan.rest, plugin: restFile(root, plan) },
  ];
  for (const { part, name, paths, plugin } of parts) {
    const text = textOf(paths);
    await build({
      ...OPTIONS,
      entryPoints: [{ in: `split:${part}`, out: name }],
      alias: { "msgpackr/pack": join(root, "src/protocol/brief-packr.ts") },
      plugins: [plugin, protocol(text, ts, part === "first"), lazyBuiltins(text), patchInk()],
    });
    const path = join(dist, `${name}.js`);
    const bundle = readFileSync(path, "utf8");
    writeFileSync(path, part === "first" ? firstWrap(bundle, `./${out}-rest.cjs`) : restWrap(bundle));
  }
}

/** The sources that name procedures. */
function textOf(paths) {
  const sources = paths.filter((path) => path.startsWith("src/") && !path.startsWith("src/protocol/"));
  return sources.map((path) => readFileSync(join(root, path), "utf8")).join("\n");
}

/** What `import ... from "mgpu"` loads, whole (its users may call anything), and its types. */
async function bundleLibrary() {
  const entryPoints = [{ in: "src/entry/library.ts", out: "library" }];
  await build({ ...OPTIONS, entryPoints, outExtension: { ".js": ".cjs" }, external: ["msgpackr-extract", "node-pty"] });
  const { default: ts } = await import("typescript");
  for (const [from, to] of [
    ["library.ts", "library.d.cts"],
    ["library/api.ts", "library-api.d.cts"],
  ]) {
    const path = join(root, "src/entry", from);
    const compilerOptions = { isolatedDeclarations: true, target: ts.ScriptTarget.ES2023, stripInternal: true };
    const { outputText, diagnostics } = ts.transpileDeclaration(readFileSync(path, "utf8"), {
      fileName: path,
      compilerOptions,
    });
    if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost({})));
    writeFileSync(join(dist, to), outputText.replaceAll('"./library/api.ts"', '"./library-api.cjs"'));
  }
}

/**
 * Leaves out of the table what a program does not name; esbuild then drops the schemas that nothing uses.
 * @param ts the compiler's API where schemas are to be made late, else `null`
 * @param isCaller whether the program answers nothing but {@link ALWAYS}
 */
function protocol(text, ts, isCaller = false) {
  const isAlways = (name) => ALWAYS.includes(name);
  const slim = (source) =>
    isCaller ? withCallsOnly(ts, source, (name) => isAlways(name) || text.includes(`"${name}"`), isAlways) : source;
  const late = (source) => ({ contents: ts ? withLazySchemas(ts, slim(source)) : source, loader: "ts" });
  return {
    name: "protocol",
    setup(build) {
      const { onLoad } = build;
      resolveHelper(build);
      // Nothing here looks for such, and making it takes longer than checking an answer.
      onLoad({ filter: /node_modules\/valibot\/dist\/index\.mjs$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8").replaceAll("= new RegExp(", "= /* @__PURE__ */ new RegExp("),
      }));
      onLoad({ filter: /src\/protocol\/[\w-]+\.ts$/ }, ({ path }) => {
        const table = readFileSync(path, "utf8");
        if (!path.endsWith(`/${TABLE}`)) return late(table);
        const lines = table.split("\n");
        const start = lines.indexOf("export const PROCEDURES = {");
        const end = lines.findIndex((line) => line.startsWith("} as const satisfies"));
        if (start < 0 || end < start) throw new Error(`${TABLE} does not look as this build expects`);
        let isKept = true;
        const kept = lines.slice(start + 1, end).filter((line) => {
          const name = ENTRY.exec(line)?.[1];
          const part = /^ {2}\.\.\.(\w+),$/.exec(line)?.[1];
          if (name !== undefined) isKept = ALWAYS.includes(name) || text.includes(`"${name}"`);
          if (part !== undefined) isKept = namesOfPart(table, part, path).some((one) => text.includes(`"${one}"`));
          return isKept;
        });
        return late([...lines.slice(0, start + 1), ...kept, ...lines.slice(end)].join("\n"));
      });
    },
  };
}

/** Names of the procedures that another file adds to the table. */
function namesOfPart(table, part, path) {
  const file = new RegExp(`import \\{ ${part} \\} from "([^"]+)"`).exec(table)?.[1];
  if (file === undefined) throw new Error(`${TABLE} imports ${part} in a way that this build does not expect`);
  const lines = readFileSync(join(dirname(path), file), "utf8").split("\n");
  return lines.flatMap((line) => ENTRY.exec(line)?.[1] ?? []);
}

/**
 * V8 keeps in a cache the functions that have run by then, so each program does once what it is for: the commands on a
 * cluster of their own in a temporary home, the daemons as that cluster. Where no daemon can be started (no sockets,
 * a foreign processor under emulation), the caches hold less and the programs start a little slower.
 */
async function makeCodeCaches() {
  let isBrokenOff = false;
  const home = mkdtempSync(join(tmpdir(), "mgpu-build-"));
  const environment = { ...process.env, MGPU_HOME: join(home, "state"), XDG_RUNTIME_DIR: home, MGPU_FAKE_GPUS: "1" };
  for (const name of Object.keys(environment)) {
    if (/^(NODE_EXTRA_CA_CERTS|(MGPU|SLURM|SRUN|SBATCH|SALLOC|SQUEUE|SINFO)_.*)$/.test(name) && !KEPT.has(name)) {
      delete environment[name];
    }
  }
  const writing = { ...environment, MGPU_WRITE_CODE_CACHE: ".js" };
  const run = (name, args, env) => {
    const flags = DAEMONS.includes(name) ? DAEMON_FLAGS : FLAGS;
    return ended([...flags, join(dist, `${name}.cjs`), ...args], { env, cwd: home });
  };
  // A build that is broken off leaves no daemons behind.
  const breakOff = async () => {
    process.exitCode = 130;
    isBrokenOff = true;
    await run("mgpu", END, environment);
    rmSync(home, { recursive: true, force: true });
    process.exit();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => void breakOff());
  let front = null;
  try {
    for (const name of entries) if (WARM_UP[name] === undefined) await run(name, ["--version"], writing);
    await run("mgpu", ["up"], writing);
    front = run("front", [], writing);
    await callFront(environment);
    // A job of a moment ago, and one command that found all warm: some code runs only then.
    await run("mgpu-sbatch", ["--output=/dev/null", "--wrap", "true"], environment);
    for (const [name, args] of Object.entries(WARM_UP)) {
      if (!isBrokenOff && name !== "front") await run(name, args, writing);
    }
    for (const [name, args] of Object.entries(WARM_UP_REST)) {
      if (!isBrokenOff) await run(name, args, { ...environment, MGPU_WRITE_CODE_CACHE: "-rest.js" });
    }
  } finally {
    await run("mgpu", END, environment);
    await front;
    rmSync(home, { recursive: true, force: true });
  }
}

/** Lets the front do what it is for. Where it is not there in time, its cache holds less. */
async function callFront(env) {
  const door = join(env.MGPU_HOME, "front/pid");
  for (let triesLeft = 200; triesLeft > 0 && !existsSync(door); triesLeft--) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const name of ["mgpu-sbatch", "mgpu-squeue", "mgpu-scancel", "mgpu-sinfo", "mgpu-srun"]) {
    const line = [name, ...WARM_UP[name]].join(" ");
    const options = { env: { ...env, PATH: `${join(root, "bin")}:${env.PATH}` }, cwd: root, stdio: "ignore" };
    await new Promise((resolve) => spawn("/bin/sh", ["-c", line], options).once("exit", resolve));
  }
}

/** Runs a program to its end. Some are refused what they ask for, as they should; what counts is the code that ran. */
function ended(args, options) {
  return new Promise((resolve) => {
    // Apart from the terminal's Ctrl-C: it is for the build, which then ends what it started.
    const child = spawn(process.execPath, args, {
      ...{ ...options, stdio: "ignore", timeout: 20_000, detached: true },
    });
    child.once("error", resolve);
    child.once("exit", resolve);
  });
}

/** So that `npx mgpu-srun` works in the checkout itself, as it does where the package is installed. */
function linkCommands() {
  const folder = join(root, "node_modules/.bin");
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(join(root, "bin"))) {
    chmodSync(join(root, "bin", name), 0o755);
    rmSync(join(folder, name), { force: true });
    symlinkSync(join("../../bin", name), join(folder, name));
  }
}
