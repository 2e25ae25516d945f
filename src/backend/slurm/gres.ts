/** GPUs in Slurm's words: GRES of jobs and nodes, TRES of requests. Pure. */

import { parseGresWishes } from "../../core/gres.ts";
import { type GpuGrant, type GpuRequest, WHOLE_GPU } from "../../core/resources.ts";
import { type Json, textOf } from "./values.ts";

/** What GPUs are called of which Slurm knows no type. */
export const ANY_TYPE = "gpu";

/** Most numbers that a range of Slurm's may stand for. */
const INDICES_MAX = 4096;

/** The count of a kind in `cpu=4,mem=2G,gres/gpu=2`; that of its types where there is none. 0 for none. */
export function tresCount(tres: string, kind: string): number {
  const members = tres.split(",").map((member) => /^(.*)=(\d+)$/.exec(member));
  const of = (isMeant: (name: string) => boolean): number =>
    members.reduce((sum, match) => (match && isMeant(match[1] ?? "") ? sum + Number(match[2]) : sum), 0);
  return of((name) => name === kind) || of((name) => name.startsWith(`${kind}:`));
}

/** GPUs that a job holds on one node: `gpu:a100:2(IDX:0-1),shard:a100:4(...)`. */
export function gpusOfDetail(detail: string): GpuGrant[] {
  return [...detail.matchAll(/(?:^|,)(?:gres[/:])?gpu(?::([^:(,]+))?:(\d+)\(IDX:([^)]*)\)/g)].flatMap(
    ([, type, , list]) =>
      indicesOf(list ?? "").map((index) => {
        return { index, uuid: `gpu${index}`, type: type ?? ANY_TYPE, thousandths: WHOLE_GPU };
      }),
  );
}

/** `0-1,3`: the numbers; none of a text that is no such list. */
export function indicesOf(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) return [];
    const count = Math.min(INDICES_MAX, Number(last) - Number(first) + 1);
    return Array.from({ length: Math.max(0, count) }, (_, at) => Number(first) + at);
  });
}

/** What a job asks for: for the whole of it, each node or each task. */
export function gpuWishes(json: Json): GpuRequest | null {
  for (const per of ["job", "node", "task"] as const) {
    const text = textOf(json[`tres_per_${per}`]);
    const members = text
      .split(",")
      .filter((member) => /^(gres[/:])?gpu\b/.test(member))
      .map((member) => member.replace(/=(\d+)$/, ":$1"));
    const wishes = members.length === 0 ? null : parseGresWishes(members.join(","));
    if (wishes && "value" in wishes && wishes.value.length > 0) return { per, wishes: wishes.value };
  }
  return null;
}

/** A kind of GRES of a node: `gpu:a100:4(S:0-1),shard:16` by kind and type. */
export interface GresCount {
  readonly kind: string;
  readonly type: string | null;
  readonly count: number;
  /** `0-1` of what is used; empty where it is not said. */
  readonly indices: string;
}

/** Reads a node's `Gres` or `GresUsed`. */
export function nodeGres(text: string): GresCount[] {
  const members = text.match(/[^,(]+(?:\([^)]*\)[^,(]*)*/g) ?? [];
  return members.flatMap((member) => {
    // An untyped one that is in use is shown with the type `(null)`.
    const [, kind, type, digits, index] =
      /^([^:]+)(?::(\(null\)|[^:(]+))??:(\d+)[KMG]?(?:\([^)]*?IDX:([^)]*)\)|\(.*\))?$/.exec(member.trim()) ?? [];
    if (kind === undefined) return [];
    const indices = index === undefined || index === "N/A" ? "" : index;
    return [{ kind, type: type === undefined || type === "(null)" ? null : type, count: Number(digits), indices }];
  });
}
