/** The manual pages as mandoc reads them: no warning. */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../../man");
const isThere = spawnSync("mandoc", ["-T", "lint", "/dev/null"]).error === undefined;
if (!isThere && process.env.CI) throw new Error("mandoc is missing: .ci/run installs it");

test.skipIf(!isThere)("mandoc has nothing to say against them", () => {
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.\d$/.test(name))
    .map((name) => join(folder, name));
  const { stdout, status } = spawnSync("mandoc", ["-T", "lint", "-W", "warning", ...pages], { encoding: "utf8" });
  expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
});
