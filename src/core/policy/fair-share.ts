/**
 * Fair share: Slurm's Fair Tree (its page "Fair Tree Fairshare Algorithm", of R. Cox and L. Morrison).
 *
 * Among the children of an account each has a level share: its part of the shares over its part of the usage. Walking
 * the tree from the root, the highest level share first, users are ranked as they come; a user's factor is the rank
 * over the number of users. Users and accounts with the same level share are ranked as one.
 */

import { type Association, PARENT_SHARES, type Tres } from "./records.ts";
import { associationUsageKey, type PolicyState } from "./state.ts";

/** What fair share knows of an association. */
export interface FairShare {
  /** Part of the shares among its siblings, 0 to 1. */
  readonly normShares: number;
  /** Billing seconds, faded. */
  readonly rawUsage: number;
  /** Part of all usage, 0 to 1. */
  readonly normUsage: number;
  /** Part of the usage among its siblings, 0 to 1. */
  readonly effectiveUsage: number;
  /** Infinity where nothing was used. */
  readonly levelFs: number;
  /** Of a user's: 0 to 1, 1 for the one who comes first. */
  readonly factor: number | null;
}

/**
 * Fair shares of all associations, by id.
 * @param usage faded TRES seconds by key, as `usageAt` gives them
 */
export function fairShares(policy: PolicyState, usage: ReadonlyMap<string, Tres>): Map<number, FairShare> {
  const children = childrenOf(policy);
  const shares = new Map<number, FairShare>();
  const rawOf = ({ id }: Association): number => usage.get(associationUsageKey(id))?.billing ?? 0;
  const roots = children.get("/") ?? [];
  const total = roots.reduce((sum, root) => sum + rawOf(root), 0);
  for (const root of roots) {
    shares.set(root.id, { ...NOTHING, rawUsage: rawOf(root), effectiveUsage: 1, normUsage: total > 0 ? 1 : 0 });
  }
  const users = [...policy.associations.values()].filter(({ user }) => user !== "").length;
  let rank = users;
  const rankLevel = (siblings: readonly Association[]): void => {
    const sorted = levelOf(siblings, rawOf, total);
    for (const { association, share } of sorted) shares.set(association.id, share);
    for (let at = 0; at < sorted.length; ) {
      const level = sorted[at]?.share.levelFs ?? 0;
      const ties = sorted.slice(at).filter(({ share }) => share.levelFs === level);
      at += ties.length;
      const tiedUsers = ties.filter(({ association }) => association.user !== "");
      for (const { association, share } of tiedUsers) shares.set(association.id, { ...share, factor: rank / users });
      rank -= tiedUsers.length;
      // Accounts that are equal are as one account with the children of all.
      const below = ties.flatMap(({ association }) =>
        association.user === "" ? childList(children, association) : [],
      );
      if (below.length > 0) rankLevel(below);
    }
  };
  for (const root of roots) rankLevel(childList(children, root));
  return shares;
}

const NOTHING: FairShare = {
  ...{ normShares: 0, rawUsage: 0, normUsage: 0, effectiveUsage: 0, levelFs: Number.POSITIVE_INFINITY, factor: null },
};

function childrenOf({ associations }: PolicyState): Map<string, Association[]> {
  const children = new Map<string, Association[]>();
  for (const association of associations.values()) {
    const above = association.user === "" ? `/${association.parent}` : association.account;
    const list = children.get(above);
    if (list) list.push(association);
    else children.set(above, [association]);
  }
  return children;
}

function childList(children: ReadonlyMap<string, Association[]>, { account }: Association): Association[] {
  return [...(children.get(account) ?? []), ...(children.get(`/${account}`) ?? [])];
}

interface Ranked {
  readonly association: Association;
  readonly share: FairShare;
}

/**
 * Siblings, the highest level share first; users before accounts. Siblings are those of one account, or of several
 * that are equal: each is compared with the others of its own account.
 */
function levelOf(siblings: readonly Association[], rawOf: (one: Association) => number, total: number): Ranked[] {
  const sums = new Map<string, { shares: number; usage: number }>();
  const above = ({ user, account, parent }: Association): string => (user === "" ? parent : account);
  for (const one of siblings) {
    const sum = sums.get(above(one)) ?? { shares: 0, usage: 0 };
    sums.set(above(one), { shares: sum.shares + sharesOf(one), usage: sum.usage + rawOf(one) });
  }
  const ranked = siblings.map((association): Ranked => {
    const sum = sums.get(above(association)) ?? { shares: 0, usage: 0 };
    const rawUsage = rawOf(association);
    const isShared = association.shares === PARENT_SHARES;
    const normShares = isShared ? 1 : sum.shares > 0 ? sharesOf(association) / sum.shares : 0;
    const ownUsage = isShared ? sum.usage : rawUsage;
    const effectiveUsage = sum.usage > 0 ? ownUsage / sum.usage : 0;
    const levelFs = normShares === 0 ? 0 : effectiveUsage > 0 ? normShares / effectiveUsage : Number.POSITIVE_INFINITY;
    const normUsage = total > 0 ? rawUsage / total : 0;
    return { association, share: { normShares, rawUsage, normUsage, effectiveUsage, levelFs, factor: null } };
  });
  return ranked.sort((a, b) => {
    if (a.share.levelFs !== b.share.levelFs) return a.share.levelFs < b.share.levelFs ? 1 : -1;
    return Number(a.association.user === "") - Number(b.association.user === "") || a.association.id - b.association.id;
  });
}

function sharesOf({ shares }: Association): number {
  return shares === PARENT_SHARES ? 0 : shares;
}
