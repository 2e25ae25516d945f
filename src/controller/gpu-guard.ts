/**
 * GPUs that processes of others load: above the thresholds they get no new jobs, until the others let go. What our own
 * jobs do never counts. Kept beside the connections, never on disk: a node tells again with each sign of life.
 */

import type { Settings } from "../config/settings.ts";
import type { NodeName } from "../core/ids.ts";
import { type Node, withClosedGpus, withoutOthersMemory } from "../core/node.ts";
import type { Gpu } from "../core/resources.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { GpuUse } from "../protocol/records.ts";

/** Most looks that are kept of a node: a window of an hour at five seconds each. */
const LOOKS_MAX = 720;

/** Processes that a reason names. */
const NAMED_MAX = 3;

/** Why GPUs get no new jobs, by index. */
type Reasons = Readonly<Record<string, string>>;

interface Look {
  readonly at: number;
  /** By physical GPU. */
  readonly percents: ReadonlyMap<number, number>;
}

interface Watched {
  looks: Look[];
  blocked: Reasons;
  /** MiB that others use, by index; absent where it is next to nothing everywhere. */
  others: Readonly<Record<string, number>> | undefined;
  /** The node as it was seen last, with what was seen. */
  seen?: { readonly node: Node; readonly copy: Node };
}

/** What others use of a GPU's memory counts in steps: whoever draws a screen or looks at a GPU is no user of it. */
const STEP_MIB = 256;

export interface GpuGuardPorts {
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Log;
  readonly settings: Pick<Settings, "gpuMemoryThreshold" | "gpuLoadThreshold" | "gpuWindowS">;
  /** Other GPUs than before are blocked, or others use more or less of one. */
  readonly onChange: () => void;
}

export class GpuGuard {
  private readonly ports: GpuGuardPorts;
  private readonly nodes = new Map<NodeName, Watched>();

  constructor(ports: GpuGuardPorts) {
    this.ports = ports;
  }

  /** Takes in how a node's GPUs are doing now. */
  note(node: NodeName, gpus: readonly Gpu[], uses: readonly GpuUse[]): void {
    const { clock, log, settings, onChange } = this.ports;
    const at = clock.monotonic();
    const before = this.nodes.get(node) ?? { looks: [], blocked: {}, others: undefined };
    const look = { at, percents: new Map(uses.map(({ index, strangersPercent }) => [index, strangersPercent])) };
    const looks = [...before.looks, look].filter((one) => at - one.at < settings.gpuWindowS * 1000).slice(-LOOKS_MAX);
    const blocked = this.judge(gpus, uses, looks);
    const others = othersOf(gpus, uses);
    const isSame = JSON.stringify([before.blocked, before.others]) === JSON.stringify([blocked, others]);
    this.nodes.set(node, { looks, blocked, others, ...(isSame && before.seen ? { seen: before.seen } : {}) });
    const [were, are] = [Object.keys(before.blocked), Object.keys(blocked)];
    for (const gpu of are.filter((index) => !were.includes(index))) {
      log.warn("a GPU gets no new jobs", { node, gpu: Number(gpu), cause: blocked[gpu] });
    }
    for (const gpu of were.filter((index) => !are.includes(index))) {
      log.info("a GPU gets jobs again: others have let go of it", { node, gpu: Number(gpu) });
    }
    if (were.join() !== are.join() || JSON.stringify(before.others) !== JSON.stringify(others)) onChange();
  }

  /** Those of a node; nothing of one that never told, or whose GPUs are all well. */
  blockedOn(node: NodeName): Reasons | undefined {
    const blocked = this.nodes.get(node)?.blocked ?? {};
    return Object.keys(blocked).length === 0 ? undefined : blocked;
  }

  /** A node as placement sees it: without closed GPUs, and without the memory of GPUs that others use. */
  seenBy(node: Node): Node {
    const watched = this.nodes.get(node.name);
    if (watched?.seen?.node === node) return watched.seen.copy;
    const copy = withClosedGpus(withoutOthersMemory(node, watched?.others), this.blockedOn(node.name));
    if (watched) watched.seen = { node, copy };
    return copy;
  }

  private judge(gpus: readonly Gpu[], uses: readonly GpuUse[], looks: readonly Look[]): Reasons {
    const blocked: Record<string, string> = {};
    const byIndex = new Map(uses.map((use) => [use.index, use]));
    for (const { index, memoryMiB } of gpus) {
      // A MIG instance is as loaded as its GPU, whose memory is not its own.
      const isInstance = index >= 100;
      const use = byIndex.get(isInstance ? Math.floor(index / 100) - 1 : index);
      const why = use && (this.loadWhy(use, looks) || (isInstance ? "" : this.memoryWhy(use, memoryMiB)));
      if (why) blocked[index] = why;
    }
    return blocked;
  }

  private memoryWhy(use: GpuUse, memoryMiB: number): string {
    const { gpuMemoryThreshold: limit } = this.ports.settings;
    const { strangersMemoryMiB: used } = use;
    if (memoryMiB === 0 || used <= limit * memoryMiB) return "";
    return `${whoText(use)} use ${used} of its ${memoryMiB} MiB, more than gpu.memory_threshold=${limit}`;
  }

  private loadWhy(use: GpuUse, looks: readonly Look[]): string {
    const { gpuLoadThreshold: limit, gpuWindowS } = this.ports.settings;
    const percents = looks.flatMap(({ percents: all }) => all.get(use.index) ?? []);
    const mean = percents.reduce((sum, one) => sum + one, 0) / Math.max(1, percents.length);
    if (mean <= 100 * limit) return "";
    const text = `${whoText(use)} keep it ${Math.round(mean)}% busy on average over ${gpuWindowS} s`;
    return `${text}, more than gpu.load_threshold=${limit}`;
  }
}

/** MIG instances have a memory of their own, of which the driver says nothing. */
function othersOf(gpus: readonly Gpu[], uses: readonly GpuUse[]): Watched["others"] {
  const known = new Set(gpus.map(({ index }) => index));
  const steps = uses.flatMap(({ index, strangersMemoryMiB: used }): (readonly [string, number])[] => {
    return used >= STEP_MIB && known.has(index) ? [[String(index), Math.ceil(used / STEP_MIB) * STEP_MIB]] : [];
  });
  return steps.length > 0 ? Object.fromEntries(steps) : undefined;
}

/** `processes of others (4711 python, 4712)`. */
function whoText({ strangers }: GpuUse): string {
  if (strangers.length === 0) return "processes of others";
  const names = strangers.slice(0, NAMED_MAX).map(({ pid, program }) => `${pid} ${program}`.trim());
  return `processes of others (${names.join(", ")}${strangers.length > NAMED_MAX ? ", ..." : ""})`;
}
