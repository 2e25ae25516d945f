/** Where a configuration may lie. A file of its own: every command looks whether there is one, few read it. */

import type { Environment } from "./places.ts";

const NAMES = ["config.yaml", "config.yml", "config.json"];

/** Where a configuration is looked for, the most important place first. */
export function configPlaces(env: Environment): readonly string[] {
  if (env.MGPU_CONFIG) return [env.MGPU_CONFIG];
  const own = env.XDG_CONFIG_HOME?.startsWith("/") ? env.XDG_CONFIG_HOME : env.HOME && `${env.HOME}/.config`;
  return [...(own ? [own] : []), "/etc"].flatMap((folder) => NAMES.map((name) => `${folder}/mgpu/${name}`));
}
