/** Which engine runs the cluster that commands speak to: mgpu's own, or Slurm's. Said, never guessed. */

import { BACKEND_VARIABLE, isBackend } from "./backends.ts";
import { type ConfigReader, loadConfig } from "./load.ts";
import type { Environment } from "./places.ts";

/** What the configuration file says of it, and where: `FILE:LINE:COLUMN`; `null` for nothing. */
export function configuredBackend(
  environment: Environment,
  files: ConfigReader,
  hostname: string,
): { readonly backend: string; readonly place: string } | { readonly problems: readonly string[] } | null {
  const found = loadConfig(environment, files, { name: "", hostname });
  if ("problems" in found) return found;
  const { texts, places } = found.file;
  const backend = texts[BACKEND_VARIABLE];
  if (backend === undefined || !isBackend(backend)) return null;
  return { backend, place: places[BACKEND_VARIABLE] ?? found.path ?? "" };
}
