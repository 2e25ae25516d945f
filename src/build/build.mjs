/**
 * `npm run build`: each program becomes one minified CommonJS file in dist/, with a small loader and a V8 code cache.
 *
 * The cache is made after one real run of the program, so that functions which V8 compiles lazily are in it. A cache
 * that does not belong to the running Node is rejected by V8 and the program starts without it, a little slower.
 */

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const dist = join(root, "dist");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const entries = readdirSync(join(root, "src/entry/programs")).map((name) => name.replace(/\.ts$/, ""));

await main();

async function main() {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  await bundle();
  const loader = readFileSync(join(root, "src/build/loader.cjs"), "utf8");
  for (const name of entries) writeFileSync(join(dist, `${name}.cjs`), loader);
  copyFileSync(join(root, `node_modules/node-pty/prebuilds/linux-${process.arch}/pty.node`), join(dist, "pty.node"));
  for (const name of entries) makeCodeCache(name);
  linkCommands();
}

async function bundle() {
  await build({
    absWorkingDir: root,
    entryPoints: entries.map((name) => ({ in: `src/entry/programs/${name}.ts`, out: name })),
    outdir: dist,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    keepNames: false,
    legalComments: "none",
    define: { MGPU_BUILD_VERSION: JSON.stringify(version), "process.env.NODE_ENV": '"production"' },
    // The native decoder of msgpackr costs 9 ms to find and is not needed.
    external: ["msgpackr-extract"],
    logLevel: "warning",
  });
}

/** Runs the program once, for nothing, with the loader told to write its cache. */
function makeCodeCache(name) {
  const nowhere = join(dist, "no-such-folder");
  const environment = {
    ...process.env,
    MGPU_WRITE_CODE_CACHE: "1",
    MGPU_CONTROLLER: `${nowhere}/socket`,
    MGPU_HOME: nowhere,
  };
  delete environment.NODE_EXTRA_CA_CERTS;
  const args = {
    ...{ "mgpu-srun": ["true"], "mgpu-sbatch": ["--wrap", "true"], "mgpu-salloc": ["true"], "mgpu-scancel": ["1"] },
    ...{ "mgpu-scontrol": ["show", "job", "1"], "mgpu-sattach": ["1.0"], mgpu: ["status"] },
  }[name];
  const daemonArgs = ["--version"];
  const isDaemon = ["mgpuctld", "mgpud", "mgpu-stepd", "snapshot-worker"].includes(name);
  try {
    execFileSync(process.execPath, [join(dist, `${name}.cjs`), ...(isDaemon ? daemonArgs : (args ?? []))], {
      env: environment,
      stdio: "ignore",
      timeout: 20_000,
    });
  } catch {
    // Without a controller the commands fail, as they should here; what counts is the code that ran.
  }
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
