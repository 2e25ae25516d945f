/** mgpu-sacct of a million jobs: it prints as it reads, and neither it nor the controller grows with them. */

import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { EndedJob } from "../../src/core/job.ts";
import { TestCluster } from "../integration/support/cluster.ts";
import { spec } from "../unit/support/samples.ts";

const JOBS = Number(process.env.MGPU_LONG_RECORDS ?? 1_000_000);
const MEMORY_KB_MAX = 150_000;
const FIRST_END = Date.UTC(2026, 9, 2);

const cluster = new TestCluster();
afterAll(() => cluster.stop());

/** A month of jobs that ended, each with its batch script's step. */
function writeAccounting(): void {
  const folder = join(cluster.home, "controller", "accounting");
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, "2026-10.jsonl"), "w");
  for (let from = 1; from <= JOBS; from += 1000) {
    const lines = Array.from({ length: Math.min(1000, JOBS - from + 1) }, (_, index) => {
      return `${JSON.stringify({ v: 1, job: endedJob(from + index) })}\n`;
    });
    writeSync(file, lines.join(""));
  }
  closeSync(file);
}

function endedJob(id: number): EndedJob {
  const endAt = FIRST_END + id * 1000;
  const exits = [{ code: 0, signal: 0 }];
  const part = { node: "n1", tasks: [0], cpus: 1, memoryMiB: 0, gpus: [], phase: "ended", exits } as const;
  const startAt = endAt - 1000;
  return {
    ...{ id, spec: spec(), submitAt: startAt - 5000, requestId: "", attempt: 1, array: null, state: "COMPLETED" },
    ...{ startAt, eligibleAt: startAt - 5000, endAt, limitS: 0, exit: { code: 0, signal: 0 }, cause: "" },
    ...{ allocation: [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }], cancelledBy: null, cleanup: [] },
    steps: [
      {
        ...{ id: "batch", name: "batch", spec: null, requestId: "", startAt, endAt, parts: [part] },
        ...{ state: "COMPLETED", ending: null },
      },
    ],
    suspendedMs: 0,
  };
}

function peakKb(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

test(`${JOBS} jobs: every row is printed, in less than ${MEMORY_KB_MAX} kB`, async () => {
  writeAccounting();
  await cluster.ok("mgpu-sinfo", []);
  const shown = cluster.start("mgpu-sacct", ["-a", "-n", "-P", "-S", "2026-10-01", "-o", "jobid,state,elapsed"]);
  let peak = 0;
  let rows = 0;
  let first = "";
  shown.child.stdout?.on("data", (data: Buffer) => {
    if (first === "") first = data.toString().slice(0, data.indexOf(10));
    for (const byte of data) if (byte === 10) rows += 1;
    peak = Math.max(peak, peakKb(shown.pid));
  });
  expect(await shown.ended).toMatchObject({ code: 0 });
  expect(first).toBe("1|COMPLETED|00:00:01");
  expect(rows).toBe(2 * JOBS);
  expect(peak).toBeLessThan(MEMORY_KB_MAX);
  const { pid } = (await cluster.daemons())[0] ?? { pid: 0 };
  expect(peakKb(pid)).toBeLessThan(2 * MEMORY_KB_MAX);
});
