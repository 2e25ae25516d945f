/** PrivateData: what users are told of accounts, of one another, and of what others used. */

import { expect, test } from "vitest";
import type { ControllerContext } from "../../../src/controller/context.ts";
import { listPolicyHandler, listSharesHandler } from "../../../src/controller/handlers/policy.ts";
import { policyFrom } from "../../../src/core/policy/state.ts";
import { emptyState } from "../../../src/core/state.ts";
import { LAB, policyOf } from "../support/policy.ts";

const names = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(" ");

async function told(privateData: readonly string[], user: string, uid = 1000) {
  const stored = policyOf(LAB);
  const keys = Object.fromEntries(stored.associations.map(({ id }) => [`a:${id}`, { seconds: {}, at: 0 }]));
  const state = { ...emptyState(), policy: policyFrom({ ...stored, usage: keys as never }) };
  const context = {
    loop: { state },
    clock: { now: () => 1000 },
    settings: { clusterName: "lab", privateData },
    identity: { user: { uid: 0, name: "root" } },
  } as unknown as ControllerContext;
  const asked = { hello: { user: { uid, gid: 1, name: user }, caller: { grade: "user" } } } as never;
  const { policy } = await listPolicyHandler(context)({}, asked);
  const { shares } = await listSharesHandler(context)({}, asked);
  const ofUsers = policy.associations.flatMap((one) => (one.user === "" ? [] : [one.user]));
  const known = new Map(stored.associations.map((one) => [one.id, one.user]));
  return {
    users: names(policy.users),
    accounts: names(policy.accounts),
    associations: [...new Set(ofUsers)].join(" "),
    shares: shares.flatMap(({ id }) => known.get(id) || []).join(" "),
    usage: Object.keys(policy.usage).length,
  };
}

test("without a word everybody is told all", async () => {
  const all = await told([], "eve");
  expect(all).toMatchObject({ users: "ada bob eve", accounts: "root vision speech", associations: "ada bob eve" });
  expect(all.shares).toBe("ada bob eve");
});

test("users, accounts and usage of others are kept back", async () => {
  const all = await told([], "eve");
  expect(await told(["users"], "eve")).toEqual({ ...all, users: "eve", associations: "eve" });
  expect(await told(["accounts"], "eve")).toEqual({ ...all, accounts: "root speech", associations: "eve" });
  const usage = await told(["usage"], "eve");
  expect(usage).toEqual({ ...all, shares: "eve", usage: all.usage - 2 });
});
