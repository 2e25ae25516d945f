/**
 * Where the tasks of a step wait before their programs start, until the node daemon has put them into the step's control
 * group: each tells its pid on one pipe, and goes on when the other one is closed.
 */

import { GATE_KNOCK_MS, GATE_OPEN_MS } from "./limits.ts";
import type { HolderPorts } from "./ports.ts";

export interface Gate {
  /** For the tasks: the end to read from, and the one to write to. Closed by {@link settle}. */
  readonly childEnds: readonly [wait: number, tell: number];
  /** Those that wait; empty once it is open. */
  readonly waiting: readonly number[];
  /** All were started: resolves when so many wait, or soon in any case. Then it opens by itself some time. */
  settle(tasks: number): Promise<void>;
  /** Lets all go on, those that come later included. Twice is harmless. */
  open(): void;
}

type Ports = Pick<HolderPorts, "clock" | "processes" | "log">;

/** A gate; `null` if there are no pipes to be had: then nobody waits. */
export async function makeGate({ clock, processes, log }: Ports, step: string): Promise<Gate | null> {
  const wait = await processes.pipeToChild();
  if ("problem" in wait) return null;
  const tell = await processes.pipeFromChild();
  if ("problem" in tell) {
    wait.value.target.close();
    processes.closeDescriptor(wait.value.childEnd);
    return null;
  }
  const pids = new Set<number>();
  const childEnds = [wait.value.childEnd, tell.value.childEnd] as const;
  let text = "";
  let isOpen = false;
  let hasSettled = false;
  let onKnock = (): void => {};
  let cancel = (): void => {};
  const closeChildEnds = (): void => {
    if (!hasSettled) for (const end of childEnds) processes.closeDescriptor(end);
    hasSettled = true;
  };
  const open = (): void => {
    closeChildEnds();
    cancel();
    isOpen = true;
    onKnock();
    wait.value.target.close();
    tell.value.source.close();
  };
  tell.value.source.start(
    (chunk) => {
      text += new TextDecoder().decode(chunk);
      for (const line of text.split("\n").slice(0, -1)) pids.add(Number(line));
      text = text.slice(text.lastIndexOf("\n") + 1);
      onKnock();
    },
    () => {},
  );
  return {
    childEnds,
    get waiting() {
      return isOpen ? [] : [...pids];
    },
    async settle(tasks) {
      closeChildEnds();
      if (isOpen) return;
      await new Promise<void>((resolve) => {
        const stop = clock.after(GATE_KNOCK_MS, resolve);
        onKnock = () => {
          if (pids.size < tasks && !isOpen) return;
          stop();
          resolve();
        };
        onKnock();
      });
      if (isOpen) return;
      cancel = clock.after(GATE_OPEN_MS, () => {
        log.warn("nobody put a step into its cgroup; it starts without", { step });
        open();
      });
    },
    open,
  };
}
