/** The daemons' log: JSON lines in a file that is set aside when it is full. */

import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileLog } from "../../../src/platform/log.ts";

let folder = "";
let path = "";
let descriptor = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-daemon-log-"));
  path = join(folder, "log");
  descriptor = openSync(path, "a", 0o600);
});
afterEach(() => {
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const lines = (name = "log") =>
  read(name)
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

test("a warning is there at once, behind what came before; the rest with the next turn", async () => {
  const log = fileLog(descriptor, "info", { daemon: "d" });
  log.debug("no");
  log.info("first", { jobId: 1, attempt: 2, gpus: { n1: [0] } });
  expect(read("log")).toBe("");
  log.warn("second");
  expect(lines().map(({ level, message }) => [level, message])).toEqual([
    ["info", "first"],
    ["warn", "second"],
  ]);
  expect(lines()[0]).toMatchObject({ daemon: "d", jobId: 1, attempt: 2, gpus: { n1: [0] } });
  log.setLevel("debug");
  log.debug("third");
  await setImmediate();
  await setImmediate();
  expect(lines()).toHaveLength(3);
});

test("a file that is full is set aside, and so many are kept", () => {
  const log = fileLog(descriptor, "info", {}, { bytesMax: 150, backups: 2 });
  for (let at = 1; at <= 6; at++) log.warn(`line ${at} ${"x".repeat(60)}`);
  expect(readdirSync(folder)).toEqual(["log", "log.1", "log.2"]);
  const numbers = ["log.2", "log.1", "log"].map((name) =>
    lines(name)
      .map(({ message }) => message.slice(5, 6))
      .join(),
  );
  expect(numbers).toEqual(["4", "5", "6"]);
});
