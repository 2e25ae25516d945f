/** What an import has to tell, and where in Slurm's files it stands. */

export interface Note {
  /** `slurm.conf:12` */
  readonly place: string;
  /** `TaskPlugin=task/cgroup` */
  readonly what: string;
  /**
   * - `left out`: mgpu has no such thing
   * - `not needed`: it holds anyway, or concerns only Slurm's own programs
   * - `changed`: it was taken over as something else
   */
  readonly kind: "left out" | "not needed" | "changed";
  readonly why: string;
}

/** Collects while files are read. */
export interface Notes {
  readonly notes: Note[];
  /** Each with its place. */
  readonly problems: string[];
}

/** A line for people. */
export function noteText({ place, what, kind, why }: Note): string {
  return `${place}: ${what}: ${kind}: ${why}`;
}
