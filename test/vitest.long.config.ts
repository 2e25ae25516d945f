import { defineConfig } from "vitest/config";

/** `npm run test:long`: what takes too long for each change, with a command of its own. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/long/**/*.test.ts"],
    pool: "forks",
    testTimeout: 1_200_000,
    hookTimeout: 60_000,
  },
});
