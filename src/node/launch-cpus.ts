/**
 * Which CPUs each task of a step is bound to (--cpu-bind). The controller grants numbers of CPUs, not CPUs; a step that
 * asks to be bound gets those of the node that the fewest other bound steps have. Pure.
 */

import { type CpuBind, formatCpuBind } from "../core/cpu-bind.ts";
import type { HostCpu } from "../platform/cpu-topology.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { isBatch, type NodePart } from "./launch-part.ts";

/** CPUs of each task by their numbers, ascending; or why a wish can't be met. */
export type BoundTasks = { readonly tasks: readonly (readonly number[])[] } | { readonly problem: string };

/** How many bound tasks have each CPU already, by its number. */
export type CpuClaims = ReadonlyMap<number, number>;

/**
 * What the tasks of this node's part are bound to; `null` if they are not to be bound.
 * @param cpus those that the node daemon may use
 */
export function bindTasks(
  launch: NodeLaunch,
  { tasks, cpus: granted }: NodePart,
  cpus: readonly HostCpu[],
  claims: CpuClaims,
): BoundTasks | null {
  const { cpuBind } = launch.program;
  if (isBatch(launch) || !cpuBind || cpuBind.kind === null || cpuBind.kind === "none") return null;
  if (cpus.length === 0) return { problem: unable("this machine does not tell which CPUs it has") };
  const perTask = launch.request.cpusPerTask ?? Math.max(1, Math.floor(granted / tasks.length));
  if (cpuBind.list.length > 0) return listed(cpuBind, tasks.length, cpus);
  return { tasks: automatic(cpuBind.kind, { tasks: tasks.length, perTask }, cpus, claims) };
}

/** What a task reports of its binding (--cpu-bind=verbose), as Slurm words it; the task's shell adds its pid and the end. */
export interface CpuReport {
  /** Up to the pid. */
  readonly before: string;
  /** Behind it. */
  readonly after: string;
}

const REPORTED: Readonly<Record<string, string>> = {
  none: "NONE",
  rank: "RANK",
  map_cpu: "MAP ",
  mask_cpu: "MASK",
  rank_ldom: "LDRANK",
  map_ldom: "LDMAP ",
  mask_ldom: "LDMASK",
};

/** The report of one task, if one was asked for. */
export function cpuReport(
  { program: { cpuBind }, key }: NodeLaunch,
  { node, tasks }: NodePart,
  local: number,
  bound: readonly number[] | undefined,
  cpus: readonly HostCpu[],
): CpuReport | null {
  if (!cpuBind?.verbose || key.stepId === "batch") return null;
  const number = (value: number): string => String(value).padStart(2);
  const kind = bound === undefined ? "NONE" : (REPORTED[cpuBind.kind ?? "none"] ?? "MASK");
  const mask = maskOf(bound ?? cpus.map(({ id }) => id));
  const before = `cpu-bind=${kind} - ${node}, task ${number(tasks[local] ?? local)} ${number(local)} [`;
  return { before, after: `]: mask ${mask}${bound === undefined ? "" : " set"}` };
}

/** The variables by which a task knows how it was to be bound. */
export function cpuVariables({ program: { cpuBind } }: NodeLaunch): Record<string, string> {
  if (!cpuBind) return {};
  const report = cpuBind.verbose ? "verbose" : "quiet";
  const type = cpuBind.kind === null ? "" : `${cpuBind.kind}${cpuBind.list.length > 0 ? ":" : ""}`;
  return {
    SLURM_CPU_BIND: formatCpuBind({ ...cpuBind, verbose: cpuBind.verbose ?? false }),
    SLURM_CPU_BIND_VERBOSE: report,
    SLURM_CPU_BIND_TYPE: type,
    SLURM_CPU_BIND_LIST: cpuBind.list.join(","),
  };
}

/** `0x3` of the CPUs 0 and 1. */
function maskOf(ids: readonly number[]): string {
  const mask = ids.reduce((sum, id) => sum | (1n << BigInt(id)), 0n);
  return `0x${mask.toString(16)}`;
}

function unable(why: string): string {
  return `Unable to satisfy cpu bind request: ${why}`;
}

/** A list starts over behind its end. What it names beyond this node's CPUs is refused where nothing else is left. */
function listed({ kind, list }: CpuBind, tasks: number, cpus: readonly HostCpu[]): BoundTasks {
  const isDomain = kind === "map_ldom" || kind === "mask_ldom";
  const isMask = kind === "mask_cpu" || kind === "mask_ldom";
  const bound: number[][] = [];
  for (let local = 0; local < tasks; local++) {
    const member = list[local % list.length] ?? "";
    const isNamed = (place: number): boolean =>
      isMask ? ((BigInt(member) >> BigInt(place)) & 1n) === 1n : Number(member) === place;
    const own = cpus.filter(({ id, domain }) => isNamed(isDomain ? domain : id));
    if (own.length === 0) {
      const what = `${isDomain ? "locality domains" : "CPUs"} ${maskOf(cpus.map((one) => (isDomain ? one.domain : one.id)))}`;
      return { problem: unable(`${kind} names ${member}; this node has the ${what}`) };
    }
    bound.push(sorted(own));
  }
  return { tasks: bound };
}

interface Wanted {
  readonly tasks: number;
  readonly perTask: number;
}

function automatic(
  kind: NonNullable<CpuBind["kind"]>,
  { tasks, perTask }: Wanted,
  cpus: readonly HostCpu[],
  claims: CpuClaims,
): readonly (readonly number[])[] {
  const local = Array.from({ length: tasks }, (_, at) => at);
  if (kind === "rank_ldom") {
    const domains = groups(cpus, ({ domain }) => domain);
    return local.map((at) => sorted(cyclic(domains, at, 1).flat()));
  }
  if (kind === "cores") {
    const cores = leastClaimed(groups(cpus, coreOf), claims);
    const threads = cores.reduce((most, core) => Math.max(most, core.length), 1);
    const perCore = Math.ceil(perTask / threads);
    return local.map((at) => sorted(cyclic(cores, at * perCore, perCore).flat()));
  }
  const own = leastClaimed(
    cpus.map((cpu) => [cpu]),
    claims,
  )
    .flat()
    .slice(0, tasks * perTask);
  if (kind !== "sockets" && kind !== "ldoms") return local.map((at) => sorted(cyclic(own, at * perTask, perTask)));
  const wide = groups(own, kind === "sockets" ? ({ socket }) => socket : ({ domain }) => domain);
  return local.map((at) => sorted(cyclic(wide, at, 1).flat()));
}

function coreOf({ socket, core }: HostCpu): string {
  return `${socket}.${core}`;
}

/** Members with the same key together, in the order in which the keys appear. */
function groups<K>(cpus: readonly HostCpu[], keyOf: (cpu: HostCpu) => K): HostCpu[][] {
  const byKey = new Map<K, HostCpu[]>();
  for (const cpu of cpus) {
    const key = keyOf(cpu);
    byKey.set(key, [...(byKey.get(key) ?? []), cpu]);
  }
  return [...byKey.values()];
}

/** Those that the fewest bound tasks have first; else in the order given. */
function leastClaimed(units: readonly HostCpu[][], claims: CpuClaims): HostCpu[][] {
  const weight = (unit: readonly HostCpu[]): number => unit.reduce((sum, { id }) => sum + (claims.get(id) ?? 0), 0);
  return [...units].sort((a, b) => weight(a) - weight(b));
}

/** So many members from a place on, each once; counting starts over behind the last. */
function cyclic<T>(members: readonly T[], from: number, count: number): T[] {
  return Array.from(
    { length: Math.min(count, members.length) },
    (_, at) => members[(from + at) % members.length],
  ).filter((member) => member !== undefined);
}

function sorted(cpus: readonly HostCpu[]): number[] {
  return cpus.map(({ id }) => id).sort((a, b) => a - b);
}
