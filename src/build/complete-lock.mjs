/**
 * `npm run lock`: adds to package-lock.json the optional packages of other platforms that npm left out.
 *
 * Where a registry does not serve a package of some other platform, npm writes a lock file without it, and `npm ci` then
 * calls that lock file out of step. An entry with its version and platform is all that `npm ci` needs to pass it over.
 */

import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const { packages } = lock;
const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm64", "x64", "ia32", "arm", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "wasm32"];

let added = 0;
for (const owner of Object.values(packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (packages[key] || !/^\d/.test(version)) continue;
    packages[key] = entryOf(name, version);
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added} packages of other platforms added to package-lock.json\n`);

/** Platform packages carry their system and processor in their names. */
function entryOf(name, version) {
  const words = name.split("/").at(-1).split("-");
  const os = SYSTEMS.filter((one) => words.includes(one));
  const cpu = PROCESSORS.filter((one) => words.includes(one));
  const libc = ["musl"].filter((one) => words.some((word) => word.startsWith(one)));
  if (os.length === 0 || cpu.length === 0) throw new Error(`${name} does not say its platform: add it by hand`);
  return { version, cpu, dev: true, ...(libc.length > 0 ? { libc } : {}), optional: true, os };
}
