/** Of commands that stay for as long as their tasks: output as it comes, input, and the launcher's signals. */

import { closeSync } from "node:fs";
import type { Input, SignalName } from "../../cli/context.ts";
import { type Caller, openInput } from "../../platform/caller.ts";
import type { CallerStreams } from "../../platform/caller-output.ts";
import type { FrontCall, LauncherSignal } from "../../platform/front-door.ts";
import { LiveOutput } from "../../platform/live-output.ts";
import { type ByteSource, pipeSource } from "../../platform/pipes.ts";

/** Where launchers of such commands keep their stdin while they read answers. */
const INPUT_DESCRIPTOR = 7;

/** A shell that was started with one of these ignored, as for `srun &` in a script, hears nothing of it; srun itself does. */
const HEARD = { SIGINT: 2, SIGQUIT: 3, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15, SIGCONT: 18 };

/** Programs that srun starts here, with the launcher's own streams. */
const LOCAL_PROGRAMS = /^--(ep|pro)/;
const LOCAL_PROGRAM_VARIABLES = ["SLURM_PROLOG", "SLURM_EPILOG"];

/** A launcher looks for signals at least so often, should one have come just before it began to wait. */
const WAKE_MS = 1000;

export interface Live {
  readonly input: Input;
  readonly output: LiveOutput;
  onSignal(name: SignalName, handler: () => void): () => void;
  /** The same, but more is taken only once there is room for what it printed. */
  paced<T>(onItem: (item: T) => void | Promise<void>): (item: T) => void | Promise<void>;
  /** Hears of a signal; false if it means what it means to any program. */
  signal(name: LauncherSignal): boolean;
  /** Whether it is time for the launcher to look for signals. */
  isWakeDue(): boolean;
  close(): void;
}

/** Whether a command that stays is one of those that can be told from its launcher alone. */
export function canLive({ args, environment, ignores }: Caller): boolean {
  if (args.some((word) => LOCAL_PROGRAMS.test(word))) return false;
  if (LOCAL_PROGRAM_VARIABLES.some((name) => environment[name] !== undefined)) return false;
  return !ignores(Object.values(HEARD));
}

/** `null` if its input can't be read for it. */
export function openLive({ pid, copy }: FrontCall, streams: CallerStreams): Live | null {
  const stdin = openInput(pid, INPUT_DESCRIPTOR);
  if (stdin === null) return null;
  const output = new LiveOutput({ pid, streams, copy });
  const handlers = new Map<string, Set<() => void>>();
  const input = inputOf(stdin.descriptor);
  let wokenAt = performance.now();
  return {
    input,
    output,
    onSignal(name, handler) {
      const known = handlers.get(name) ?? new Set();
      handlers.set(name, known.add(handler));
      return () => void known.delete(handler);
    },
    paced: (onItem) => (item) => {
      const taken = onItem(item);
      const room = output.room();
      return room === undefined ? taken : Promise.all([taken, room]).then(() => {});
    },
    signal(name) {
      const found = [...(handlers.get(name) ?? [])];
      for (const handler of found) handler();
      return found.length > 0;
    },
    isWakeDue() {
      const now = performance.now();
      const isDue = now - wokenAt >= WAKE_MS;
      if (isDue) wokenAt = now;
      return isDue;
    },
    close() {
      input.close();
      output.close();
    },
  };
}

/** A pipe's bytes, from the first time on that they are wanted. */
function inputOf(descriptor: number | null): Input & { close(): void } {
  let source: ByteSource | null = null;
  let isClosed = false;
  return {
    read(take) {
      if (descriptor === null || isClosed) return Promise.resolve();
      const opened = source ?? pipeSource(descriptor);
      source = opened;
      return new Promise((resolve, reject) => {
        opened.start((chunk) => {
          opened.pause();
          take(chunk).then(() => opened.resume(), reject);
        }, resolve);
      });
    },
    stop: () => source?.close(),
    close() {
      if (isClosed) return;
      isClosed = true;
      if (source !== null) source.close();
      else if (descriptor !== null) closeSync(descriptor);
    },
  };
}
