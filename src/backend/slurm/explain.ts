/** Why a job waits at Slurm: its reason in words, what nodes have free, who holds the rest, and when Slurm means to start it. */

import type { Amounts, Explanation, Holder, NodeVerdict } from "../../core/explanation.ts";
import { expand } from "../../core/hostlist.ts";
import { jobLabel } from "../../core/job-label.ts";
import { formatGpus, gpuThousandths, WHOLE_GPU } from "../../core/resources.ts";
import type { JobRow, NodeRow } from "../../protocol/procedures.ts";
import { formatMemory } from "../../view/amounts.ts";
import { isOut } from "../../view/node-states.ts";
import type { SlurmJob } from "./jobs.ts";
import { reasonText } from "./reasons.ts";

/** Nodes and jobs that are told of one by one. */
const TOLD_MAX = 20;

/** Reasons that only time or room takes away. */
const FOR_ROOM = new Set(["Resources", "Priority", "None", "ReqNodeNotAvail", "Licenses"]);

/** What can be told of a waiting job; `null` of one that does not wait. */
export function explain(one: SlurmJob, jobs: readonly SlurmJob[], nodes: readonly NodeRow[]): Explanation | null {
  const { job, row, details } = one;
  if (job.state !== "PENDING") return null;
  const partitions = row.partition.split(",");
  const own = nodes.filter((node) => node.partitions.some((name) => partitions.includes(name)));
  const verdicts = own.map((node) => verdictOf(node, row));
  const holders = jobs.flatMap((other) => holderOf(other, new Set(own.map(({ name }) => name))));
  const ahead = jobs
    .filter((other) => isBefore(other, one, partitions))
    .sort((a, b) => b.row.priority - a.row.priority);
  const why = FOR_ROOM.has(row.reason) ? "Slurm has made no plan for it yet" : "what it waits for has no known end";
  return {
    jobId: job.id,
    label: jobLabel(job),
    reason: row.reason,
    reasonText: row.reasonText || reasonText(row.reason),
    request: requestText(row),
    partition: row.partition,
    nodes: verdicts.slice(0, TOLD_MAX),
    nodesOmitted: Math.max(0, verdicts.length - TOLD_MAX),
    holders: holders.slice(0, TOLD_MAX),
    holdersOmitted: Math.max(0, holders.length - TOLD_MAX),
    place: {
      position: ahead.length + 1,
      of: jobs.filter((other) => other.job.state === "PENDING").length,
      ahead: ahead.slice(0, 5).map((other) => {
        return {
          jobId: other.job.id,
          label: jobLabel(other.job),
          user: other.row.user,
          request: requestText(other.row),
        };
      }),
    },
    forecast: {
      startAt: details.expectedAt,
      nodeList: details.expectedNodes || "nodes of Slurm's choice",
      why: details.expectedAt === null ? why : "",
    },
    changes: [],
    isCut: false,
  };
}

function isBefore({ job, row }: SlurmJob, than: SlurmJob, partitions: readonly string[]): boolean {
  if (job.state !== "PENDING" || job.id === than.job.id) return false;
  return row.priority > than.row.priority && row.partition.split(",").some((name) => partitions.includes(name));
}

/** `2 GPUs, 4 CPUs, 500M on 1 node` */
function requestText({ gpus, cpus, nodes, memoryMiB, memoryPer }: JobRow): string {
  const memory = memoryMiB === 0 ? [] : [`${formatMemory(memoryMiB)}${memoryPer === "node" ? "" : ` a ${memoryPer}`}`];
  const words = [count(gpus / WHOLE_GPU, "GPU"), count(cpus, "CPU"), ...memory].filter(
    (word) => !word.startsWith("0 "),
  );
  return `${words.join(", ")} on ${count(nodes, "node")}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function verdictOf(node: NodeRow, row: JobRow): NodeVerdict {
  const { inventory, usage } = node;
  const types = [...new Set(inventory.gpus.map(({ type }) => type))];
  const gpusOf = (isFree: boolean): Record<string, number> =>
    Object.fromEntries(
      types.map((type) => {
        const all = inventory.gpus.filter(
          (gpu) => gpu.type === type && (!isFree || usage.gpus[gpu.index] === undefined),
        );
        return [type, all.length];
      }),
    );
  const total: Amounts = { gpus: gpusOf(false), cpus: inventory.cpus, memoryMiB: inventory.memoryMiB };
  const free: Amounts = {
    gpus: gpusOf(true),
    cpus: Math.max(0, inventory.cpus - usage.cpus),
    memoryMiB: Math.max(0, inventory.memoryMiB - usage.memoryMiB),
  };
  if (isOut(node)) {
    const lacks = [`${node.state.toLowerCase()}${node.reason === "" ? "" : `: ${node.reason}`}`];
    return { node: node.name, finding: "away", free, total, lacks };
  }
  const wish = {
    gpus: Math.ceil(row.gpus / WHOLE_GPU / row.nodes),
    cpus: Math.ceil(row.cpus / row.nodes),
    memoryMiB: row.memoryPer === "cpu" ? row.memoryMiB * Math.ceil(row.cpus / row.nodes) : row.memoryMiB,
  };
  const isSmall = lacksOf(wish, total).length > 0;
  const lacks = lacksOf(wish, isSmall ? total : free);
  return { node: node.name, finding: isSmall ? "small" : lacks.length > 0 ? "busy" : "free", free, total, lacks };
}

interface Wish {
  readonly gpus: number;
  readonly cpus: number;
  readonly memoryMiB: number;
}

function lacksOf(wish: Wish, has: Amounts): string[] {
  const gpus = Object.values(has.gpus).reduce((sum, one) => sum + one, 0);
  return [
    ...(wish.gpus > gpus ? [`${count(wish.gpus - gpus, "GPU")} more`] : []),
    ...(wish.cpus > has.cpus ? [`${count(wish.cpus - has.cpus, "CPU")} more`] : []),
    ...(wish.memoryMiB > has.memoryMiB ? [`${formatMemory(wish.memoryMiB - has.memoryMiB)} of memory more`] : []),
  ];
}

function holderOf({ job, row }: SlurmJob, nodes: ReadonlySet<string>): Holder[] {
  if (job.state !== "RUNNING") return [];
  if (!(expand(row.nodeList) ?? []).some((name) => nodes.has(name))) return [];
  return [
    {
      ...{ jobId: job.id, label: jobLabel(job), user: row.user, state: row.state, nodeList: row.nodeList },
      gpus: Number(formatGpus(gpuThousandths(job.allocation) || row.gpus)),
      ...{ cpus: row.cpus, memoryMiB: job.allocation.reduce((sum, share) => sum + share.memoryMiB, 0) },
      until: job.limitS === 0 ? null : job.startAt + job.limitS * 1000,
    },
  ];
}
