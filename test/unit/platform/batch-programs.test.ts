/** Commands of another batch system are found past ours of the same names. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findPastOurs, realBatchPrograms } from "../../../src/platform/batch-programs.ts";

const folder = mkdtempSync(join(tmpdir(), "mgpu-batch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(path: string, text: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, path), 0o755);
}

test("a shim of mgpu's is passed over, and what can't be run", () => {
  program("bin/mgpu-sbatch", "exit 1");
  program("real/sbatch", "echo real");
  mkdirSync(join(folder, "shims"));
  symlinkSync(join(folder, "bin/mgpu-sbatch"), join(folder, "shims/sbatch"));
  mkdirSync(join(folder, "plain"));
  writeFileSync(join(folder, "plain/sbatch"), "no program");
  const path = ["relative", "shims", "plain", "real"].map((name) => (name === "relative" ? name : join(folder, name)));
  expect(findPastOurs("sbatch", path.join(":"))).toBe(join(folder, "real/sbatch"));
  expect(findPastOurs("sbatch", join(folder, "shims"))).toBeNull();
});

test("it gets little of our environment, and what is said for it", async () => {
  program("real/show", 'echo "$HOME|$SECRET|$SLURM_CONF|$TZ"');
  const programs = realBatchPrograms({ PATH: join(folder, "real"), HOME: "/h", SECRET: "x", SLURM_CONF: "/own" });
  const found = programs.find("show", "/nowhere") ?? "";
  const ran = await programs.run(found, [], { SLURM_CONF: "/given", TZ: "UTC" });
  expect(ran).toMatchObject({ outcome: "ended", code: 0, stdout: "/h||/given|UTC\n" });
});
