/**
 * Compares a text with the file that holds what it must be, byte for byte. MGPU_UPDATE_GOLDEN=1 writes the files
 * instead; look at the difference before you commit it.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

const folder = join(import.meta.dirname, "expected");

/** @param name of the file, with its ending */
export function expectGolden(name: string, text: string): void {
  const path = join(folder, name);
  if (process.env.MGPU_UPDATE_GOLDEN === "1") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
  }
  expect(existsSync(path), `${path} is missing: MGPU_UPDATE_GOLDEN=1 writes it`).toBe(true);
  expect(text).toBe(readFileSync(path, "utf8"));
}
