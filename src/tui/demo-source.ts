/** The demonstration lives: jobs end, others start, what is asked for is done. */

import type { Clock } from "../platform/clock.ts";
import { createDice, demoCluster, nextTask, rowsAt } from "./demo.ts";
import { demoNodes } from "./demo-nodes.ts";
import { demoDetail, demoLog } from "./demo-texts.ts";
import type { Deed, Message } from "./model.ts";
import type { Source } from "./ports.ts";
import type { Row } from "./rows.ts";

/** Something happens this often. */
const BEAT_MS = 1400;

/** The minutes before it was opened come so much later. */
const PAST_MS = 150;

/** What was told of the GPUs before it was opened: so many vital signs, this far apart. */
const SAMPLES = 60;
const SAMPLE_MS = 5000;

/** A cluster with that many jobs. */
export function createDemoSource(clock: Clock, count: number): Source {
  return new DemoSource(clock, count);
}

class DemoSource implements Source {
  private readonly clock: Clock;
  private readonly count: number;
  private readonly dice = createDice(42);
  private readonly jobs = new Map<number, Row>();
  private ended: readonly Row[] = [];
  private newId = 0;
  private readonly paused = new Map<string, Record<string, string>>();
  private readonly drained = new Map<string, string | null>();
  private stopBeat = (): void => {};
  private stopLog = (): void => {};
  private tell: (message: Message) => void = () => {};

  constructor(clock: Clock, count: number) {
    this.clock = clock;
    this.count = count;
  }

  async open(told: (message: Message) => void): Promise<void> {
    this.tell = told;
    const now = this.clock.now();
    const { jobs, past } = demoCluster(this.count, now);
    for (const row of jobs) this.jobs.set(row.id, row);
    this.ended = past;
    this.newId = Math.max(0, ...jobs.map(({ id }) => id)) + 1;
    told({ type: "jobs", isReset: true, isPartial: false, rows: jobs, gone: [], nowMs: now });
    this.tellNodes(now - SAMPLES * SAMPLE_MS);
    // After the first frame: what was before it takes longer than that itself.
    this.stopBeat = this.clock.after(PAST_MS, () => {
      for (let at = SAMPLES - 1; at >= 0; at--) this.tellNodes(now - at * SAMPLE_MS);
      this.beat();
    });
  }

  async detail(jobId: number): Promise<string> {
    const row = this.jobs.get(jobId) ?? this.ended.find(({ id }) => id === jobId);
    return row ? demoDetail(row, [...this.jobs.values()], this.clock.now()) : "it is over";
  }

  async past(atMs: number): Promise<readonly Row[]> {
    return rowsAt([...this.ended, ...this.jobs.values()], atMs);
  }

  follow(job: Parameters<Source["follow"]>[0]): void {
    this.stopLog();
    const row = job && (this.jobs.get(job.jobId) ?? this.ended.find(({ id }) => id === job.jobId));
    if (job && row) this.stopLog = demoLog(this.clock, row, job.stream, (message) => this.tell(message));
  }

  async act(deed: Deed): Promise<string> {
    const { action, node, gpus } = deed;
    if (action.type === "drain") this.drained.set(node, action.reason);
    if (action.type === "resume") this.drained.set(node, null);
    if (action.type === "pause" || action.type === "unpause") {
      const own = { ...this.paused.get(node) };
      for (const gpu of gpus) delete own[gpu];
      if (action.type === "pause") for (const gpu of gpus) own[gpu] = action.reason;
      this.paused.set(node, own);
    }
    this.change(acted(deed, this.jobs, this.clock.now()));
    return `${deed.target}: done`;
  }

  close(): void {
    this.stopBeat();
    this.stopLog();
  }

  private tellNodes(nowMs: number): void {
    const nodes = demoNodes([...this.jobs.values()], nowMs).map((node) => {
      const reason = this.drained.get(node.name);
      const own = this.paused.get(node.name);
      const why = Object.entries(own ?? {}).map(([gpu, text]) => [gpu, text ? `paused: ${text}` : "paused"]);
      const drain = reason === undefined ? {} : drainedAs(node.usage.cpus > 0, reason);
      return { ...node, ...drain, ...(own && { pausedGpus: own, closedGpus: Object.fromEntries(why) }) };
    });
    this.tell({ type: "nodes", isReset: true, nodes, gone: [] });
  }

  private change(rows: readonly Row[]): void {
    for (const row of rows) this.jobs.set(row.id, row);
    this.tell({ type: "jobs", isReset: false, isPartial: false, rows, gone: [], nowMs: this.clock.now() });
    this.tellNodes(this.clock.now());
  }

  private beat(): void {
    const running = [...this.jobs.values()].filter(({ state }) => state === "RUNNING");
    const ended = running[this.dice(running.length)];
    if (ended) this.replace(ended);
    else this.tellNodes(this.clock.now());
    this.stopBeat = this.clock.after(BEAT_MS, () => this.beat());
  }

  /** Its GPUs go to the next task of its array, else to the first that waits and wants as many. */
  private replace(ended: Row): void {
    const over: Row = { ...ended, state: "COMPLETED", endAt: this.clock.now(), gpuIds: "" };
    const own = nextTask(ended, this.jobs.values(), this.newId, this.clock.now());
    if (own.length > 0) {
      this.newId += 1;
      return this.change([over, ...own]);
    }
    const next = [...this.jobs.values()].find(
      ({ state, gpus, reason }) => state === "PENDING" && gpus === ended.gpus && !/Held|Limit/.test(reason),
    );
    if (!next) return this.tellNodes(this.clock.now());
    const { nodeList, gpuIds } = ended;
    const now = this.clock.now();
    this.change([over, { ...next, state: "RUNNING", reason: "None", startAt: now, nodeList, gpuIds }]);
  }
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
