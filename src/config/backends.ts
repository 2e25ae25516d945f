/** Names of the engines that a cluster may have. A file of its own: every command knows them, few need more. */

export const BACKEND_VARIABLE = "MGPU_BACKEND";

export const BACKENDS = ["mgpu", "slurm"] as const;

export type Backend = (typeof BACKENDS)[number];

/** Whether a text names an engine. */
export function isBackend(text: string): text is Backend {
  return BACKENDS.some((name) => name === text);
}
