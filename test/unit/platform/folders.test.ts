import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { canHoldFolder, makeFolders, makeLastingFolders } from "../../../src/platform/folders.ts";

const root = mkdtempSync(join(tmpdir(), "mgt-folders-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);

describe("makeFolders", () => {
  test("makes what is missing, with its mode", () => {
    makeFolders(at("a/b/c"), 0o700);
    expect(["a", "a/b", "a/b/c"].map((name) => statSync(at(name)).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
    expect(() => makeFolders(at("a/b/c"), 0o700)).not.toThrow();
  });

  test("a link to a folder is one, a file is none", () => {
    symlinkSync(root, at("link"));
    writeFileSync(at("file"), "");
    expect(() => makeFolders(at("link"), 0o700)).not.toThrow();
    expect(() => makeFolders(at("link/d"), 0o700)).not.toThrow();
    expect(() => makeFolders(at("file"), 0o700)).toThrow("EEXIST");
    expect(() => makeFolders(at("file/d"), 0o700)).toThrow("ENOTDIR");
  });

  test("gives up where nothing can be made", () => {
    expect(() => makeFolders("/proc/mgpu/state", 0o700)).toThrow("ENOENT");
  });
});

describe("makeLastingFolders", () => {
  test("brings each folder to the disk that got a new one, and no other", () => {
    const synced: string[] = [];
    makeLastingFolders(at("x/y/z"), 0o700, (path) => void synced.push(path));
    expect(synced).toEqual([root, at("x"), at("x/y")]);
    makeLastingFolders(at("x/y/z"), 0o700, (path) => void synced.push(path));
    expect(synced).toHaveLength(3);
    makeLastingFolders(at("real/sync"), 0o700);
    expect(statSync(at("real/sync")).isDirectory()).toBe(true);
  });
});

test.each([
  ["one that is there", "", true],
  ["one that is missing, with others above it", "x/y/z", true],
  ["a file", "plain", false],
  ["below a file", "plain/x", false],
  ["the kernel's own", "/proc/mgpu", false],
])("whether a folder can be made in %s", (_, path, can) => {
  writeFileSync(at("plain"), "");
  expect(canHoldFolder(path.startsWith("/") ? path : at(path))).toBe(can);
});
