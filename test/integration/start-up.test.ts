/**
 * What a short command loads (src/decisions/0023-quick-start.md): of our files the first, of Node's modules next to none. And each part
 * of its second file is there when it is asked for.
 */

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_FRONT: "0" } });
const dist = join(import.meta.dirname, "../../dist");
const support = join(import.meta.dirname, "support");

/** What people do most, and how large the first file may be: a fifth above what it was when this was written. */
const PLAIN: readonly (readonly [name: string, args: readonly string[], bytesMax: number])[] = [
  ["mgpu-squeue", [], 163_000],
  ["mgpu-sinfo", [], 155_000],
  ["mgpu-scancel", ["999999"], 127_000],
  ["mgpu-sbatch", ["--output=/dev/null", "--wrap", "true"], 206_000],
];

beforeAll(async () => {
  await cluster.ok("mgpu", ["up"]);
});

afterAll(() => cluster.stop());

describe.each(PLAIN)("%s", (name, args, bytesMax) => {
  test("loads its first file and little of Node", async () => {
    const file = join(cluster.work, `${name}.json`);
    const hook = ["--require", join(support, "loaded.cjs"), join(dist, `${name}.cjs`), ...args];
    const { code } = await cluster.run(process.execPath, hook, { env: { LOADED_FILE: file } });
    expect(code).toBe(0);
    const { files, modules } = JSON.parse(cluster.read(`${name}.json`)) as { files: string[]; modules: string[] };
    expect(files).toEqual([`${name}.cjs`, `${name}.js`, `${name}.js.cache`]);
    // The system's own list of users is asked only where ours is not in the file.
    const isListed = new RegExp(`^[^:]+:[^:]*:${process.getuid?.()}:`, "m").test(readFileSync("/etc/passwd", "utf8"));
    expect(modules.filter((one) => isListed || one !== "os")).toEqual(["vm"]);
    expect(statSync(join(dist, `${name}.js`)).size).toBeLessThan(bytesMax);
  });

  test("has all parts of its second file", async () => {
    const out = await cluster.ok(process.execPath, [join(support, "open-rest.cjs"), join(dist, name)]);
    const parts = JSON.parse(out.slice(out.lastIndexOf("\n") + 1)) as {
      label: string;
      count: number;
      missing: string[];
    }[];
    expect(parts.length).toBeGreaterThan(5);
    expect(existsSync(join(dist, `${name}-rest.js.cache`))).toBe(true);
    for (const part of parts) {
      expect(part.count, part.label).toBeGreaterThan(0);
      expect(part.missing, part.label).toEqual([]);
    }
  });
});
