/** Where the names of a cluster are kept for completions. The scripts find it by the same rule (gen/bash.ts). */

import type { Environment } from "../../../config/places.ts";
import type { CommandContext } from "../../context.ts";

/** A file a cluster, named after the variable that chooses it. */
export function cachePath(env: Environment): string {
  const folder = env.XDG_CACHE_HOME || `${env.HOME ?? ""}/.cache`;
  const cluster = env.MGPU_CONTROLLER || env.MGPU_HOME || "default";
  return `${folder}/mgpu/completion/${cluster.replaceAll("/", "%")}`;
}

/** After a submission the next Tab is to know of it. Whatever stands against that is no matter. */
export function forgetCandidates({ environment, files }: CommandContext): void {
  try {
    files.remove(cachePath(environment));
  } catch {
    // It is only old then.
  }
}
