/** What may lie where a configuration file should: each is told of in one line, and nothing of it is taken. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { realFiles } from "../../../src/platform/files.ts";

const folder = mkdtempSync(join(tmpdir(), "mgpu-conf-"));
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = "limits:\n  kill_wait: 5\n";

function load(path: string) {
  return loadConfig({ MGPU_CONFIG: path }, realFiles(), { name: "", hostname: "h" });
}

test.each<[string, (path: string) => void, string]>([
  ["a folder", mkdirSync, "this is no plain file"],
  ["a FIFO", (path) => void execFileSync("mkfifo", [path]), "this is no plain file"],
  ["a link to itself", (path) => symlinkSync(path, path), "Too many levels of symbolic links"],
  ["a link to nothing", (path) => symlinkSync("nothing", path), "No such file or directory"],
  ["nothing", () => {}, "No such file or directory"],
  ["100 MB", (path) => [writeFileSync(path, GOOD), truncateSync(path, 100_000_000)], "larger than the 1048576 bytes"],
  ["UTF-16", (path) => writeFileSync(path, Buffer.from(`\ufeff${GOOD}`, "utf16le")), "this is no UTF-8 text"],
  ["Latin-1", (path) => writeFileSync(path, Buffer.from("a: caf\u00e9", "latin1")), "this is no UTF-8 text"],
  ["a tab", (path) => writeFileSync(path, "limits:\n\tkill_wait: 5\n"), ":2:1: Tabs are not allowed"],
  ["half a file", (path) => writeFileSync(path, '{"limits": {"kill_wait": 5}'), ":1:28: Flow map must end"],
  ["a list", (path) => writeFileSync(path, "[1, 2]"), ":1:1: expected sections"],
  ["a section twice", (path) => writeFileSync(path, GOOD + GOOD), ":3:1: Map keys must be unique"],
  ["a number as a section", (path) => writeFileSync(path, "gpu: 5\n"), ":1:6: gpu: expected keys with values"],
  ["a share above 1", (path) => writeFileSync(path, "gpu: {load_threshold: 80}\n"), 'a number from 0 to 1, got "80"'],
  ["no window", (path) => writeFileSync(path, "gpu: {utilization_window: 0}\n"), "seconds, at least 1"],
  ["a size of 0", (path) => writeFileSync(path, "logging: {max_size: 0}\n"), "MB, at least 1"],
  ["a relative path", (path) => writeFileSync(path, "security: {allowed_script_paths: jobs}\n"), "absolute paths"],
  ["partitions as a list", (path) => writeFileSync(path, "partitions: [gpu]\n"), "expected keys such as nodes"],
  ["a map as a value", (path) => writeFileSync(path, "partitions: {gpu: {nodes: {a: b}}}\n"), "expected a value"],
])("%s", (name, make, problem) => {
  const path = join(folder, name);
  make(path);
  const found = load(path);
  const problems = "problems" in found ? found.problems : [];
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(path);
  expect(problems[0]).toContain(problem);
  expect(problems[0]).not.toContain("\n");
});

test("a byte order mark is no mistake, nor is an empty file", () => {
  const path = join(folder, "good");
  writeFileSync(path, `\ufeff${GOOD}`);
  expect(load(path)).toMatchObject({ file: { texts: { MGPU_KILL_WAIT: "5" } } });
  writeFileSync(path, "");
  expect(load(path)).toMatchObject({ path, file: { texts: {} } });
});
