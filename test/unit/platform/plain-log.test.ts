import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { boundedWriter, logFileWriter, plainLog } from "../../../src/platform/plain-log.ts";

/** It is looked every so often only whether the file is still there. */
const UNTIL_LOOK_MS = 100;

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-log-"));
  path = join(folder, "log");
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (name = "log"): string => readFileSync(join(folder, name), "utf8");

test("lines are JSON, from the level on", () => {
  const lines: string[] = [];
  const log = plainLog((line) => lines.push(line), "info", { daemon: "d" });
  log.debug("no");
  log.info("yes", { step: "1.1.0" });
  log.error("too");
  expect(lines).toHaveLength(2);
  const [first = ""] = lines;
  expect(first.endsWith("\n")).toBe(true);
  expect(JSON.parse(first)).toMatchObject({ level: "info", daemon: "d", step: "1.1.0", message: "yes" });
});

test("a file that is full is set aside, and one older file kept", () => {
  const write = logFileWriter(path, { bytesMax: 10, backups: 1 });
  for (const line of ["1111\n", "2222\n", "3333\n", "4444\n", "5555\n"]) write(line);
  expect(read()).toBe("5555\n");
  expect(read("log.1")).toBe("3333\n4444\n");
  expect(readdirSync(folder)).toEqual(["log", "log.1"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a file in another's folder is begun anew when it is full", () => {
  const descriptor = openSync(path, "a");
  const write = boundedWriter(descriptor, { bytesMax: 10 });
  for (const line of ["1111\n", "2222\n", "3333\n"]) write(line);
  closeSync(descriptor);
  expect([read(), readdirSync(folder)]).toEqual(["3333\n", ["log"]]);
});

test("so many older files are kept as were asked for, the newest as .1; none leaves the file alone", () => {
  const write = logFileWriter(path, { bytesMax: 5, backups: 3 });
  for (let line = 1; line <= 6; line++) write(`000${line}\n`);
  expect(readdirSync(folder)).toEqual(["log", "log.1", "log.2", "log.3"]);
  expect([read(), read("log.1"), read("log.3")]).toEqual(["0006\n", "0005\n", "0003\n"]);
  const alone = logFileWriter(join(folder, "alone"), { bytesMax: 5, backups: 0 });
  for (const line of ["1111\n", "2222\n"]) alone(line);
  expect(readdirSync(folder).filter((name) => name.startsWith("alone"))).toEqual(["alone"]);
  expect(read("alone")).toBe("2222\n");
});

test("programs that share a file go on together in the new one", () => {
  const [one, two] = [
    logFileWriter(path, { bytesMax: 10, backups: 1 }),
    logFileWriter(path, { bytesMax: 10, backups: 1 }),
  ];
  one("1111\n");
  two("2222\n");
  one("3333\n");
  two("4444\n");
  expect([read("log.1"), read()]).toEqual(["1111\n2222\n", "3333\n4444\n"]);
});

test("one that somebody took away is made again", async () => {
  const write = logFileWriter(path);
  write("1\n");
  renameSync(path, join(folder, "old"));
  await sleep(UNTIL_LOOK_MS);
  write("2\n");
  rmSync(path);
  await sleep(UNTIL_LOOK_MS);
  write("3\n");
  expect([read("old"), read()]).toEqual(["1\n", "3\n"]);
});

test("a file that is filled in one go is set aside all the same", () => {
  const write = logFileWriter(path, { bytesMax: 1000, backups: 1 });
  for (let line = 100; line < 400; line++) write(`${line}\n`);
  expect(readdirSync(folder)).toEqual(["log", "log.1"]);
  expect(read().length + read("log.1").length).toBeGreaterThan(1000);
  for (const name of ["log", "log.1"]) expect(read(name).length).toBeLessThanOrEqual(1000);
  expect(read().trim().split("\n").at(-1)).toBe("399");
});

test("what can't be written is lost, and nothing else", () => {
  const log = plainLog(logFileWriter(join(folder, "no", "log")), "info", {});
  expect(() => log.info("lost")).not.toThrow();
});
