/** Slurm's own commands are found behind mgpu's links to itself (mgpu shims), wherever those stand in PATH. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { realPrograms } from "../../../src/platform/programs.ts";

let folder = "";
const at = (...names: string[]): string => join(folder, ...names);

function program(...names: string[]): void {
  writeFileSync(at(...names), "#!/bin/sh\n");
  chmodSync(at(...names), 0o755);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-programs-"));
  for (const name of ["bin", "shims", "other", "other/bin", "slurm"]) mkdirSync(at(name));
  program("bin", "mgpu-srun");
  program("other", "bin", "mgpu-srun");
  program("slurm", "srun");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const find = (name: string, ...path: string[]): string | null =>
  realPrograms().find(name, path.map((one) => at(one)).join(":"), at("bin"));

test("links into our own folder are passed over, through other links too", () => {
  symlinkSync(at("bin", "mgpu-srun"), at("shims", "srun"));
  expect(find("srun", "shims", "slurm")).toBe(at("slurm", "srun"));
  symlinkSync(at("shims", "srun"), at("other", "srun"));
  expect(find("srun", "other", "shims", "slurm")).toBe(at("slurm", "srun"));
  expect(find("srun", "other", "shims")).toBeNull();
  // The folder of the commands may itself be reached by a link.
  symlinkSync(at("bin"), at("current"));
  symlinkSync(at("current", "mgpu-srun"), at("current", "srun"));
  expect(find("srun", "current", "slurm")).toBe(at("slurm", "srun"));
});

test("so are another mgpu's, which would come back to ours", () => {
  symlinkSync(at("other", "bin", "mgpu-srun"), at("shims", "srun"));
  expect(find("srun", "shims", "slurm")).toBe(at("slurm", "srun"));
});

test("what can't be run and folders that are not absolute are no programs", () => {
  chmodSync(at("slurm", "srun"), 0o644);
  mkdirSync(at("shims", "srun"));
  expect(find("srun", "nowhere", "shims", "slurm")).toBeNull();
  chmodSync(at("slurm", "srun"), 0o755);
  expect(realPrograms().find("srun", `:.:relative:${at("slurm")}`, at("bin"))).toBe(at("slurm", "srun"));
});
