/** The longest stalls of a cluster's controller, see stall-hook.cjs. */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const LIMIT_MS = 5000;
const POLL_MS = 10;

/** What the environment of a controller that can be asked needs. */
export const STALL_ENV = { NODE_OPTIONS: `--require ${join(import.meta.dirname, "stall-hook.cjs")}` };

/** Begins to look. @param {import("./cluster.mjs").Cluster} cluster started with STALL_ENV */
export async function watchStalls(cluster) {
  const { mgpuctld } = await cluster.daemons();
  process.kill(mgpuctld, "SIGUSR2");
}

/** Ends that. @returns {Promise<{wallMs: number, cpuMs: number}>} */
export async function longestStall(cluster) {
  const path = join(cluster.home, "stall.json");
  rmSync(path, { force: true });
  await watchStalls(cluster);
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; ) {
    await sleep(POLL_MS);
    try {
      return JSON.parse(readFileSync(path, "utf8"));
    } catch {
      // Not there yet, or not all of it.
    }
  }
  throw new Error("the controller did not say how long it stalled");
}
