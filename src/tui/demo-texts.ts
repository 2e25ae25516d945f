/** What the demonstration says of a job, and what its jobs print. */

import { formatDuration, formatTimeLimit, formatTimestamp } from "../core/time.ts";
import type { Clock } from "../platform/clock.ts";
import type { Message } from "./model.ts";
import { labelOf, type Row } from "./rows.ts";

/** Lines that are there at once, and the time between two more. */
const LINES = 200;
const LINE_MS = 700;

/** In the sections that a real cluster's jobs have. */
export function demoDetail(row: Row, jobs: readonly Row[], nowMs: number): string {
  const gpus = `${row.gpus / 1000} GPU${row.gpus === 1000 ? "" : "s"}`;
  const sections = row.state === "PENDING" ? waiting(row, gpus, jobs) : running(row, gpus, nowMs);
  const at = (ms: number | null): string => (ms === null ? "Unknown" : formatTimestamp(ms, () => 0));
  return `${sections}Record
  JobId=${labelOf(row)} JobName=${row.name}
   UserId=${row.user}(${row.uid}) Account=${row.account} QOS=${row.qos} Priority=${row.priority}
   JobState=${row.state} Reason=${row.reason} Dependency=(null)
   TimeLimit=${formatTimeLimit(row.limitS)} SubmitTime=${at(row.submitAt)}
   StartTime=${at(row.startAt)} EndTime=${at(row.endAt)}
   Partition=${row.partition} NodeList=${row.nodeList} NumNodes=${row.nodes} NumCPUs=${row.cpus} NumTasks=${row.tasks}
   Gres=gpu:h100:${row.gpus / 1000} ${row.gpuIds === "" ? "" : `GpuIds=${row.gpuIds} `}Requeue=1
   Command=${row.command}
   StdOut=${outputOf(row, "out")}
`;
}

function waiting(row: Row, gpus: string, jobs: readonly Row[]): string {
  const ahead = jobs.filter(({ state, priority }) => state === "PENDING" && priority > row.priority);
  const fewer = Math.max(1, row.gpus / 2000);
  return `Why it waits: ${row.reason}
  asks for ${gpus}, ${row.cpus} CPUs in partition ${row.partition}
  Nodes
    NODE              FREE            
    gpu[1-4,6,8]      busy            lacks ${gpus}
    gpu5              not for it      drained: new power supply at noon
    gpu7              away            Not responding
  Queue
    ${ahead.length + 1} of ${jobs.filter(({ state }) => state === "PENDING").length} that may start
  To start it now
    ask for ${fewer} GPU${fewer === 1 ? "" : "s"} instead of ${row.gpus / 1000}:
      mgpu-scontrol update JobId=${row.id} Gres=gpu:${fewer}
`;
}

function running(row: Row, gpus: string, nowMs: number): string {
  const ranS = Math.max(1, ((row.endAt ?? nowMs) - (row.startAt ?? nowMs)) / 1000);
  const part = 55 + (row.id % 40);
  const how =
    row.endAt === null
      ? `How it goes\n  runs for ${formatDuration(ranS)} on ${row.nodeList} (GPUs ${row.gpuIds})`
      : `How it ended\n  ${row.state.toLowerCase()} after ${formatDuration(ranS)}`;
  return `${how}
  output: ${outputOf(row, "out")} on ${row.nodeList}
What it used
  CPU Efficiency: ${part}.00% of ${formatDuration(ranS * row.cpus)} core-walltime
  Memory Utilized: ${4 * row.cpus}.00 GB
  GPUs: ${gpus} for ${formatDuration((ranS * row.gpus) / 1000)} of GPU-walltime
  GPU Efficiency: ${part + 4}.00% on average, 99.00% at most
`;
}

/** Slurm's usual names: `slurm-12.out`, of a task of an array `slurm-12_3.out`. */
function outputOf({ user, id, arrayJobId, arrayTasks }: Row, suffix: string): string {
  const task = arrayTasks.startsWith("[") ? "%a" : arrayTasks;
  return `/home/${user}/slurm-${arrayJobId === 0 ? id : `${arrayJobId}_${task}`}.${suffix}`;
}

/** Tells of a job's output until the result is called. */
export function demoLog(
  clock: Clock,
  row: Row,
  stream: "stdout" | "stderr",
  tell: (message: Message) => void,
): () => void {
  let step = 0;
  let stop = (): void => {};
  const jobId = row.id;
  const path = outputOf(row, stream === "stdout" ? "out" : "err");
  const grow = (lines: number): void => {
    const isReset = step === 0;
    let text = "";
    for (let at = 0; at < lines; at++) {
      step += 1;
      const epoch = Math.floor(step / 100);
      text +=
        stream === "stdout"
          ? `epoch ${epoch} step ${step} loss ${(8 / Math.sqrt(step)).toFixed(4)}\n`
          : `WARNING: step ${step}: data loader is slow\n`;
    }
    tell({ type: "log", jobId, path, text, isReset, problem: "" });
    stop = clock.after(LINE_MS, () => grow(1));
  };
  grow(stream === "stdout" ? LINES : 2);
  return () => stop();
}
