/** Accounts, users, associations, QoS and weights; and the priorities and shares that come of them. */

import type { PrivateData } from "../../config/settings-security.ts";
import { fairShares } from "../../core/policy/fair-share.ts";
import { pledgedAt } from "../../core/policy/limits.ts";
import { type Association, NO_POLICY, type StoredPolicy } from "../../core/policy/records.ts";
import { associationUsageKey, storedPolicy } from "../../core/policy/state.ts";
import { usageAt } from "../../core/policy/usage.ts";
import { prioritizer } from "../../core/priority.ts";
import type { Hello, Item } from "../../protocol/procedures.ts";
import type { StreamHandler, UnaryHandler } from "../../rpc/types.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { manages, maySee } from "../network/access.ts";
import { partitionName, selectJobs } from "../select.ts";

/** Answers from memory. */
export function listPolicyHandler(context: ControllerContext): UnaryHandler<"policy.list"> {
  const { loop, settings, clock } = context;
  return (_params, { hello }) => {
    const types = [...loop.state.nodes.values()].flatMap(({ inventory }) => inventory.gpus.map(({ type }) => type));
    return {
      clusterName: settings.clusterName,
      policy: shownPolicy(context, hello),
      gpuTypes: [...new Set(types)].sort(),
      now: clock.now(),
    };
  };
}

/** Carries changes out for whoever may make them: root, the controller's own user, users with an AdminLevel. */
export function changePolicyHandler(context: ControllerContext): UnaryHandler<"policy.change"> {
  return async ({ version, changes }, { hello }) => {
    const { name } = hello.user;
    const isOwner = manages(hello, context.identity.user);
    await executeOrThrow(context, { type: "policy.change", version, changes, byName: name, isOwner });
    return {};
  };
}

/** Rows of priorities.list at a time. */
const RANKED_A_CHUNK = 500;

/** The parts of the priorities of waiting jobs that may start by now. */
export function listPrioritiesHandler(context: ControllerContext): StreamHandler<"priorities.list"> {
  return async ({ filter }, sink, { hello }) => {
    const isSeen = maySee(context, hello);
    const { loop, clock, settings } = context;
    const now = clock.now();
    const { state } = loop;
    const rank = prioritizer(state, now);
    let rows: Item<"priorities.list">["rows"] = [];
    for (const job of selectJobs(state, { ...filter, states: ["PENDING"] }, "any")) {
      if (!isSeen(job) || job.state !== "PENDING" || job.hold !== null || job.eligibleAt > now) continue;
      const { nice, priority, ...parts } = rank.partsOf(job);
      const row = { id: job.id, user: job.spec.user.name, partition: partitionName(state, job), nice, priority };
      rows.push({ ...row, factors: rank.factorsOf(job), parts });
      if (rows.length < RANKED_A_CHUNK) continue;
      await sink.send({ rows });
      rows = [];
    }
    if (rows.length > 0) await sink.send({ rows });
    return { clusterName: settings.clusterName, config: state.policy.config };
  };
}

/** Shares and usage of all associations now. */
export function listSharesHandler(context: ControllerContext): UnaryHandler<"shares.list"> {
  const { loop, clock, settings } = context;
  return (_params, { hello }) => {
    const isShown = shownAssociations(context, hello, ["usage"]);
    const { state } = loop;
    const { policy } = state;
    const now = clock.now();
    const running = [...state.active].flatMap((id) => {
      const job = state.jobs.get(id);
      return job?.state === "RUNNING" ? [job] : [];
    });
    const usage = usageAt(policy, running, now);
    const pledged = pledgedAt(policy, running, now);
    const seen = [...fairShares(policy, usage)].filter(([id]) => isShown(policy.associations.get(id)));
    const shares = seen.map(([id, share]) => {
      const key = associationUsageKey(id);
      // Infinity has no place in JSON: nobody who used nothing has a level share.
      const levelFs = Number.isFinite(share.levelFs) ? share.levelFs : null;
      return { id, ...share, levelFs, seconds: usage.get(key) ?? {}, pledged: pledged.get(key) ?? {} };
    });
    return { clusterName: settings.clusterName, policy: shownPolicy(context, hello), shares };
  };
}

/** Which associations somebody may look at: those of nobody in particular, its own, and all for who sees to any account. */
function shownAssociations(
  { settings, identity, loop }: ControllerContext,
  hello: Hello,
  words: readonly PrivateData[],
): (association: Association | undefined) => boolean {
  const { name } = hello.user;
  const isHidden = words.some((word) => settings.privateData.includes(word));
  const isCoordinator = [...loop.state.policy.accounts.values()].some((one) => one.coordinators?.includes(name));
  if (!isHidden || isCoordinator || manages(hello, identity.user)) return () => true;
  return (association) => association !== undefined && ["", name].includes(association.user);
}

/** What somebody may know of accounts, users and usage (PrivateData). */
function shownPolicy(context: ControllerContext, hello: Hello): StoredPolicy {
  const all = storedPolicy(context.loop.state.policy) ?? NO_POLICY;
  const { name } = hello.user;
  const isShown = (word: PrivateData) => shownAssociations(context, hello, [word]);
  const [ofUsers, ofUsage, ofAccounts] = [isShown("users"), isShown("usage"), isShown("accounts")];
  const own = new Set(all.associations.filter(({ user }) => user === name).map(({ account }) => account));
  const hidesAccounts = !ofAccounts(undefined);
  const associations = all.associations.filter(
    (one) => ofUsers(one) && (!hidesAccounts || own.has(one.account) || one.account === "root"),
  );
  const keys = new Set(all.associations.filter(ofUsage).map(({ id }) => associationUsageKey(id)));
  const usage = ofUsage(undefined)
    ? all.usage
    : Object.fromEntries(Object.entries(all.usage).filter(([key]) => keys.has(key)));
  return {
    ...all,
    ...{ associations, usage },
    users: all.users.filter((user) => ofUsers(undefined) || user.name === name),
    accounts: all.accounts.filter((account) => !hidesAccounts || own.has(account.name) || account.name === "root"),
  };
}
