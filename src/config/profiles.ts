/**
 * Clusters that a user has keys for, or uses through Slurm's commands: `~/.config/mgpu/clusters.json` ($XDG_CONFIG_HOME), mode 0600.
 *
 *   {"default": "lab", "clusters": {"lab": {"target": "gpu0:7411", "identity": "user/ada/1", "key": "..."},
 *                                       "centre": {"backend": "slurm", "conf": "/etc/slurm/slurm.conf"}}}
 *
 * `default` is the cluster that commands speak to; without it, mgpu on this machine.
 */

import type { Environment } from "./places.ts";

export type Profile = KeyProfile | SlurmProfile;

/** A cluster of Slurm's. */
export interface SlurmProfile {
  readonly backend: "slurm";
  /** Path of its slurm.conf; absent for what SLURM_CONF or the machine says. */
  readonly conf?: string;
  /** Folder of its commands; absent for those along PATH. */
  readonly bin?: string;
}

/** A cluster of mgpu's on other machines. */
export interface KeyProfile {
  /** `host:port` */
  readonly target: string;
  readonly identity: string;
  readonly key: string;
}

export interface Profiles {
  readonly default: string | null;
  readonly clusters: Readonly<Record<string, Profile>>;
}

export const NO_PROFILES: Profiles = { default: null, clusters: {} };

/** The file's path, and its folder's. */
export function profilesFile(env: Environment): { readonly folder: string; readonly path: string } {
  const config = env.XDG_CONFIG_HOME?.startsWith("/") ? env.XDG_CONFIG_HOME : `${env.HOME ?? "/root"}/.config`;
  return { folder: `${config}/mgpu`, path: `${config}/mgpu/clusters.json` };
}

/** The file's text. */
export function formatProfiles(profiles: Profiles): string {
  return `${JSON.stringify(profiles, null, 1)}\n`;
}

/** What the file's text says; `null` if it is none of ours. */
export function parseProfiles(text: string): Profiles | null {
  try {
    const value = JSON.parse(text) as Partial<Profiles> | null;
    const clusters: Record<string, Profile> = {};
    for (const [name, one] of Object.entries(value?.clusters ?? {})) {
      const slurm = slurmProfile(one);
      if (slurm) clusters[name] = slurm;
      if (slurm) continue;
      const { target, identity, key } = one as Partial<KeyProfile>;
      if (typeof target !== "string" || typeof identity !== "string" || typeof key !== "string") return null;
      clusters[name] = { target, identity, key };
    }
    const named = value?.default;
    return { default: typeof named === "string" && Object.hasOwn(clusters, named) ? named : null, clusters };
  } catch {
    return null;
  }
}

/** Whether a profile is of a cluster of Slurm's. */
export function isSlurmProfile(profile: Profile): profile is SlurmProfile {
  return "backend" in profile;
}

function slurmProfile(value: unknown): SlurmProfile | null {
  const { backend, conf, bin } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (backend !== "slurm") return null;
  const texts = { ...(typeof conf === "string" ? { conf } : {}), ...(typeof bin === "string" ? { bin } : {}) };
  return { backend, ...texts };
}
