/** Settings of what users of root's daemons see of one another, and of who sees to all. */

import { type Key, words } from "./setting.ts";

export interface SecuritySettings {
  /** What users see of one another's: Slurm's PrivateData. */
  readonly privateData: readonly PrivateData[];
  /** Users of this machine who may see to everybody's jobs, and those who may also end mgpu and give out keys. */
  readonly operators: readonly string[];
  readonly administrators: readonly string[];
}

/** Of Slurm's words those that hide something here. */
const PRIVATE_DATA = ["accounts", "jobs", "usage", "users"] as const;

export type PrivateData = (typeof PRIVATE_DATA)[number];

function privateData(text: string): readonly PrivateData[] | undefined {
  const all = words(text.toLowerCase());
  if (all?.includes("all")) return PRIVATE_DATA;
  const known = all?.filter((one): one is PrivateData => (PRIVATE_DATA as readonly string[]).includes(one));
  return known?.length === all?.length ? known : undefined;
}

export const SECURITY_SETTINGS: { readonly [K in keyof SecuritySettings]: Key<SecuritySettings[K]> } = {
  privateData: {
    key: "security.private_data",
    about: "what is hidden from users whose it is not, and who are no operators (Slurm's PrivateData)",
    isLive: true,
    variable: "MGPU_PRIVATE_DATA",
    fallback: [],
    parse: privateData,
    expected: `some of ${PRIVATE_DATA.join(", ")}, or all`,
  },
  operators: {
    key: "security.operators",
    about: "users of the controller's machine who may see to everybody's jobs, nodes and partitions",
    isLive: true,
    variable: "MGPU_OPERATORS",
    fallback: [],
    parse: words,
    expected: "names of users",
  },
  administrators: {
    key: "security.administrators",
    about: "users of the controller's machine who may do all that root may, keys and mgpu down included",
    isLive: true,
    variable: "MGPU_ADMINISTRATORS",
    fallback: [],
    parse: words,
    expected: "names of users",
  },
};
