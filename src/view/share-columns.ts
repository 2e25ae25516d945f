/** The columns of sshare. Names and widths are Slurm's. */

import type { Association } from "../core/policy/records.ts";
import { formatTres } from "../core/policy/words.ts";
import type { ShareRow } from "../protocol/policy-schemas.ts";
import type { AccountColumn } from "./account-table.ts";

/** An association with its share. */
export interface Share {
  readonly association: Association;
  readonly share: ShareRow;
  readonly depth: number;
  readonly cluster: string;
}

const of = (header: string, width: number, text: (row: Share) => string): AccountColumn<Share> => {
  return { header, width, text };
};

const isRoot = ({ association }: Share): boolean => association.user === "" && association.parent === "";

/** A column of TRES minutes; those that Slurm always shows are there even if they are 0. */
const minutes = (header: string, seconds: (row: Share) => Readonly<Record<string, number>>): AccountColumn<Share> =>
  of(header, 30, (row) => {
    const all = { cpu: 0, mem: 0, node: 0, billing: 0, "gres/gpu": 0, ...seconds(row) };
    return Object.entries(all)
      .filter(([name]) => name !== "wall")
      .map(([name, value]) => `${name}=${Math.floor(value / 60)}`)
      .join(",");
  });

/** An account without the indent of the tree. */
export const FLAT_ACCOUNT: AccountColumn<Share> = {
  ...{ header: "Account", width: 20, isLeft: true },
  text: ({ association }) => association.account,
};

export const SHARE_COLUMNS: Readonly<Record<string, AccountColumn<Share>>> = {
  account: { ...FLAT_ACCOUNT, text: ({ association, depth }) => " ".repeat(depth) + association.account },
  cluster: of("Cluster", 10, ({ cluster }) => cluster),
  effectvusage: of("EffectvUsage", 13, ({ share }) => share.effectiveUsage.toFixed(6)),
  fairshare: of("FairShare", 10, ({ share }) => (share.factor === null ? "" : share.factor.toFixed(6))),
  grptresmins: of("GrpTRESMins", 30, ({ association }) => formatTres(association.limits.grpTresMins)),
  grptresraw: minutes("GrpTRESRaw", ({ share }) => share.seconds),
  id: of("ID", 6, ({ association }) => String(association.id)),
  levelfs: of("LevelFS", 10, (row) => (isRoot(row) ? "" : (row.share.levelFs?.toFixed(6) ?? "inf"))),
  normshares: of("NormShares", 11, ({ share }) => share.normShares.toFixed(6)),
  normusage: of("NormUsage", 11, (row) => (isRoot(row) ? "" : row.share.normUsage.toFixed(6))),
  partition: of("Partition", 12, ({ association }) => association.partition),
  rawshares: of("RawShares", 10, (row) => (isRoot(row) ? "" : String(row.association.shares))),
  rawusage: of("RawUsage", 11, ({ share }) => String(Math.floor(share.rawUsage))),
  tresrunmins: minutes("TRESRunMins", ({ share }) => share.pledged),
  user: of("User", 10, ({ association }) => association.user),
};

/** Names for --helpformat. */
export const SHARE_NAMES: readonly string[] = Object.values(SHARE_COLUMNS).map(({ header }) => header);

/** The columns of sshare without -o. */
export function shareFormat(isLong: boolean, hasPartition: boolean): string[] {
  const partition = hasPartition ? ["partition"] : [];
  const head = ["account", "user", ...partition, "rawshares", "normshares", "rawusage"];
  if (!isLong) return [...head, "effectvusage", "fairshare"];
  return [...head, "normusage", "effectvusage", "fairshare", "levelfs", "grptresmins", "tresrunmins"];
}
