/** The demonstration lives: jobs end, others start, what is asked for is done. */

import type { Clock } from "../platform/clock.ts";
import { createDice, demoCluster, rowsAt } from "./demo.ts";
import { demoNodes } from "./demo-nodes.ts";
import { demoDetail, demoLog } from "./demo-texts.ts";
import type { Deed, Message } from "./model.ts";
import type { Source } from "./ports.ts";
import type { Row } from "./rows.ts";

/** Something happens this often. */
const BEAT_MS = 1400;

/** Changes a beat. */
const CHANGES = 1;

/** What was told of the GPUs before it was opened: so many vital signs, this far apart. */
const SAMPLES = 60;
const SAMPLE_MS = 5000;

/** A cluster with that many jobs. */
export function createDemoSource(clock: Clock, count: number): Source {
  const dice = createDice(42);
  let jobs = new Map<number, Row>();
  let past: readonly Row[] = [];
  let stopBeat = (): void => {};
  let stopLog = (): void => {};
  let tell: (message: Message) => void = () => {};
  const paused = new Map<string, Record<string, string>>();
  const drained = new Map<string, string | null>();

  const tellNodes = (nowMs: number): void => {
    const nodes = demoNodes([...jobs.values()], nowMs).map((node) => {
      const reason = drained.get(node.name);
      const own = paused.get(node.name);
      const closed = Object.fromEntries(
        Object.entries(own ?? {}).map(([gpu, why]) => [gpu, why ? `paused: ${why}` : "paused"]),
      );
      const drain = reason === undefined ? {} : drainedAs(node.usage.cpus > 0, reason);
      return { ...node, ...drain, ...(own && { pausedGpus: own, closedGpus: closed }) };
    });
    tell({ type: "nodes", isReset: true, nodes, gone: [] });
  };

  const change = (rows: readonly Row[]): void => {
    for (const row of rows) jobs.set(row.id, row);
    tell({ type: "jobs", isReset: false, isPartial: false, rows, gone: [], nowMs: clock.now() });
    tellNodes(clock.now());
  };

  /** Its GPUs go to the first that waits and wants as many. */
  const replace = (ended: Row): void => {
    const next = [...jobs.values()].find(
      ({ state, gpus, reason }) => state === "PENDING" && gpus === ended.gpus && !/Held|Limit/.test(reason),
    );
    if (!next || jobs.get(ended.id)?.state !== "RUNNING") return;
    const { nodeList, gpuIds } = ended;
    const now = clock.now();
    change([
      { ...ended, state: "COMPLETED", endAt: now, gpuIds: "" },
      { ...next, state: "RUNNING", reason: "None", startAt: now, nodeList, gpuIds },
    ]);
  };

  const beat = (): void => {
    const running = [...jobs.values()].filter(({ state }) => state === "RUNNING");
    for (let at = 0; at < CHANGES; at++) {
      const ended = running[dice(running.length)];
      if (ended) replace(ended);
    }
    tellNodes(clock.now());
    stopBeat = clock.after(BEAT_MS, beat);
  };

  return {
    async open(told) {
      tell = told;
      const now = clock.now();
      const cluster = demoCluster(count, now);
      jobs = new Map(cluster.jobs.map((row) => [row.id, row]));
      past = cluster.past;
      tell({ type: "jobs", isReset: true, isPartial: false, rows: cluster.jobs, gone: [], nowMs: now });
      for (let at = SAMPLES; at >= 0; at--) tellNodes(now - at * SAMPLE_MS);
      stopBeat = clock.after(BEAT_MS, beat);
    },
    async detail(jobId) {
      const row = jobs.get(jobId) ?? past.find(({ id }) => id === jobId);
      return row ? demoDetail(row, [...jobs.values()], clock.now()) : "it is over";
    },
    async past(atMs) {
      return rowsAt([...past, ...jobs.values()], atMs);
    },
    follow(job) {
      stopLog();
      if (job) stopLog = demoLog(clock, job.jobId, job.stream, (message) => tell(message));
    },
    async act(deed) {
      const { action, node, gpus } = deed;
      if (action.type === "drain") drained.set(node, action.reason);
      if (action.type === "resume") drained.set(node, null);
      if (action.type === "pause" || action.type === "unpause") {
        const own = { ...paused.get(node) };
        for (const gpu of gpus) delete own[gpu];
        if (action.type === "pause") for (const gpu of gpus) own[gpu] = action.reason;
        paused.set(node, own);
      }
      change(acted(deed, jobs, clock.now()));
      return `${deed.target}: done`;
    },
    close() {
      stopBeat();
      stopLog();
    },
  };
}

function drainedAs(isBusy: boolean, reason: string | null): { state: string; reason: string } {
  if (reason === null) return { state: isBusy ? "MIXED" : "IDLE", reason: "" };
  return { state: isBusy ? "DRAINING" : "DRAINED", reason };
}

/** The rows that change. */
function acted({ action, jobIds }: Deed, jobs: ReadonlyMap<number, Row>, now: number): Row[] {
  const rows = jobIds.flatMap((id) => jobs.get(id) ?? []);
  switch (action.type) {
    case "cancel":
      return rows.map((row) => ({ ...row, state: "CANCELLED", endAt: now, gpuIds: "" }));
    case "hold":
      return rows.map((row) => (row.state === "PENDING" ? { ...row, reason: "JobHeldUser", priority: 0 } : row));
    case "release":
      return rows.map((row) => (row.state === "PENDING" ? { ...row, reason: "Priority" } : row));
    case "requeue":
      return rows.map((row) => {
        return { ...row, state: "PENDING", reason: "BeginTime", startAt: null, nodeList: "", gpuIds: "" };
      });
    case "limit":
      return rows.map((row) => ({ ...row, limitS: action.value }));
    case "priority":
      return rows.map((row) => ({ ...row, priority: action.value }));
    default:
      return [];
  }
}
