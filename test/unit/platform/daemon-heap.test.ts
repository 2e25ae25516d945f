/** A daemon's heap is the same whoever starts it: V8 rejects a code cache that was made with other flags. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const FLAGS = /--max-semi-space-size=\d+\W+--heap-growing-percent=\d+/;
const VARIABLE = /MALLOC_TRIM_THRESHOLD_\W+(\d+)/;

const textOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const numbersOf = (path: string): string[] | undefined => FLAGS.exec(textOf(path))?.[0].match(/\d+/g)?.map(String);

test("launchers, commands and the build have the same flags and variables", () => {
  const flags = numbersOf("src/platform/daemon.ts");
  expect(flags).toHaveLength(2);
  expect(numbersOf("bin/mgpuctld")).toEqual(flags);
  expect(numbersOf("src/build/build.mjs")).toEqual(flags);
  const variable = VARIABLE.exec(textOf("src/platform/daemon.ts"))?.[1];
  expect(variable).toBeDefined();
  expect(textOf("bin/mgpuctld")).toContain(`MALLOC_TRIM_THRESHOLD_-${variable}`);
});
