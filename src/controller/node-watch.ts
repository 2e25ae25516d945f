/** Which node daemons are connected, and what follows from one coming or going. */

import type { Settings } from "../config/settings.ts";
import type { Command } from "../core/commands.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { createAbsences } from "./absences.ts";
import { createSessions } from "./sessions.ts";
import type { Watchers } from "./watchers.ts";

/** Who is connected; a node that is not for too long is down. @param wake called when a node is gone */
export function watchNodes(
  ports: {
    readonly clock: Clock;
    readonly log: Log;
    readonly watchers: Watchers;
    submit(command: Command): void;
  },
  settings: Settings,
  wake: (node: string) => void,
) {
  const { clock, log, watchers, submit } = ports;
  const timeoutMs = (): number => settings.nodeTimeoutS * 1000 || Number.POSITIVE_INFINITY;
  const absentNodes = createAbsences<string>(clock, timeoutMs, (node) =>
    submit({ type: "node.markDown", node, reason: "Not responding" }),
  );
  const sessions = createSessions({ clock, log, ...hearNodes(absentNodes, watchers, wake) }, settings.heartbeatMs);
  const missNodes = (nodes: readonly string[]): void => {
    for (const node of nodes) absentNodes.begin(node);
  };
  return { sessions, missNodes };
}

/** What follows from a node's connection coming or going. */
function hearNodes(
  absent: ReturnType<typeof createAbsences<string>>,
  watchers: Watchers,
  wake: (node: string) => void,
) {
  return {
    onFound(node: string): void {
      absent.end(node);
      watchers.notifyNodes();
    },
    onLost(node: string, silentMs: number): void {
      wake(node);
      absent.begin(node, silentMs);
      watchers.notifyNodes();
    },
  };
}
