/** Parts of files: what is no plain file is refused, and a file system that hangs keeps nobody waiting for ever. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boundedReader, type FileWindow, readWindow } from "../../../src/platform/file-window.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-window-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("a window of a file", () => {
  test("holds what is there, and nothing beyond the end", async () => {
    const path = join(folder, "a");
    writeFileSync(path, "0123456789");
    expect(await text(readWindow(path, 2, 3))).toEqual(["234", 10]);
    expect(await text(readWindow(path, 8, 100))).toEqual(["89", 10]);
    expect(await text(readWindow(path, 50, 100))).toEqual(["", 10]);
    expect(await readWindow(join(folder, "none"), 0, 1)).toBeNull();
    expect(await readWindow(join(path, "under-a-file"), 0, 1)).toBeNull();
  });
  test("a pipe that nobody writes to is refused at once", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(readWindow(pipe, 0, 1)).rejects.toThrow("it is no plain file");
    await expect(readWindow(folder, 0, 1)).rejects.toThrow("it is no plain file");
  });
});

describe("a bounded reader", () => {
  const EMPTY: FileWindow = { data: new Uint8Array(), size: 0 };

  test("gives up what hangs, refuses more while all hang, and goes on afterwards", async () => {
    const wake: (() => void)[] = [];
    let hangs = true;
    const read = boundedReader((_path: string) => {
      if (!hangs) return Promise.resolve(EMPTY);
      return new Promise<FileWindow>((resolve) => wake.push(() => resolve(EMPTY)));
    }, 5);
    const first = await Promise.allSettled([read("a"), read("b"), read("c")]);
    expect(first.map(reasonOf)).toEqual([
      "its file system has not answered for 0.005 s",
      "its file system has not answered for 0.005 s",
      expect.stringContaining("do not answer"),
    ]);
    expect(wake).toHaveLength(2);
    await expect(read("d")).rejects.toThrow("reads no more files until they do");
    hangs = false;
    for (const one of wake) one();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await read("e")).toBe(EMPTY);
  });
  test("lets so many at a time, the others in their turn", async () => {
    let [now, most] = [0, 0];
    const read = boundedReader(async (_path: string) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return EMPTY;
    });
    await Promise.all(Array.from({ length: 20 }, (_, at) => read(String(at))));
    expect(most).toBe(2);
  });
});

async function text(found: Promise<FileWindow | null>): Promise<[string, number] | null> {
  const window = await found;
  return window && [new TextDecoder().decode(window.data), window.size];
}

function reasonOf(result: PromiseSettledResult<unknown>): string {
  return result.status === "rejected" ? (result.reason as Error).message : "read";
}
