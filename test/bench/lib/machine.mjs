/** On what a run was made: numbers without it are worth nothing. */

import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../../..");

/** @returns {string} lines that begin with # */
export function machineHeader() {
  const model = cpus()[0]?.model.trim() || "unknown CPU";
  const load = loadavg()[0].toFixed(1);
  const program = statSync(join(ROOT, "dist/mgpuctld.js"), { throwIfNoEntry: false });
  if (program === undefined) throw new Error("nothing is built: run npm run build first");
  return [
    `# ${model}, ${availableParallelism()} cores, load ${load}; Node ${process.version}`,
    `# ${new Date().toISOString()}; commit ${commit()}; built ${program.mtime.toISOString()}`,
    "",
  ].join("\n");
}

function commit() {
  try {
    const git = (...args) => execFileSync("git", ["-C", ROOT, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
    const changed = git("status", "--porcelain", "--", "src").split("\n").filter(Boolean).length;
    return `${git("rev-parse", "--short", "HEAD")}${changed > 0 ? ` with ${changed} changed files in src` : ""}`;
  } catch {
    return "unknown";
  }
}
