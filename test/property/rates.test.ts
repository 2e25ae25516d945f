/**
 * What a trivial job costs, in counts, and in ratios of counts of the same run: fails when it is 30 % more than it was. Times say nothing
 * on a machine that others use; rates are measured by `npm run bench -- slurm scale`. After a change for the better the numbers here
 * are to be set anew.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StepKey } from "../../src/core/ids.ts";
import { openingLines, plainOpening } from "../../src/node/holder/task-opener.ts";
import { connectHolder } from "../../src/node/holder-client.ts";
import { type Disk, realDisk } from "../../src/platform/disk.ts";
import { silentLog } from "../../src/platform/log.ts";
import type { Net } from "../../src/platform/net.ts";
import type { HolderStep, StepLaunch } from "../../src/protocol/holder.ts";
import { connectPeer } from "../../src/rpc/connect.ts";
import { servePeers } from "../../src/rpc/serve.ts";
import { runJobs } from "../bench/scale/null-nodes.ts";
import { batchLaunch } from "../unit/node/sample-launch.ts";
import { World } from "../unit/node/world.ts";
import { manualClock } from "../unit/rpc/manual-clock.ts";
import { memoryNet } from "../unit/rpc/memory-net.ts";
import { ADDRESS, HELLO, IDENTITY, settle } from "../unit/rpc/rig.ts";

/** More than this above what was measured is a drop. */
const DROP = 1.3;

/** What was measured when this was written: a job's operations at the node daemon, its lines and bytes in the controller's journal. */
const NODE_OPERATIONS = 7.1;
const JOURNAL_LINES = 3;
const JOURNAL_BYTES = 1858;

/** A job's writes to its holder, where one job ends at a time: its launch, which takes along what may be forgotten. */
const HOLDER_WRITES = 1;

const JOBS = 300;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-rates-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("a batch job costs the node daemon so many operations on disk, holder and controller, however many there are", async () => {
  const [few, many] = [await operations(JOBS / 3), await operations(JOBS)];
  expect(few).toBeLessThan(NODE_OPERATIONS * DROP);
  expect(many / few).toBeLessThan(DROP);
});

/** A job's, of so many at once. */
async function operations(count: number): Promise<number> {
  const world = new World();
  world.machine.runMs = 5;
  await world.start();
  await world.clock.advance(100);
  const before = world.fuse.count;
  const jobs = Array.from({ length: count }, (_, at) =>
    world.controller.want(batchLaunch({ key: { jobId: at + 1, attempt: 1, stepId: "batch" } })),
  );
  await world.clock.until(() => jobs.every(({ clean }) => clean), 10_000);
  await world.clock.advance(1000);
  expect(await world.spool()).toEqual([]);
  // Each operation passes the fuse when it begins and when it ends.
  return (world.fuse.count - before) / 2 / count;
}

it("a plain script is started by its shell, with no other one before it", () => {
  const opening = {
    fifos: new Map(),
    sharesOutput: true,
    umask: 0o22,
    rlimits: { NOFILE: 1024, CORE: 0 },
    openFiles: 1024,
  };
  const environment = { PATH: "/bin", HOME: "/home/ann" };
  expect(openingLines({ ...opening, remark: undefined, environment }, { MGPU_STEP: "7.1.batch" })).not.toBeNull();
  // While many come, by a fork and one program.
  expect(plainOpening({ ...opening, remark: undefined, environment })).toMatchObject({ umask: "0022" });
});

it("a job costs the controller so many lines and bytes of its journal, and less than two commits", async () => {
  const few = await journalOf(JOBS);
  const many = await journalOf(2 * JOBS);
  // What the nodes cost is in both.
  expect((many.lines - few.lines) / JOBS).toBeLessThan(JOURNAL_LINES * DROP);
  expect((many.bytes - few.bytes) / JOBS).toBeLessThan(JOURNAL_BYTES * DROP);
  expect(many.appends / (2 * JOBS)).toBeLessThan(2);
});

/** Of so many jobs on nodes that do nothing. */
async function journalOf(jobs: number) {
  const { disk, counted } = counting(realDisk());
  await runJobs(join(folder, String(jobs)), jobs, 1, disk);
  return counted;
}

it("a job costs one write to its holder: nothing but its launch is sent alone", async () => {
  const net = memoryNet();
  let writes = 0;
  const counted: Net = {
    ...net,
    async connect(address, events) {
      const connection = await net.connect(address, events);
      const write = connection.write.bind(connection);
      connection.write = (data) => {
        writes += 1;
        return write(data);
      };
      return connection;
    },
  };
  let tell = (_: HolderStep): void => {};
  const forgotten: number[] = [];
  const ports = { clock: manualClock(), log: silentLog() };
  const holder = { ...IDENTITY, daemon: "mgpu-stepd" as const };
  const server = await servePeers({ ...ports, net }, ADDRESS, () => holder, {
    "holder.launch": ({ key }) => stepOf(key, "running"),
    "holder.watch": (_, sink) => {
      tell = (step) => void sink.send(step);
      return new Promise<never>(() => {});
    },
    "holder.release": ({ keys }) => {
      forgotten.push(...keys.map(({ jobId }) => jobId));
      return {};
    },
  });
  const dial = () => connectPeer({ ...ports, net: counted }, ADDRESS, { ...HELLO, role: "node" });
  const client = await connectHolder({ ...ports, dial }, ADDRESS.path);
  let ended = (): void => {};
  client.onChange(({ key, phase }) => {
    if (phase === "running") return;
    client.forget(key).catch(() => {});
    ended();
  });
  await settle();
  writes = 0;
  for (let jobId = 1; jobId <= JOBS; jobId++) {
    const key = { jobId, attempt: 1, stepId: "batch" } as const;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const { key: started } = await client.launch({ ...launchOf(key) });
    tell(stepOf(started, "running"));
    await settle(3);
    tell(stepOf(started, "ended"));
    await end;
  }
  await settle();
  expect(writes / JOBS).toBeLessThan(HOLDER_WRITES * DROP);
  // The last one is told when nothing more is started.
  expect(forgotten).toEqual(Array.from({ length: JOBS - 1 }, (_, at) => at + 1));
  server.close();
  client.kill();
});

function launchOf(key: StepKey): StepLaunch {
  return { key, token: "secret", workDir: "/", environment: {}, tasks: [], pty: null, batch: null };
}

function stepOf(key: StepKey, phase: HolderStep["phase"]): HolderStep {
  return { key, phase, exits: [], problem: "", clean: true };
}

function counting(disk: Disk) {
  const counted = { appends: 0, lines: 0, bytes: 0 };
  const openAppend: Disk["openAppend"] = async (path, isSynced) => {
    const file = await disk.openAppend(path, isSynced);
    return {
      ...file,
      append(data) {
        counted.appends += 1;
        counted.bytes += data.length;
        counted.lines += data.filter((byte) => byte === 0x0a).length;
        return file.append(data);
      },
    };
  };
  return { disk: { ...disk, openAppend }, counted };
}
