import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { realScriptFolders, type ScriptFolders } from "../../../src/platform/script-folders.ts";

const SCRIPT = Buffer.from("#!/bin/sh\necho one\n");
/** Above all that the kernel gives. */
const DEAD_PID = 2 ** 22 + 1;
const OTHER = Buffer.from("#!/bin/sh\necho two, and longer\n");

let parent: string;
let folders: ScriptFolders;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "mgpu-folders-"));
  folders = realScriptFolders({ script: "script", records: ["pid", "exit"] });
});
afterEach(() => {
  folders.close();
  rmSync(parent, { recursive: true });
});

/** A folder that had a script, and was given back unless said otherwise. */
function used(name: string, script = SCRIPT, isFree = true): string {
  const path = join(parent, name);
  if (!folders.take(path, script)) {
    mkdirSync(path, { mode: 0o700 });
    writeFileSync(join(path, "script"), script, { mode: 0o700 });
  }
  folders.writeRecord(join(path, "pid"), '{"pid":12}\n');
  folders.writeRecord(join(path, "exit"), "14\n");
  if (isFree) folders.letGo(path, true);
  return path;
}

const inode = (path: string): number => statSync(path).ino;
const freed = (): string => join(parent, readdirSync(parent).find((name) => name.startsWith("free-")) ?? "none");

test("a folder becomes the next script's by another name: the same text, blank records, no new file", () => {
  const first = used("1.1.batch", SCRIPT, false);
  const before = ["", "script", "pid", "exit"].map((name) => inode(join(first, name)));
  folders.letGo(first, true);
  expect(existsSync(first)).toBe(false);
  const next = join(parent, "2.1.batch");
  expect(folders.take(next, SCRIPT)).toBe(true);
  expect(["", "script", "pid", "exit"].map((name) => inode(join(next, name)))).toEqual(before);
  expect(readFileSync(join(next, "script"))).toEqual(SCRIPT);
  for (const name of ["pid", "exit"]) expect(readFileSync(join(next, name), "utf8").trim()).toBe("");
  expect(readdirSync(parent)).toEqual(["2.1.batch"]);
});

test("another text is another file, for its owner alone to run", () => {
  used("1.1.batch");
  const old = openSync(join(freed(), "script"), "r");
  const next = join(parent, "2.1.batch");
  expect(folders.take(next, OTHER)).toBe(true);
  expect(readFileSync(join(next, "script"))).toEqual(OTHER);
  expect(statSync(join(next, "script")).mode & 0o7777).toBe(0o700);
  // Who reads the old one on, as shells do, reads what it was.
  expect(readFileSync(old)).toEqual(SCRIPT);
  closeSync(old);
});

test.each<[string, (folder: string) => void]>([
  ["changed its text", (folder) => appendFileSync(join(folder, "script"), "echo more\n")],
  ["changed a letter of it", (folder) => writeFileSync(join(folder, "script"), "#!/bin/sh\necho onE\n")],
  ["changed its mode", (folder) => chmodSync(join(folder, "script"), 0o755)],
  ["gave it another name", (folder) => linkSync(join(folder, "script"), join(parent, "kept"))],
  ["removed it", (folder) => rmSync(join(folder, "script"))],
  [
    "put a link in its place",
    (folder) => {
      renameSync(join(folder, "script"), join(parent, "kept"));
      symlinkSync(join(parent, "kept"), join(folder, "script"));
    },
  ],
  ["left a file there", (folder) => writeFileSync(join(folder, "mine"), "")],
  ["was ended by a signal", (folder) => writeFileSync(join(folder, "wrapper.err"), "signal 9\n")],
  [
    "made a record a link",
    (folder) => {
      rmSync(join(folder, "exit"));
      symlinkSync(join(parent, "kept"), join(folder, "exit"));
    },
  ],
  ["gave a record another name", (folder) => linkSync(join(folder, "exit"), join(parent, "kept"))],
  ["removed all of it", (folder) => rmSync(folder, { recursive: true })],
])("whoever comes after a script that %s has a text of its own, or no used folder", (_what, change) => {
  used("1.1.batch");
  const folder = freed();
  change(folder);
  const kept = existsSync(join(parent, "kept")) ? readFileSync(join(parent, "kept"), "utf8") : null;
  const next = join(parent, "2.1.batch");
  const isTaken = folders.take(next, SCRIPT);
  expect(existsSync(next)).toBe(isTaken);
  expect(existsSync(folder)).toBe(false);
  if (isTaken) {
    const { mode, nlink } = statSync(join(next, "script"));
    expect([readFileSync(join(next, "script"), "utf8"), mode & 0o7777, nlink]).toEqual([String(SCRIPT), 0o700, 1]);
  }
  if (kept !== null) expect(readFileSync(join(parent, "kept"), "utf8")).toBe(kept);
});

test("a folder that is not free, or whose script was never told, is left where it is", () => {
  const first = used("1.1.batch", SCRIPT, false);
  folders.letGo(first, false);
  folders.letGo(first, true);
  expect(existsSync(first)).toBe(true);
  const large = used("2.1.batch", Buffer.alloc(100_000, "#"), false);
  folders.letGo(large, true);
  expect(existsSync(large)).toBe(true);
});

test("what is in the way of a folder stays", () => {
  used("1.1.batch");
  const next = join(parent, "2.1.batch");
  mkdirSync(next);
  writeFileSync(join(next, "exit"), "3\n");
  expect(folders.take(next, SCRIPT)).toBe(false);
  expect(readFileSync(join(next, "exit"), "utf8")).toBe("3\n");
});

test("used folders are few, and gone with their holder; a later holder removes what a killed one left", () => {
  for (let at = 1; at <= 200; at++) used(`${at}.1.batch`, SCRIPT, false);
  for (let at = 1; at <= 200; at++) folders.letGo(join(parent, `${at}.1.batch`), true);
  expect(readdirSync(parent).filter((name) => name.startsWith("free-")).length).toBe(128);
  folders.close();
  expect(readdirSync(parent).length).toBe(72);
  mkdirSync(join(parent, `free-${DEAD_PID}-7`));
  mkdirSync(join(parent, "free-time"));
  // Of one that lives, as that of a terminal beside the one of all other steps: it may be giving it to a script just now.
  mkdirSync(join(parent, `free-${process.ppid}-7`));
  folders = realScriptFolders({ script: "script", records: [] });
  expect(folders.take(join(parent, "x"), SCRIPT)).toBe(false);
  expect(readdirSync(parent).filter((name) => name.startsWith("free-"))).toEqual([
    `free-${process.ppid}-7`,
    "free-time",
  ]);
});

test("a record is written over a longer one, and not through a link", () => {
  const file = join(parent, "record");
  expect(folders.writeRecord(file, "longer\n") && folders.writeRecord(file, "5\n")).toBe(true);
  expect(readFileSync(file, "utf8")).toBe("5\n     ");
  symlinkSync(file, join(parent, "link"));
  expect(folders.writeRecord(join(parent, "link"), "6\n")).toBe(false);
  expect(folders.writeRecord(join(parent, "no/such"), "6\n")).toBe(false);
  expect(readFileSync(file, "utf8")).toBe("5\n     ");
});
