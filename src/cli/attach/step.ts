/** The streams of one node's part of a step: attached to its holder, and again after a lost connection. */

import type { ExitStatus } from "../../core/job.ts";
import type { Clock } from "../../platform/clock.ts";
import { type ErrorCode, RpcError } from "../../protocol/errors.ts";
import type { AttachPoint, Item, TerminalView } from "../../protocol/procedures.ts";
import { Link, type LinkPorts, PATIENCE_AFTER_END_MS } from "./link.ts";
import type { StreamName } from "./relay.ts";

/** What is heard of the part's tasks. An error thrown by one of these ends the attachment. */
export interface StepEvents {
  started(tasks: readonly number[]): void;
  data(task: number, stream: StreamName, offset: number, data: Uint8Array): void;
  exit(task: number, exit: ExitStatus): void;
  /** A terminal's screen, in place of the output before it. */
  screen?(picture: Extract<Item<"step.attach">, { type: "screen" }>): void;
}

/** How a terminal is seen, asked anew at each attachment. */
export interface Viewing {
  readonly client: string;
  view(): TerminalView;
}

/** How a part ended. */
export interface StepOutcome {
  readonly exits: readonly { readonly task: number; readonly exit: ExitStatus }[];
  /** Why it could not be started or followed; empty otherwise. */
  readonly problem: string;
  /** Contact with the holder was given up: exits are unknown and output may be missing. */
  readonly lost: boolean;
}

export interface AttachedStep {
  readonly point: AttachPoint;
  readonly outcome: Promise<StepOutcome>;
  /** Takes a part of the input; resolves when there is room for more. False: the tasks read no more. */
  input(task: number | null, offset: number, data: Uint8Array, eof: boolean): Promise<boolean>;
  signal(signal: number): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Asks for the whole screen of a terminal once more. */
  redraw(): Promise<void>;
  /** The job is over: a holder that is gone, or that knows nothing of the step, will not be waited for. */
  hurry(): void;
  /** Closes the connection; nothing more is heard. */
  stop(): void;
}

/**
 * Attaches to a part of a step; with `viewing` to its terminal.
 * Its outcome rejects with SESSION_BUSY or TAKEN_OVER where somebody else has that.
 */
export function attachStep(
  point: AttachPoint,
  ports: LinkPorts,
  events: StepEvents,
  viewing: Viewing | null = null,
): AttachedStep {
  const link = new Link(ports);
  const { key, token } = point;
  const named = viewing ? { client: viewing.client } : {};
  const life = new SignsOfLife(ports.clock, () => link.stop());
  return {
    point,
    outcome: follow(point, link, events, life, viewing),
    input: (task, offset, data, eof) =>
      whileItRuns(
        link.use((peer) => peer.call("step.input", { key, token, ...named, task, offset, data, eof }, NO_DEADLINE)),
      ),
    async signal(signal) {
      await whileItRuns(link.use((peer) => peer.call("step.signal", { key, token, signal })));
    },
    async resize(columns, rows) {
      await whileItRuns(link.use((peer) => peer.call("step.resize", { key, token, ...named, columns, rows })));
    },
    async redraw() {
      if (!viewing) return;
      const { client } = viewing;
      await whileItRuns(link.use((peer) => peer.call("step.redraw", { key, token, client })));
    },
    hurry() {
      link.hurry();
      life.demand();
    },
    stop: () => link.stop(),
  };
}

/** Input waits for as long as the program does not read. */
const NO_DEADLINE = { deadlineMs: null };

/**
 * A holder that has the step says so at once after each attachment. One that took the place of a dead one waits for
 * the step's launch instead: for minutes that lead to nothing once the job is over.
 */
class SignsOfLife {
  private readonly clock: Clock;
  private readonly giveUp: () => void;
  private isDemanded = false;
  private hasHeard = false;
  private attachments = 0;

  constructor(clock: Clock, giveUp: () => void) {
    this.clock = clock;
    this.giveUp = giveUp;
  }

  onAttach(): void {
    this.attachments++;
    this.hasHeard = false;
    if (this.isDemanded) this.watch();
  }

  onItem(): void {
    this.hasHeard = true;
  }

  /** From now on an attachment without any is given up. */
  demand(): void {
    this.isDemanded = true;
    this.watch();
  }

  private watch(): void {
    const watched = this.attachments;
    this.clock.after(PATIENCE_AFTER_END_MS, () => {
      if (watched === this.attachments && !this.hasHeard) this.giveUp();
    });
  }
}

async function follow(
  point: AttachPoint,
  link: Link,
  events: StepEvents,
  life: SignsOfLife,
  viewing: Viewing | null,
): Promise<StepOutcome> {
  const { key, token } = point;
  const onItem = (item: Item<"step.attach">): void => {
    life.onItem();
    if (item.type === "data") events.data(item.task, item.stream, item.offset, item.data);
    else if (item.type === "exit") events.exit(item.task, item.exit);
    else if (item.type === "screen") events.screen?.(item);
    else events.started(item.tasks);
  };
  try {
    const result = await link.use((peer) => {
      life.onAttach();
      const params = { key, token, ...(viewing ? { view: viewing.view() } : {}) };
      return peer.stream("step.attach", params, onItem);
    });
    return result === null ? lost("") : { ...result, lost: false };
  } catch (error) {
    // The holder does not know the step: it is a new one, the step's own died.
    if (error instanceof RpcError && !ELSEWHERE.has(error.code)) return lost(error.message);
    throw error;
  }
}

/** Somebody else has the terminal; the step runs on. */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set(["SESSION_BUSY", "TAKEN_OVER"]);

function lost(problem: string): StepOutcome {
  return { exits: [], problem, lost: true };
}

/** Whether the call reached a running step. That a step is over is heard elsewhere. */
async function whileItRuns(call: Promise<unknown>): Promise<boolean> {
  try {
    return (await call) !== null;
  } catch (error) {
    if (error instanceof RpcError) return false;
    throw error;
  }
}
