/** The front of a bench's cluster (src/decisions/0029-front.md), and what it costs. It ends with `mgpu down`. */

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const START_LIMIT_MS = 10_000;
const POLL_MS = 20;

export class Front {
  #pid;

  constructor(pid) {
    this.#pid = pid;
  }

  /** @param {import("./cluster.mjs").Cluster} cluster */
  static async start(cluster) {
    const options = { env: cluster.env, stdio: "ignore", detached: true };
    const child = spawn(process.execPath, [join(cluster.folder, "dist/front.cjs")], options);
    child.unref();
    const end = Date.now() + START_LIMIT_MS;
    while (!existsSync(join(cluster.home, "front/pid"))) {
      if (Date.now() > end) throw new Error("the front did not start");
      await sleep(POLL_MS);
    }
    return new Front(child.pid);
  }

  /** CPU time of all its threads so far, from the scheduler's counts: ticks would be too coarse. */
  cpuMs() {
    const folder = `/proc/${this.#pid}/task`;
    const nanoseconds = readdirSync(folder).map(
      (id) => readFileSync(`${folder}/${id}/schedstat`, "latin1").split(" ")[0],
    );
    return nanoseconds.reduce((sum, one) => sum + Number(one), 0) / 1e6;
  }
}
