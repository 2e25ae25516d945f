/** Files that settings name, whatever lies there. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readSmallFile } from "../../../src/platform/small-file.ts";

const folder = mkdtempSync(join(tmpdir(), "mgpu-small-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MAKE: Readonly<Record<string, (path: string) => void>> = {
  folder: (path) => mkdirSync(path),
  fifo: (path) => execFileSync("mkfifo", [path]),
  loop: (path) => symlinkSync(path, path),
  dangling: (path) => symlinkSync("nothing", path),
  gone: () => {},
  huge(path) {
    writeFileSync(path, "");
    truncateSync(path, 100_000_000);
  },
  utf16: (path) => writeFileSync(path, Buffer.from("\ufeffsecret", "utf16le")),
  latin1: (path) => writeFileSync(path, Buffer.from("caf\u00e9", "latin1")),
};

test.each([
  ["folder", "Is a directory"],
  ["fifo", "this is no plain file"],
  ["loop", "Too many levels of symbolic links"],
  ["dangling", "No such file or directory"],
  ["gone", "No such file or directory"],
  ["huge", "larger than the 1048576 bytes that it may have"],
  ["utf16", "this is no UTF-8 text"],
  ["latin1", "this is no UTF-8 text"],
])("a %s is told of", (kind, problem) => {
  const path = join(folder, kind);
  MAKE[kind]?.(path);
  expect(readSmallFile(path)).toEqual({ problem });
});

test("text is read, without its byte order mark; an empty file is an empty text", () => {
  const path = join(folder, "text");
  writeFileSync(path, "\ufeffsecret\n");
  expect(readSmallFile(path)).toEqual({ text: "secret\n" });
  writeFileSync(path, "");
  expect(readSmallFile(path)).toEqual({ text: "" });
});
