/** Licenses: what the settings name, and what a job may ask for. */

import type { ConfigureLicenses } from "../commands.ts";
import type { JobSpec } from "../jobspec.ts";
import { formatLicenses, licensesOf } from "../licenses.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, ignore, type Refusal } from "./decision.ts";

/** Takes over what the settings name. */
export function decideConfigureLicenses(state: ClusterState, { licenses }: ConfigureLicenses): Decision {
  const same = formatLicenses(licenses) === formatLicenses(licensesOf(state.licenses));
  return same ? ignore("the licenses are as before") : accept({ type: "licenses.set", licenses });
}

/** A license that there is not, or of which there never are as many; `null` for none. */
export function licenseProblem({ licenses }: ClusterState, wishes: JobSpec["licenses"]): Refusal | null {
  for (const { name, count } of wishes) {
    const total = licenses.get(name);
    if (total !== undefined && count <= total) continue;
    const known = formatLicenses(licensesOf(licenses));
    const here = licenses.size === 0 ? "none are configured (MGPU_LICENSES=a:10,b:2)" : `there are ${known}`;
    return deny("INVALID_LICENSES", "Invalid license specification", `asked for ${name}:${count}, but ${here}`);
  }
  return null;
}
