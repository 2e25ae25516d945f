/** What runs, in words: daemons and nodes as `mgpu up` and `mgpu status` tell of them. */

import { formatDuration } from "../core/time.ts";
import type { DaemonStatus, NodeRow } from "../protocol/procedures.ts";
import { nodeStateLong } from "./node-states.ts";
import { textTable } from "./text-table.ts";

/** `2 GPUs`, `1 GPU`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `desk: idle, 4 GPUs (a100), 8 CPUs, 64000 MiB of memory`. */
export function nodeText(node: NodeRow): string {
  const { gpus, cpus, memoryMiB, gpuProblem } = node.inventory;
  const types = [...new Set(gpus.map((gpu) => gpu.type))].join(", ");
  const gpuText = `${countText(gpus.length, "GPU")}${types ? ` (${types})` : ""}`;
  const line = `${node.name}: ${nodeStateLong(node)}, ${gpuText}, ${countText(cpus, "CPU")}, ${memoryMiB} MiB of memory`;
  return gpuProblem === null ? line : `${line}; GPUs: ${gpuProblem}`;
}

/** A table of daemons: `nowMs` is milliseconds since 1970. */
export function daemonTable(daemons: readonly DaemonStatus[], nowMs: number): string {
  const rows = daemons.map(({ daemon, node, pid, state, startedAt, version }) => {
    // Of one that does not answer, nothing else is known.
    const uptime = pid > 0 ? formatDuration(Math.max(0, nowMs - startedAt) / 1000) : "-";
    return [daemon, node || "-", String(pid || "-"), state, uptime, version];
  });
  return textTable(["DAEMON", "NODE", "PID", "STATE", "UPTIME", "VERSION"], rows);
}
