/**
 * Reports on their way to the controller: in order, one call at a time, each kept until the controller's answer said
 * that it is on disk there. A lost answer means that reports go twice, which does no harm.
 *
 * It can't grow without limit: each step has at most one report of each kind in it.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { ERROR_CODES, RpcError } from "../protocol/errors.ts";
import type { NodeReport } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";

/** Reports in one call: a burst goes in few calls, and each stays far below the largest frame. */
const REPORTS_PER_CALL = 256;

/**
 * For so long nobody is told that a batch script has started: one that is over by then spares the controller a message and a
 * commit.
 */
const STARTED_MS = 25;

/** Pause after a refusal that may pass (a full disk at the controller), in milliseconds. */
const RETRY_MS = 1000;

export interface ReportQueue {
  /** Queues a report, unless the same one waits already. */
  add(report: NodeReport): void;
  /** Takes back a `started` that was not sent yet. */
  dropStarted(key: StepKey): void;
  /** Sends over this connection from now on; `null` for none. */
  use(peer: Peer | null): void;
  readonly length: number;
}

/** @param onConfirmed called with reports that the controller has on disk */
export function createReportQueue(
  ports: { readonly clock: Clock; readonly log: Log },
  onConfirmed: (reports: readonly NodeReport[]) => void,
): ReportQueue {
  return new Queue(ports, onConfirmed);
}

const NONE: ReadonlySet<string> = new Set();

class Queue implements ReportQueue {
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly onConfirmed: (reports: readonly NodeReport[]) => void;
  /** By name, in the order in which they go. */
  private readonly reports = new Map<string, NodeReport>();
  /** Reports that the controller can't read. They wait for its next connection, when it may be a newer one. */
  private readonly refused: NodeReport[] = [];
  private peer: Peer | null = null;
  /** Names of the reports in the open call; they stay in their place until it was answered. */
  private inFlight: ReadonlySet<string> = NONE;
  private perCall = REPORTS_PER_CALL;
  private cancelRetry: Cancel | null = null;
  /** Names of starts that are not told yet. */
  private readonly young = new Set<string>();

  constructor(
    ports: { readonly clock: Clock; readonly log: Log },
    onConfirmed: (reports: readonly NodeReport[]) => void,
  ) {
    this.clock = ports.clock;
    this.log = ports.log;
    this.onConfirmed = onConfirmed;
  }

  get length(): number {
    return this.reports.size;
  }

  add(report: NodeReport): void {
    const name = nameOf(report);
    if (this.reports.has(name)) return;
    this.reports.set(name, report);
    if (report.type !== "started" || report.key.stepId !== "batch") return void this.send();
    this.young.add(name);
    this.clock.after(STARTED_MS, () => {
      if (this.young.delete(name)) void this.send();
    });
  }

  dropStarted(key: StepKey): void {
    const name = nameOf({ type: "started", key });
    if (this.inFlight.has(name)) return;
    this.reports.delete(name);
    this.young.delete(name);
  }

  use(peer: Peer | null): void {
    this.peer = peer;
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.perCall = REPORTS_PER_CALL;
    if (!peer) return;
    for (const report of this.refused.splice(0)) this.reports.set(nameOf(report), report);
    void this.send();
  }

  private async send(): Promise<void> {
    const { peer } = this;
    if (!peer || this.inFlight.size > 0 || this.cancelRetry || this.reports.size === 0) return;
    const batch = firstOf(this.told(), this.perCall);
    if (batch.length === 0) return;
    this.inFlight = new Set(batch.map(nameOf));
    try {
      await peer.call("node.report", { reports: batch });
      this.inFlight = NONE;
      // The answer of a connection that was replaced meanwhile says nothing: its controller may have been too.
      if (this.peer === peer) this.confirm(batch);
    } catch (error) {
      this.inFlight = NONE;
      if (this.peer === peer) this.postpone(batch, error);
    }
    void this.send();
  }

  private *told(): Generator<NodeReport> {
    for (const [name, report] of this.reports) if (!this.young.has(name)) yield report;
  }

  private confirm(batch: readonly NodeReport[]): void {
    for (const report of batch) this.reports.delete(nameOf(report));
    this.onConfirmed(batch);
  }

  private postpone(batch: readonly NodeReport[], error: unknown): void {
    const retryable = !(error instanceof RpcError) || ERROR_CODES[error.code].retryable;
    this.log.warn("the controller did not take reports", { count: batch.length, error: String(error) });
    if (retryable) {
      this.cancelRetry = this.clock.after(RETRY_MS, () => {
        this.cancelRetry = null;
        void this.send();
      });
    } else if (batch.length > 1) {
      // One of them is the cause; the others must not wait for it.
      this.perCall = 1;
    } else {
      this.log.error("the controller can't read a report", { report: batch[0] });
      this.refused.push(...batch);
      for (const report of batch) this.reports.delete(nameOf(report));
    }
  }
}

function nameOf(report: NodeReport): string {
  if (report.type === "cleaned") return `cleaned ${report.jobId}.${report.attempt}`;
  return `${report.type} ${formatStepKey(report.key)}`;
}

function firstOf<T>(items: Iterable<T>, countMax: number): T[] {
  const first: T[] = [];
  for (const item of items) {
    if (first.length === countMax) break;
    first.push(item);
  }
  return first;
}
