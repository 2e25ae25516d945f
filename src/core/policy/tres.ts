/** Amounts of trackable resources: what jobs ask for and hold. */

import { type Allocation, type GpuRequest, gpuThousandths, type ResourceRequest, WHOLE_GPU } from "../resources.ts";
import type { Tres } from "./records.ts";

/** What an allocation holds. `billing` is counted by weights. */
export function tresOf(allocation: Allocation, billingWeights: Tres): Tres {
  const tres: Record<string, number> = { cpu: 0, mem: 0, node: allocation.length };
  for (const share of allocation) {
    tres.cpu = (tres.cpu ?? 0) + share.cpus;
    tres.mem = (tres.mem ?? 0) + share.memoryMiB;
    for (const { type, thousandths } of share.gpus) add(tres, `gres/gpu:${type}`, thousandths / WHOLE_GPU);
  }
  const gpus = gpuThousandths(allocation);
  if (gpus > 0) tres["gres/gpu"] = gpus / WHOLE_GPU;
  tres.billing = billingOf(tres, billingWeights);
  return tres;
}

/** What a job asks for at least, as far as it is known before it has nodes. */
export function wishedTres(request: ResourceRequest, billingWeights: Tres): Tres {
  const nodes = request.nodes?.min ?? 1;
  const tasks = request.tasks ?? nodes * (request.tasksPerNode || 1);
  const cpus = request.overcommit ? nodes : Math.max(nodes, tasks * (request.cpusPerTask ?? 1));
  const tres: Record<string, number> = { cpu: cpus, mem: 0, node: nodes };
  addGpus(tres, request.gpus, nodes, tasks);
  for (const { indices } of request.gpuIds) add(tres, "gres/gpu", indices.length);
  const { memory } = request;
  const units = { node: nodes, cpu: cpus, gpu: tres["gres/gpu"] ?? 0 };
  if (memory) tres.mem = memory.mib * units[memory.per];
  tres.billing = billingOf(tres, billingWeights);
  return tres;
}

/** `billing` of some amounts: Slurm's TRESBillingWeights, summed. */
function billingOf(tres: Tres, weights: Tres): number {
  let sum = 0;
  for (const [name, weight] of Object.entries(weights)) sum += (tres[name] ?? 0) * weight;
  return sum;
}

/** One TRES list times a factor. */
export function scaleTres(tres: Tres, factor: number): Tres {
  return Object.fromEntries(Object.entries(tres).map(([name, amount]) => [name, amount * factor]));
}

/** Sum of two lists; amounts of nothing are left out. */
export function addTres(one: Tres, other: Tres, factor = 1): Tres {
  const sum: Record<string, number> = { ...one };
  for (const [name, amount] of Object.entries(other)) {
    const total = (sum[name] ?? 0) + amount * factor;
    // Sums of fractions of GPUs must come back to nothing.
    if (Math.abs(total) < 1e-9) delete sum[name];
    else sum[name] = total;
  }
  return sum;
}

function addGpus(tres: Record<string, number>, gpus: GpuRequest | null, nodes: number, tasks: number): void {
  if (!gpus) return;
  const factor = { job: 1, node: nodes, task: tasks }[gpus.per];
  for (const { type, thousandths } of gpus.wishes) {
    const amount = (thousandths / WHOLE_GPU) * factor;
    add(tres, "gres/gpu", amount);
    if (type !== null) add(tres, `gres/gpu:${type.toLowerCase()}`, amount);
  }
}

/** Pieces of GPUs are whole thousandths: sums of them have no crumbs. */
function add(tres: Record<string, number>, name: string, amount: number): void {
  tres[name] = Math.round(((tres[name] ?? 0) + amount) * WHOLE_GPU) / WHOLE_GPU;
}
