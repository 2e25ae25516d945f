/** Who is told of each change of a step. A slow watcher gets the newest state of each phase, not every change. */

import { formatStepKey } from "../../core/ids.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { HolderStep } from "../../protocol/holder.ts";
import type { Sink } from "../../rpc/types.ts";

/** What one watcher is still to be told: at most two entries a step. */
interface Watcher {
  readonly changes: Map<string, HolderStep>;
  wake: () => void;
}

export class Watchers {
  private readonly watchers = new Set<Watcher>();

  /** A step changed. */
  tell(step: HolderStep): void {
    for (const watcher of this.watchers) {
      note(watcher, step);
      watcher.wake();
    }
  }

  /**
   * Sends the present steps, then each change.
   * @throws RpcError CANCELLED once the watcher leaves
   */
  async serve(present: readonly HolderStep[], sink: Sink<HolderStep>, signal: AbortSignal): Promise<never> {
    const watcher: Watcher = { changes: new Map(), wake: () => {} };
    for (const step of present) note(watcher, step);
    const leave = (): void => watcher.wake();
    signal.addEventListener("abort", leave);
    this.watchers.add(watcher);
    try {
      for (;;) {
        if (signal.aborted) throw new RpcError("CANCELLED", "the watcher left");
        const next = watcher.changes.entries().next();
        if (next.done) {
          await new Promise<void>((resolve) => {
            watcher.wake = resolve;
          });
          continue;
        }
        const [name, step] = next.value;
        watcher.changes.delete(name);
        await sink.send(step);
      }
    } finally {
      this.watchers.delete(watcher);
      signal.removeEventListener("abort", leave);
    }
  }
}

function note(watcher: Watcher, step: HolderStep): void {
  watcher.changes.set(`${formatStepKey(step.key)} ${step.phase}`, step);
}
