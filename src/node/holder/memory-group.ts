/** Steps in control groups: what the kernel did there when memory ran out. */

import { announceOutOfMemory } from "./notices.ts";
import type { HolderPorts } from "./ports.ts";
import type { Step } from "./step.ts";

type Ports = Parameters<typeof announceOutOfMemory>[0] & Pick<HolderPorts, "groupUse">;

/** Whether the kernel ended processes of a step for its memory, or its job's. */
export function hasKernelKilled({ groupUse }: Pick<HolderPorts, "groupUse">, { memory }: Step): boolean {
  return memory?.group !== undefined && (groupUse(memory.group)?.kills ?? 0) > 0;
}

/** A step is over: notes, and says in its output, that the kernel ended it for its memory, if that is so. Never rejects. */
export async function noteKernelKill(ports: Ports, step: Step): Promise<void> {
  if (step.outOfMemory || !hasKernelKilled(ports, step)) return;
  step.outOfMemory = true;
  ports.log.warn("the kernel ended a step for its memory", { step: step.name, ...step.memory });
  await announceOutOfMemory(ports, step, limitText(ports, step));
}

/** `It reached its limit of 100 MiB of memory.` */
export function limitText({ groupUse }: Pick<HolderPorts, "groupUse">, { memory }: Step): string {
  const { stepMiB = 0, jobMiB = 0, group = "" } = memory ?? {};
  const { peakMiB = 0 } = groupUse(group) ?? {};
  const isOwn = stepMiB > 0 && (jobMiB === 0 || stepMiB < jobMiB || peakMiB >= stepMiB);
  return isOwn
    ? `It reached its limit of ${stepMiB} MiB of memory.`
    : `Its job reached its limit of ${jobMiB} MiB of memory on this node.`;
}
