/** What is known of each GPU: who holds it, how busy it is and was, why it gets no new jobs. Pure. */

import type { NodeRow } from "../protocol/procedures.ts";
import type { Row } from "./rows.ts";
import type { Role } from "./text.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwyz";

/** Of jobs that come after the last letter. */
export const NO_LETTER = "+";

/** Colours in turn, so that neighbours differ; the letters alone say who it is. */
const ROLES: readonly Role[] = ["accent", "good", "warn", "mark", "bad"];

/** Signs of GPUs that no single job holds. */
export const SIGNS = { free: ".", shared: "%", paused: "=", blocked: "!", away: "x" } as const;

/** Numbers of the past that are kept of each GPU: some minutes. */
const SAMPLES_MAX = 120;

export type Gpu = NodeRow["inventory"]["gpus"][number];

type Use = NonNullable<NonNullable<NodeRow["vitals"]>["gpus"]>[number];

function usesOf(vitals: NodeRow["vitals"]): readonly Use[] {
  return vitals?.gpus ?? [];
}

/** Percent of the time that a GPU was busy, oldest first, by `node:index`; -1 where the driver does not say. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/** Who holds GPUs of a node: jobs by index of the GPU. */
export type Held = ReadonlyMap<number, readonly number[]>;

export interface Holders {
  readonly byNode: ReadonlyMap<string, Held>;
  /** By job. */
  readonly letters: ReadonlyMap<number, { readonly letter: string; readonly role: Role }>;
}

let latest: { readonly jobs: object; readonly nodes: object; readonly holders: Holders } | null = null;

/** Letters go to jobs by their number, so that they stay while others come and go. */
export function holdersOf(jobs: ReadonlyMap<number, Row>, nodes: readonly NodeRow[]): Holders {
  // A screen is drawn more often than jobs or nodes change.
  if (latest?.jobs !== jobs || latest.nodes !== nodes) latest = { jobs, nodes, holders: findHolders(jobs, nodes) };
  return latest.holders;
}

function findHolders(jobs: ReadonlyMap<number, Row>, nodes: readonly NodeRow[]): Holders {
  const byNode = new Map<string, Map<number, number[]>>(nodes.map(({ name }) => [name, new Map()]));
  const letters = new Map<number, { letter: string; role: Role }>();
  const holding = [...jobs.values()].filter(({ gpuIds, endAt }) => gpuIds !== "" && endAt === null);
  for (const { id, gpuIds } of holding.sort((a, b) => a.id - b.id)) {
    for (const { node, indices } of sharesOf(gpuIds)) {
      const held = byNode.get(node);
      for (const index of held ? indices : []) held?.set(index, [...(held.get(index) ?? []), id]);
    }
    const place = letters.size;
    letters.set(id, { letter: LETTERS[place] ?? NO_LETTER, role: ROLES[place % ROLES.length] ?? "plain" });
  }
  return { byNode, letters };
}

/** `n1:0,2;n2:1`, as rows of jobs have it. */
function sharesOf(gpuIds: string): { node: string; indices: number[] }[] {
  return gpuIds.split(";").map((share) => {
    const at = share.lastIndexOf(":");
    const indices = share.slice(at + 1).split(",");
    return { node: share.slice(0, at), indices: indices.map(Number) };
  });
}

/** How busy a GPU is, as its node told last; `undefined` where that is not known. Of a MIG instance its GPU's. */
export function useOf({ vitals, connected }: NodeRow, index: number): Use | undefined {
  const physical = index < 100 ? index : Math.floor(index / 100) - 1;
  return connected ? usesOf(vitals).find((one) => one.index === physical) : undefined;
}

/** Why a GPU gets no new jobs, with the sign of that; `null` for one that does. */
export function closedAs(node: NodeRow, index: number): { readonly sign: string; readonly why: string } | null {
  const why = node.closedGpus?.[index];
  if (why === undefined) return null;
  return { sign: node.pausedGpus?.[index] === undefined ? SIGNS.blocked : SIGNS.paused, why };
}

/** Share of a GPU's memory that is used, 0 to 100. */
export function memoryPercent(gpu: Gpu, use: Use | undefined): number | null {
  if (use?.memoryUsedMiB === null || use === undefined || gpu.memoryMiB === 0) return null;
  return Math.min(100, (100 * use.memoryUsedMiB) / gpu.memoryMiB);
}

/** With what nodes told since; a node that says nothing new adds nothing. */
export function addSamples(samples: Samples, before: ReadonlyMap<string, NodeRow>, nodes: readonly NodeRow[]): Samples {
  const told = nodes.filter(
    ({ name, vitals }) => usesOf(vitals).length > 0 && !isSame(before.get(name)?.vitals, vitals),
  );
  if (told.length === 0) return samples;
  const next = new Map(samples);
  for (const { name, vitals } of told) {
    for (const { index, utilisationPercent } of usesOf(vitals)) {
      const key = `${name}:${index}`;
      next.set(key, [...(next.get(key) ?? []).slice(1 - SAMPLES_MAX), utilisationPercent ?? -1]);
    }
  }
  return next;
}

function isSame(before: NodeRow["vitals"], now: NodeRow["vitals"]): boolean {
  return before?.now !== undefined && before.now === now?.now;
}
