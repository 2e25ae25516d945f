/**
 * A node daemon in a job of another batch system: what runs here ends with that job, and the daemon ends when there is
 * nothing for it to do.
 *
 * That system may end everything here at once, the daemon among it. A program that it killed did not fail: its job starts
 * again elsewhere. So ends that are no success are told a moment later, and not at all when the daemon is told to end
 * meanwhile; the controller gives up what it heard nothing of when the allocation is over.
 */

import { type Clock, sleep } from "../platform/clock.ts";
import type { NodeReport } from "../protocol/procedures.ts";
import type { ReportQueue } from "./report-queue.ts";

/** What the daemon knows of the allocation that it lives in. */
export interface Allocation {
  /** The job's number there. */
  readonly id: string;
  /** Signals all processes of steps here; how many there are. */
  signalAll(signal: number): number;
}

/** Signals that go to a whole job reach its processes within far less. */
const HOLD_MS = 2000;

/** Between TERM and KILL: batch systems leave more, but not always much. */
const END_MS = 2000;

/** How long the last reports may take. */
const FLUSH_MS = 2000;
const POLL_MS = 50;

/** Without a controller and without a step the daemon ends by itself after so long. */
const LONELY_MS = 5 * 60_000;

const SIGKILL = 9;
const SIGTERM = 15;
const SIGCONT = 18;
const SIGSTOP = 19;

/** A queue that tells of failures a moment later, until {@link close}: from then on not at all. */
export class HeldReports {
  readonly queue: ReportQueue;
  readonly #inner: ReportQueue;
  #isClosed = false;

  constructor(clock: Pick<Clock, "after">, inner: ReportQueue) {
    this.#inner = inner;
    this.queue = {
      add: (report) => {
        if (isSuccess(report)) return inner.add(report);
        clock.after(HOLD_MS, () => {
          if (!this.#isClosed) inner.add(report);
        });
      },
      dropStarted: (key) => inner.dropStarted(key),
      use: (peer) => inner.use(peer),
      get length() {
        return inner.length;
      },
    };
  }

  close(): void {
    this.#isClosed = true;
  }

  get length(): number {
    return this.#inner.length;
  }
}

function isSuccess(report: NodeReport): boolean {
  if (report.type === "ended") {
    const { exits, problem } = report;
    return !problem && exits.every(({ code, signal }) => code === 0 && signal === 0);
  }
  return report.type !== "lost";
}

/**
 * Ends all steps here for good; resolves when the ends of those that had succeeded are told. Never rejects.
 * @param hasSteps whether the end of some is not known yet
 */
export async function clearAway(
  clock: Clock,
  { signalAll }: Allocation,
  reports: HeldReports,
  hasSteps: () => boolean,
): Promise<void> {
  reports.close();
  const endMs = clock.monotonic() + END_MS;
  // All at once: a script whose program is gone must not go on to its next line before its own turn comes.
  signalAll(SIGSTOP);
  signalAll(SIGTERM);
  let left = signalAll(SIGCONT);
  while (left > 0 && clock.monotonic() < endMs) {
    await sleep(clock, POLL_MS);
    left = signalAll(0);
  }
  if (left > 0) signalAll(SIGKILL);
  const flushMs = clock.monotonic() + FLUSH_MS;
  while ((hasSteps() || reports.length > 0) && clock.monotonic() < flushMs) await sleep(clock, POLL_MS);
}

/** Calls back once nobody has had a use for this daemon for long: no controller, and no step. */
export class Loneliness {
  readonly #clock: Pick<Clock, "after">;
  readonly #hasSteps: () => boolean;
  readonly #onLonely: () => void;
  #cancel: () => void = () => {};

  constructor(clock: Pick<Clock, "after">, hasSteps: () => boolean, onLonely: () => void) {
    this.#clock = clock;
    this.#hasSteps = hasSteps;
    this.#onLonely = onLonely;
    this.begin();
  }

  /** The controller is away. */
  begin(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(LONELY_MS, () => (this.#hasSteps() ? this.begin() : this.#onLonely()));
  }

  /** It is there. */
  end(): void {
    this.#cancel();
  }
}
