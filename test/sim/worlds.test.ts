import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ALL_FAULTS } from "../../src/sim/faults.ts";
import { runWorld, type WorldOptions } from "../../src/sim/world.ts";

/** `npm run sim` sets these; the test run takes seeds 1 to 500. */
const FIRST = Number(process.env.MGPU_SIM_SEED ?? 1);
const SEEDS = Number(process.env.MGPU_SIM_COUNT ?? 500);
const TRACE = process.env.MGPU_SIM_TRACE;

/** From this many worlds on, every kind of fault must have happened. */
const MANY = 100;

/** Small and large clusters, few and many faults: the seed decides. */
function options(seed: number): WorldOptions {
  return {
    seed,
    nodes: 1 + (seed % 3),
    jobs: 12 + (seed % 17),
    faults: { durationMs: 15_000, everyMs: 300 + (seed % 5) * 300, kinds: ALL_FAULTS },
  };
}

describe("worlds", () => {
  test("without faults everything ends, at once and once", async () => {
    const report = await runWorld({ ...options(7), faults: { durationMs: 0, everyMs: 1, kinds: [] } });
    expect(report.problems).toEqual([]);
    expect(Object.values(report.ends).reduce((sum, count) => sum + count, 0)).toBe(options(7).jobs);
  });

  test("a disk that lies about being synced is caught: the checks can fail", async () => {
    const caught = [];
    for (let seed = 1; seed <= 5; seed++) {
      const report = await runWorld({ ...options(seed), lyingDisk: true });
      caught.push(...report.problems);
    }
    expect(caught.join("\n")).toMatch(/was acknowledged and is lost/);
  });

  test("the same seed is the same world", async () => {
    const [a, b] = [await runWorld(options(3)), await runWorld(options(3))];
    expect(b).toEqual(a);
    expect((await runWorld(options(4))).fingerprint).not.toBe(a.fingerprint);
  });

  test(`${SEEDS} worlds with faults keep every promise`, async () => {
    const broken: string[] = [];
    const faults: Record<string, number> = {};
    const lines: string[] = [];
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const report = await runWorld({ ...options(seed), ...(TRACE ? { trace: (line) => void lines.push(line) } : {}) });
      for (const [kind, count] of Object.entries(report.faults)) faults[kind] = (faults[kind] ?? 0) + count;
      if (report.problems.length > 0) broken.push(`seed ${seed}: ${report.problems.slice(0, 3).join("; ")}`);
      if (broken.length >= 5) break;
    }
    if (TRACE) writeFileSync(TRACE, `${lines.join("\n")}\n`);
    expect(broken, "look into one with: npm run sim -- --seed N --trace FILE").toEqual([]);
    for (const kind of SEEDS >= MANY ? new Set(ALL_FAULTS) : []) expect(faults[kind], kind).toBeGreaterThan(SEEDS / 10);
  });
});
