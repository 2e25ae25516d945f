/** The nodes of the demonstration, and how busy their GPUs seem. */

import type { NodeRow } from "../protocol/procedures.ts";
import type { Row } from "./rows.ts";

const NODES = 8;
const GPUS_A_NODE = 8;
const CPUS_A_GPU = 8;
const MEMORY_MIB = 81_559;
const NODE_MEMORY_MIB = 1_031_000;

const AWAY = "gpu7";
const DRAINED = "gpu5";

/** Others work on this GPU, and this one is paused. */
const STRANGERS = { node: "gpu2", index: "7", why: "25 GiB and 96 % used by processes of others" };
const PAUSED = { node: "gpu3", index: "7", why: "ECC errors" };

/** A number of 0 to 99 that belongs to a job or a GPU. */
function hash(a: number, b: number): number {
  return ((Math.imul(a + 11, 2_654_435_761) ^ Math.imul(b + 7, 40_503)) % 100) & 0x7f;
}

/** The nodes as jobs leave them, their vital signs of that moment. */
export function demoNodes(jobs: readonly Row[], nowMs: number): NodeRow[] {
  return Array.from({ length: NODES }, (_, at) => demoNode(at, jobs, nowMs));
}

function demoNode(at: number, jobs: readonly Row[], nowMs: number): NodeRow {
  const name = `gpu${at + 1}`;
  const running = jobs.filter(({ state, nodeList }) => state === "RUNNING" && nodeList === name);
  const taken = running.flatMap(({ gpuIds }) => gpuIds.slice(name.length + 1).split(","));
  const isAway = name === AWAY;
  const holder = new Map(
    running.flatMap((row) =>
      row.gpuIds
        .slice(name.length + 1)
        .split(",")
        .map((gpu) => [gpu, row]),
    ),
  );
  return {
    ...{ name, state: stateOf(name, taken.length), connected: !isAway, partitions: ["batch", "short"] },
    reason: isAway ? "Not responding" : name === DRAINED ? "new power supply at noon" : "",
    inventory: {
      ...{ hostname: name, cpus: GPUS_A_NODE * CPUS_A_GPU, memoryMiB: NODE_MEMORY_MIB, gpuProvider: "fake" },
      ...{ gpuProblem: null, bootId: "", os: "linux", arch: "x64", features: [], version: "" },
      gpus: Array.from({ length: GPUS_A_NODE }, (_v, index) => {
        return { index, uuid: `GPU-${at}-${index}`, model: "H100", type: "h100", memoryMiB: MEMORY_MIB };
      }),
    },
    usage: {
      cpus: taken.length * CPUS_A_GPU,
      memoryMiB: 0,
      gpus: Object.fromEntries(taken.map((index) => [index, 1000])),
    },
    ...{ flags: [], reasonAt: 0, reasonBy: "", weight: 1, comment: "", extra: "", features: [], activeFeatures: [] },
    ...{ startedAt: 0, lastBusyAt: 0 },
    ...closedOf(name),
    ...(isAway ? {} : { vitals: vitalsOf(name, at, holder, nowMs) }),
  };
}

function stateOf(name: string, taken: number): string {
  if (name === AWAY) return "DOWN";
  if (name === DRAINED) return taken > 0 ? "DRAINING" : "DRAINED";
  if (taken === 0) return "IDLE";
  return taken === GPUS_A_NODE ? "ALLOCATED" : "MIXED";
}

function closedOf(name: string): Pick<NodeRow, "closedGpus" | "pausedGpus"> {
  if (name === STRANGERS.node) return { closedGpus: { [STRANGERS.index]: STRANGERS.why } };
  if (name !== PAUSED.node) return {};
  return {
    closedGpus: { [PAUSED.index]: `paused: ${PAUSED.why}` },
    pausedGpus: { [PAUSED.index]: PAUSED.why },
  };
}

function vitalsOf(name: string, at: number, holder: ReadonlyMap<string, Row>, nowMs: number): NodeRow["vitals"] {
  const gpus = Array.from({ length: GPUS_A_NODE }, (_, index) => {
    const row = holder.get(String(index));
    const isStrange = name === STRANGERS.node && String(index) === STRANGERS.index;
    const percent = row ? busyPercent(row, index, nowMs) : isStrange ? 90 + (Math.floor(nowMs / 5000) % 9) : 0;
    const share = row ? 15 + hash(row.id, 1) * 0.8 : isStrange ? 31 : 0;
    return {
      ...{ index, utilisationPercent: percent, memoryUsedMiB: Math.round((share / 100) * MEMORY_MIB) },
      ...{ temperatureC: 30 + Math.round(percent / 2), powerW: 70 + 5 * percent },
      strangers: isStrange ? [{ pid: 4711, memoryMiB: 25_000, program: "python" }] : [],
      ...{ strangersMemoryMiB: isStrange ? 25_000 : 0, strangersPercent: isStrange ? percent : 0 },
    };
  });
  const vitals = {
    ...{ loadCenti: holder.size * CPUS_A_GPU * 80, freeMemoryMiB: NODE_MEMORY_MIB - holder.size * 60_000 },
    ...{ bootAt: 0, sockets: 2, coresPerSocket: 32, threadsPerCore: 1, now: nowMs + at, gpus },
  };
  return vitals;
}

/** Some jobs train hard, some load data between, some sleep. */
function busyPercent({ id }: Row, index: number, nowMs: number): number {
  const kind = hash(id, 0) % 4;
  const beat = Math.floor(nowMs / 5000) + hash(id, index);
  if (kind === 0) return hash(beat, id) % 12;
  if (kind === 1) return (beat % 9 < 6 ? 85 : 20) + (hash(beat, index) % 12);
  return Math.min(100, 78 + (hash(beat, index) % 22));
}
