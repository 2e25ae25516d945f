/** Manual pages and completions are those that the declarations of the options make. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { generated } from "../../src/cli/gen/generated.ts";

const root = join(import.meta.dirname, "../..");
const { version, bin, man } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

test('man/ and completions/ are up to date: "npm run generate" writes them', async () => {
  const made = await generated(version);
  const stale = [...made].filter(([path, text]) => {
    return !existsSync(join(root, path)) || readFileSync(join(root, path), "utf8") !== text;
  });
  expect(stale.map(([path]) => path)).toEqual([]);
  const found = ["man", "completions"].flatMap((name) =>
    readdirSync(join(root, name), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => relative(root, join(file.parentPath, file.name))),
  );
  expect(found.sort()).toEqual([...made.keys()].sort());
  expect(man).toEqual(found.filter((path) => path.startsWith("man/")));
});

test("each command for jobs has a page", async () => {
  const daemons = ["mgpuctld", "mgpud", "mgpu-stepd"];
  const missing = Object.keys(bin).filter(
    (name) => !daemons.includes(name) && !existsSync(join(root, `man/man1/${name}.1`)),
  );
  expect(missing).toEqual([]);
});

test("the page of srun tells how each option of Slurm is taken", () => {
  const page = readFileSync(join(root, "man/man1/mgpu-srun.1"), "utf8");
  for (const word of [".SS Supported options of Slurm", ".SS Taken without effect", ".SS Refused"])
    expect(page).toContain(word);
});
