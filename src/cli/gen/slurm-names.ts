/** Slurm's own names of the commands, for shells that reach mgpu by them (mgpu shims). */

/** @param programs `mgpu`, `mgpu-srun` ... */
export function slurmNames(programs: readonly string[]): string[] {
  return programs.filter((name) => name.startsWith("mgpu-s")).map((name) => name.slice("mgpu-".length));
}
