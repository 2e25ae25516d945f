/**
 * squeue of 100,000 jobs: the first line is out before the last row exists, and the client stays small. The controller
 * here is a socket of the test that makes rows as they are asked for.
 */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { realClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { realNet } from "../../src/platform/net.ts";
import { PROTOCOL } from "../../src/protocol/envelope.ts";
import type { JobListRow } from "../../src/protocol/procedures.ts";
import { servePeers } from "../../src/rpc/serve.ts";
import type { RpcServer } from "../../src/rpc/types.ts";
import { TestCluster } from "./support/cluster.ts";

const JOBS = 100_000;
const ROWS_A_CHUNK = 500;
const CLIENT_MIB_MAX = 150;

const cluster = new TestCluster();
let server: RpcServer | null = null;

afterEach(async () => {
  server?.close();
  await cluster.stop();
});

const ROW: Partial<JobListRow> = {
  ...{ user: "ada", uid: 1000, partition: "main", state: "PENDING", reason: "Priority", reasonText: "waits" },
  ...{ submitAt: 1_795_000_000_000, eligibleAt: 1_795_000_000_000, startAt: null, endAt: null, limitS: 3600 },
  ...{ suspendedAt: null, suspendedMs: 0, nodeList: "", nodes: 1, tasks: 1, cpus: 4, arrayJobId: 0, arrayTasks: "" },
  ...{ hetJobId: 0, hetOffset: 0 },
};

/** Peak memory of a process so far, in MiB. */
function peakMiB(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}

test("the first line comes before the last row, and memory stays flat", async () => {
  const path = join(cluster.folder, "s");
  let goOn = (): void => {};
  const isRead = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const seen = { peak: 0 };
  const identity = () => ({ daemon: "mgpuctld" as const, protocol: PROTOCOL, version: "0.1.0", pid: 1, startedAt: 0 });
  server = await servePeers({ net: realNet(), clock: realClock(), log: silentLog() }, { path }, identity, {
    "jobs.list": async ({ fields }, sink) => {
      for (let first = 1; first <= JOBS; first += ROWS_A_CHUNK) {
        const rows = Array.from({ length: ROWS_A_CHUNK }, (_, index) => {
          const row: Partial<JobListRow> = { ...ROW, id: first + index, name: `job-${first + index}` };
          return fields.map((field) => row[field]);
        });
        // The last chunk is not made before the first line was read.
        if (first + ROWS_A_CHUNK > JOBS) await isRead;
        await sink.send({ rows });
      }
      seen.peak = peakMiB(client.pid);
      return { now: 0 };
    },
  });
  const client = cluster.start("mgpu-squeue", ["-h"], { env: { MGPU_CONTROLLER: `unix:${path}` } });
  if (client.child.stdout) await once(client.child.stdout, "data");
  goOn();
  const { code, stdout, stderr } = await client.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.split("\n").slice(0, -1);
  expect(lines).toHaveLength(JOBS);
  expect(lines.at(-1)).toContain(` ${JOBS} `);
  expect(seen.peak).toBeGreaterThan(0);
  expect(seen.peak).toBeLessThan(CLIENT_MIB_MAX);
}, 60_000);
