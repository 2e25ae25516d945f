import { defineConfig } from "vitest/config";

/** One project a kind of test; `npm test` runs them all. Native PTYs need processes, not threads. */
const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, pool: "forks" as const, testTimeout, hookTimeout: 60_000 },
});

const report = process.env.MGPU_TEST_REPORT;

export default defineConfig({
  test: {
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    root: new URL("..", import.meta.url).pathname,
    projects: [
      project("unit", ["test/unit/**/*.test.ts", "test/golden/**/*.test.ts", "test/tidy.test.ts"], 20_000),
      project("property", ["test/property/**/*.test.ts"], 180_000),
      project("sim", ["test/sim/**/*.test.ts"], 300_000),
      project("integration", ["test/integration/**/*.test.ts"], 120_000),
      project("compat", ["test/compat/**/*.test.ts"], 180_000),
    ],
  },
});
