/** A controller of few words: orders what is not confirmed yet at each registration, and keeps every report. */

import { formatStepKey } from "../../../src/core/ids.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { NodeLaunch, NodeReport, Params } from "../../../src/protocol/procedures.ts";
import type { CallOptions, Connected, Handlers, Peer } from "../../../src/rpc/types.ts";
import type { Fuse } from "./fuse.ts";
import { soon } from "./hand-clock.ts";

export interface VirtualJob {
  readonly launch: NodeLaunch;
  phase: "launching" | "running" | "ended";
  /** Its state is decided: the node is told to clear it away unless it is clean. */
  decided: boolean;
  clean: boolean;
  /** How it ended, in one line. */
  outcome: string;
}

interface Line {
  readonly handlers: Handlers<"node">;
  readonly fuse: Fuse;
  close(problem: string): void;
}

export class VirtualController {
  readonly jobs = new Map<string, VirtualJob>();
  /** All reports as they came, in one line each. */
  readonly reports: string[] = [];
  readonly registrations: Params<"node.register">[] = [];
  readonly pings: number[] = [];
  /** Attempts to connect. */
  dials = 0;
  /** Why nobody can connect; empty if everybody can. */
  down = "";
  /** Refuses reports with this error. */
  reportError: RpcError | null = null;
  /** Refuses registrations with this error. */
  registerError: RpcError | null = null;
  /** Takes reports but loses the answers. */
  losesAnswers = false;
  answersPings = true;
  /** Orders are given at registrations only if it is set. */
  orders = true;
  private line: Line | null = null;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get connected(): boolean {
    return this.line !== null;
  }

  /** Wants a step run. */
  want(launch: NodeLaunch): VirtualJob {
    // In one process the daemon is handed the controller's own records: it may change none of them.
    freeze(launch);
    const job: VirtualJob = { launch, phase: "launching", decided: false, clean: false, outcome: "" };
    this.jobs.set(formatStepKey(launch.key), job);
    void this.order(job);
    return job;
  }

  /** Ends a job as scancel does. */
  cancel(job: VirtualJob): void {
    job.decided = true;
    void this.order(job);
  }

  /** Calls the connected node. */
  get node(): Handlers<"node"> {
    if (!this.line) throw new Error("no node is connected");
    return this.line.handlers;
  }

  hangUp(problem = "ECONNRESET"): void {
    this.line?.close(problem);
  }

  /** What a daemon connects with. */
  connect(fuse: Fuse): (handlers: Handlers<"node">) => Promise<Connected> {
    return (handlers) => fuse.pass(async () => this.accept(fuse, handlers));
  }

  private accept(fuse: Fuse, handlers: Handlers<"node">): Connected {
    this.dials += 1;
    if (this.down) throw new Error(this.down);
    this.hangUp("replaced");
    let end = (_problem: string): void => {};
    const closed = new Promise<string>((resolve) => {
      end = resolve;
    });
    const line: Line = {
      handlers,
      fuse,
      close: (problem) => {
        if (this.line === line) this.line = null;
        end(problem);
      },
    };
    this.line = line;
    const call = async (method: string, params: unknown, options?: CallOptions): Promise<unknown> => {
      const lost = closed.then(() => Promise.reject(new RpcError("LOST_CONTACT", "the connection is gone")));
      if (this.line !== line) return lost;
      const deadline = new Promise((_, reject) => {
        this.clock.after(options?.deadlineMs ?? 30_000, () => reject(new RpcError("DEADLINE", "no answer")));
      });
      deadline.catch(() => {});
      return Promise.race([lost, deadline, fuse.pass(() => this.answer(method, params, lost))]);
    };
    const peer = { call, stream: call, closed, close: () => line.close("") } as unknown as Peer;
    const answer = {
      daemon: "mgpuctld",
      protocol: { major: 1, minor: 0 },
      version: "1",
      pid: 1,
      startedAt: 0,
    } as const;
    return { peer, answer };
  }

  private async answer(method: string, params: unknown, lost: Promise<never>): Promise<unknown> {
    if (method === "ping") {
      this.pings.push(this.pings.length);
      return this.answersPings ? { now: 0 } : lost;
    }
    if (method === "node.register") {
      if (this.registerError) throw this.registerError;
      this.registrations.push(params as Params<"node.register">);
      void soon().then(() => this.orderAll());
      return { heartbeatMs: 5000, killWaitMs: 30_000 };
    }
    if (this.reportError) throw this.reportError;
    freeze(params);
    for (const report of (params as Params<"node.report">).reports) this.take(report);
    return this.losesAnswers ? lost : {};
  }

  private orderAll(): void {
    for (const job of this.jobs.values()) void this.order(job);
  }

  private async order(job: VirtualJob): Promise<void> {
    const { line } = this;
    if (!line || line.fuse.blown || !this.orders) return;
    const { key } = job.launch;
    const context = {} as never;
    if (job.decided && !job.clean) {
      await line.handlers["node.terminate"]({ jobId: key.jobId, attempt: key.attempt }, context);
    } else if (job.phase === "launching" && !job.decided) {
      try {
        await line.handlers["node.launch"](job.launch, context);
      } catch (error) {
        this.end(job, `refused: ${(error as Error).message}`, false);
      }
    }
  }

  private take(report: NodeReport): void {
    this.reports.push(describe(report));
    if (report.type === "cleaned") {
      for (const job of this.jobs.values()) {
        const { jobId, attempt } = job.launch.key;
        if (job.decided && jobId === report.jobId && attempt === report.attempt) job.clean = true;
      }
      return;
    }
    const job = this.jobs.get(formatStepKey(report.key));
    if (!job || job.phase === "ended") return;
    if (report.type === "started") job.phase = "running";
    else if (report.type === "lost") this.end(job, `lost: ${report.cause}`, true);
    else {
      const exits = report.exits.map((exit) => `${exit.code}:${exit.signal}`).join(",");
      this.end(job, report.problem ? `${exits} ${report.problem}` : exits, report.clean && !job.decided);
    }
  }

  private end(job: VirtualJob, outcome: string, clean: boolean): void {
    job.phase = "ended";
    job.outcome = outcome;
    job.decided = true;
    if (clean) job.clean = true;
    else void soon().then(() => this.order(job));
  }
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}

function describe(report: NodeReport): string {
  if (report.type === "cleaned") return `cleaned ${report.jobId}.${report.attempt}`;
  const name = `${report.type} ${formatStepKey(report.key)}`;
  const memory = report.type === "ended" && report.outOfMemory ? " out of memory" : "";
  if (report.type !== "ended") return report.type === "lost" ? `${name} ${report.cause}` : name;
  const exits = report.exits.map((exit) => `${exit.code}:${exit.signal}`).join(",");
  return `${name} ${exits}${report.clean ? " clean" : ""}${memory}${report.problem ? ` (${report.problem})` : ""}`;
}
