/** When commands start a front. The front here is a program that leaves a mark. */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CommandContext } from "../../../src/cli/context.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { frontPlaces, noteUse } from "../../../src/entry/front/use.ts";
import { realFiles } from "../../../src/platform/files.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-use-"));
  mkdirSync(join(folder, "home"));
  writeFileSync(join(folder, "front.cjs"), `require("fs").writeFileSync(${JSON.stringify(join(folder, "mark"))}, "")`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function use(
  environment: Record<string, string> = {},
  home = join(folder, "home"),
  isInRow = true,
  isNew = false,
  isSlurms = false,
): Promise<void> {
  const environmentOf = { MGPU_CONFIG: join(folder, "config.yaml"), ...environment };
  const files = realFiles();
  const context = {
    places: { home, logFolder: join(folder, "log") },
    environment: environmentOf,
    files,
    loadConfig: () => loadConfig(environmentOf, files, { name: "", hostname: "here" }),
    slurm: () => (isSlurms ? {} : null),
  } as unknown as CommandContext;
  const { usesFile } = frontPlaces(home);
  // However slow this machine is, they come one right after the other.
  if (isInRow && existsSync(usesFile)) utimesSync(usesFile, Date.now() / 1000, Date.now() / 1000);
  return noteUse(context, join(folder, "front.cjs"), isNew);
}

async function uses(count: number, environment: Record<string, string> = {}): Promise<void> {
  for (let i = 0; i < count; i++) await use(environment);
}

/** The program was started and has run. A start would have made the log at once. */
const isStarted = (): boolean => existsSync(join(folder, "log/front.log"));

test("six in a row start a front", async () => {
  writeFileSync(join(folder, "config.yaml"), "");
  await uses(5);
  expect(isStarted()).toBe(false);
  await use();
  expect(isStarted()).toBe(true);
  while (!existsSync(join(folder, "mark"))) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("with a pause between them they are not in a row", async () => {
  writeFileSync(join(folder, "config.yaml"), "");
  await uses(5);
  utimesSync(frontPlaces(join(folder, "home")).usesFile, 1, 1);
  await use({}, join(folder, "home"), false);
  await uses(4);
  expect(isStarted()).toBe(false);
});

test("none beside one that runs", async () => {
  writeFileSync(join(folder, "config.yaml"), "");
  await uses(1);
  writeFileSync(frontPlaces(join(folder, "home")).pidFile, String(process.pid));
  await uses(20);
  expect(isStarted()).toBe(false);
});

test.each([{ MGPU_FRONT: "0" }, { MGPU_FRONT: "never" }, { MGPU_STEP: "1.0" }])("none with %j", async (environment) => {
  await uses(20, environment);
  expect(isStarted()).toBe(false);
  expect(existsSync(frontPlaces(join(folder, "home")).folder)).toBe(false);
});

test("none where the configuration says never", async () => {
  writeFileSync(join(folder, "config.yaml"), "commands:\n  front: never\n");
  await uses(20);
  expect(isStarted()).toBe(false);
});

test("a state folder is made only for a command that went well", async () => {
  const home = join(folder, "elsewhere");
  await use({}, home);
  expect(existsSync(home)).toBe(false);
  await use({}, home, true, true);
  expect(existsSync(frontPlaces(home).usesFile)).toBe(true);
});

test("no link in the way is followed", async () => {
  const home = join(folder, "home");
  mkdirSync(join(folder, "target"), { mode: 0o700 });
  writeFileSync(join(folder, "target/uses"), "precious");
  symlinkSync(join(folder, "target"), frontPlaces(home).folder);
  await use({}, home);
  expect(readFileSync(join(folder, "target/uses"), "utf8")).toBe("precious");
});

test("none where the cluster is Slurm's", async () => {
  writeFileSync(join(folder, "config.yaml"), "");
  for (let i = 0; i < 20; i++) await use({}, join(folder, "home"), true, false, true);
  expect(isStarted()).toBe(false);
});
