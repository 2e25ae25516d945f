/**
 * `npm run sim -- --seed N [--count M] [--trace FILE]`: runs the worlds of seeds N to N+M-1 (1 to 500 otherwise) and, for
 * a single one, writes what happened in it to a file. A broken promise is printed with its seed.
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const options = { seed: { type: "string" }, count: { type: "string" }, trace: { type: "string" } };
const { values } = read();
const environment = { ...process.env };
if (values.seed) Object.assign(environment, { MGPU_SIM_SEED: values.seed, MGPU_SIM_COUNT: values.count ?? "1" });
if (values.trace) environment.MGPU_SIM_TRACE = values.trace;
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const config = fileURLToPath(new URL("../vitest.config.ts", import.meta.url));
const args = [vitest, "run", "--config", config, "--project", "sim", "-t", "worlds with faults"];
process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit", env: environment }).status ?? 1;

function read() {
  try {
    const parsed = parseArgs({ options });
    for (const name of ["seed", "count"]) {
      const text = parsed.values[name];
      if (text !== undefined && !/^[1-9]\d{0,8}$/.test(text))
        throw new Error(`--${name}: expected a number, got "${text}"`);
    }
    return parsed;
  } catch (error) {
    process.stderr.write(`sim: error: ${error.message}\nUsage: npm run sim -- [--seed N [--count M]] [--trace FILE]\n`);
    process.exit(2);
  }
}
