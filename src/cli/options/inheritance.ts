/**
 * What the components of a heterogeneous job have from those before them, as in Slurm: all but what says how much of
 * which nodes each is to have.
 */

import type { Layer } from "./layers.ts";

/** Options of one component alone. */
const OF_ONE: ReadonlySet<string> = new Set(
  `
  ntasks nodes cpus-per-task ntasks-per-node tasks-per-node ntasks-per-core ntasks-per-socket ntasks-per-gpu
  gpus gpus-per-node gpus-per-socket gpus-per-task gres gres-flags cpus-per-gpu mem-per-cpu mem-per-gpu mem-bind
  gpu-bind cpu-bind gpu-freq tres-per-task tres-bind constraint nodelist nodefile exclusive oversubscribe overcommit contiguous
  partition licenses mincpus tmp threads-per-core cores-per-socket sockets-per-node extra-node-info hint distribution
  use-min-nodes spread-job switches core-spec thread-spec array wrap mail-type mail-user notify
  het-group relative multi-prog exact overlap bcast pty node-gpu-ids allowed-gpus gpu-mem
  `
    .trim()
    .split(/\s+/),
);

/** A layer of what a component has from earlier ones: `own` is what the one before it said, `earlier` what that one had. */
export function inherited(own: Layer | undefined, earlier: Layer | undefined): Layer {
  const values = new Map<string, readonly string[]>(earlier?.values ?? []);
  for (const [long, texts] of own?.values ?? []) {
    if (OF_ONE.has(long)) continue;
    values.delete(long);
    values.set(long, texts);
  }
  return { values, label: (long) => (own?.values.has(long) ? own : earlier)?.label(long) ?? `--${long}` };
}
