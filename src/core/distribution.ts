/**
 * `--distribution`: how tasks are dealt to nodes, and a node's CPUs to tasks over sockets and cores, e.g.
 * `cyclic:block,Pack`. Source: Slurm's manual of srun.
 */

import { expected, type Parsed } from "./parse.ts";

/** How CPUs are dealt out over sockets or cores; `null` for the default (`*`). */
export type CpuDistribution = "block" | "cyclic" | "fcyclic" | null;

export interface Distribution {
  /** Tasks over nodes; `null` for the default (`*`). */
  readonly tasks: "block" | "cyclic" | "arbitrary" | { readonly plane: number } | null;
  readonly sockets: CpuDistribution;
  readonly cores: CpuDistribution;
  /** `Pack` or `NoPack`; `null` when neither was said. */
  readonly pack: boolean | null;
}

/** Largest size of a plane: more tasks than a step has. */
const PLANE_MAX = 1_000_000;

const WHAT = "block, cyclic, arbitrary, plane=size or *, with :block, :cyclic, :fcyclic or :* at most twice";

/**
 * Reads `tasks[:sockets[:cores]][,Pack|NoPack]`.
 * @param planeSize the size for `plane` alone (SLURM_DIST_PLANESIZE)
 */
export function parseDistribution(text: string, planeSize: number | null = null): Parsed<Distribution> {
  const match = /^([^:,]{1,20})(?::([^:,]{1,10}))?(?::([^:,]{1,10}))?(?:,(no)?pack)?$/i.exec(text);
  if (!match) return expected(WHAT, text);
  const [, first = "", second, third, no] = match;
  const tasks = parseTasks(first.toLowerCase(), planeSize);
  if ("problem" in tasks) return tasks.problem === "" ? expected(WHAT, text) : tasks;
  const sockets = cpuDistribution(second);
  const cores = cpuDistribution(third);
  if (sockets === undefined || cores === undefined) return expected(WHAT, text);
  if (isPlane(tasks.value) && (second ?? third) !== undefined)
    return expected("plane=size without anything else", text);
  const pack = /pack$/i.test(text) ? no === undefined : null;
  return { value: { tasks: tasks.value, sockets, cores, pack } };
}

/** The inverse of {@link parseDistribution}: `cyclic:block,Pack`, `plane=4`, `*`. */
export function formatDistribution({ tasks, sockets, cores, pack }: Distribution): string {
  const first = tasks === null ? "*" : typeof tasks === "string" ? tasks : `plane=${tasks.plane}`;
  const third = cores === null ? "" : `:${cores}`;
  const second = sockets === null && third === "" ? "" : `:${sockets ?? "*"}`;
  return `${first}${second}${third}${pack === null ? "" : pack ? ",Pack" : ",NoPack"}`;
}

function isPlane(tasks: Distribution["tasks"]): boolean {
  return tasks !== null && typeof tasks !== "string";
}

/** The first word; an empty problem for a word that there is not. */
function parseTasks(word: string, planeSize: number | null): Parsed<Distribution["tasks"]> {
  if (word === "*") return { value: null };
  if (word === "block" || word === "cyclic" || word === "arbitrary") return { value: word };
  const [, size] = /^plane(?:=(\d{1,9}))?$/.exec(word) ?? [null, undefined];
  if (!word.startsWith("plane") || (size === undefined && word !== "plane")) return { problem: "" };
  const plane = size === undefined ? planeSize : Number(size);
  if (plane === null) return { problem: 'expected a size such as plane=4, got "plane"' };
  return plane >= 1 && plane <= PLANE_MAX ? { value: { plane } } : expected("a plane of at least 1 task", word);
}

function cpuDistribution(word: string | undefined): CpuDistribution | undefined {
  const name = word?.toLowerCase() ?? "*";
  if (name === "*") return null;
  return name === "block" || name === "cyclic" || name === "fcyclic" ? name : undefined;
}
