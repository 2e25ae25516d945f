/** The tree of accounts as lists show it. */

import type { Association } from "./records.ts";
import type { PolicyState } from "./state.ts";

/** All associations: depth first, users of an account before the accounts below it, each by name. */
export function inTreeOrder({ associations }: PolicyState): Association[] {
  const below = new Map<string, Association[]>();
  for (const association of associations.values()) {
    const above = association.user === "" ? `/${association.parent}` : association.account;
    below.set(above, [...(below.get(above) ?? []), association]);
  }
  const byName = (a: Association, b: Association): number =>
    compare(a.user, b.user) || compare(a.account, b.account) || compare(a.partition, b.partition);
  const found: Association[] = [];
  const visit = (association: Association): void => {
    found.push(association, ...[...(below.get(association.account) ?? [])].sort(byName));
    for (const child of [...(below.get(`/${association.account}`) ?? [])].sort(byName)) visit(child);
  };
  for (const root of [...(below.get("/") ?? [])].sort(byName)) visit(root);
  return found;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
