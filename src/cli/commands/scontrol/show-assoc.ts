/** `scontrol show assoc_mgr`: users, associations and QoS with their limits, as the controller has them. */

import type { Association, Limits, StoredPolicy } from "../../../core/policy/records.ts";
import { ASSOCIATION_LIMITS, formatLimit, type LimitWord, QOS_LIMITS } from "../../../core/policy/words.ts";
import { UserError } from "../../context.ts";
import type { Scope } from "./scope.ts";

/** Which sections and records are wanted; `null` for all. */
interface Choice {
  readonly sections: readonly string[] | null;
  readonly users: readonly string[] | null;
  readonly accounts: readonly string[] | null;
  readonly qos: readonly string[] | null;
}

const SECTIONS = ["users", "assoc", "qos"];

/** All of it, or what `users=`, `accounts=`, `qos=` and `flags=users,assoc,qos` leave. */
export async function showAssociations(words: readonly string[], scope: Scope): Promise<number> {
  const choice = readChoice(words);
  const { stdio } = scope.context;
  const peer = await scope.peer("slurm_load_assoc_mgr_info error");
  const { policy, clusterName } = await peer.call("policy.list", {});
  stdio.out("Current Association Manager state\n\n");
  const section = (key: string, title: string, none: string, records: readonly string[]): void => {
    if (choice.sections && !choice.sections.includes(key)) return;
    stdio.out(records.length === 0 ? `${none}\n\n\n` : `${title}\n\n${records.join("\n")}\n\n`);
  };
  section("users", "User Records", "No users currently cached in Slurm.", userRecords(policy, choice));
  const associations = associationRecords(policy, clusterName, choice);
  section("assoc", "Association Records", "No associations currently cached in Slurm.", associations);
  section("qos", "QOS Records", "No QOS currently cached in Slurm.", qosRecords(policy, choice));
  return 0;
}

function readChoice(words: readonly string[]): Choice {
  const lists = new Map<string, string[]>();
  for (const word of words) {
    const [, key = "", text = ""] = /^(users?|accounts?|qos|flags)=(.*)$/i.exec(word) ?? [];
    if (key === "") throw new UserError(`invalid assoc_mgr option: ${word}`, "users=, accounts=, qos=, flags=");
    lists.set(key.toLowerCase().replace(/s$/, ""), text.split(",").filter(Boolean));
  }
  const sections = lists.get("flag")?.map((flag) => {
    const found = SECTIONS.find((one) => one.startsWith(flag.toLowerCase()));
    if (found === undefined) throw new UserError(`invalid assoc_mgr flag: ${flag}`, `flags are ${SECTIONS.join(",")}`);
    return found;
  });
  const of = (key: string): string[] | null => lists.get(key) ?? null;
  return { sections: sections ?? null, users: of("user"), accounts: of("account"), qos: of("qo") };
}

function userRecords({ users }: StoredPolicy, choice: Choice): string[] {
  return users
    .filter(({ name }) => choice.users?.includes(name) ?? true)
    .map(({ name, defaultAccount, adminLevel }) => {
      return `UserName=${name} DefAccount=${defaultAccount} DefWckey= AdminLevel=${adminLevel}`;
    });
}

function associationRecords({ associations }: StoredPolicy, cluster: string, choice: Choice): string[] {
  const isWanted = ({ user, account }: Association): boolean =>
    (choice.users?.includes(user) ?? true) && (choice.accounts?.includes(account) ?? true);
  return associations
    .filter(isWanted)
    .map(({ id, account, user, partition, parent, shares, limits, qos }) =>
      [
        `ClusterName=${cluster} Account=${account} UserName=${user} Partition=${partition} ID=${id}`,
        `SharesRaw=${shares} ParentAccount=${parent} Qos=${(qos ?? []).join(",")}`,
        ...limitLines(limits, ASSOCIATION_LIMITS),
      ].join("\n    "),
    );
}

function qosRecords({ qos }: StoredPolicy, choice: Choice): string[] {
  return qos
    .filter(({ name }) => choice.qos?.includes(name) ?? true)
    .map(({ id, name, priority, preempt, limits }) =>
      [
        `QOS=${name}(${id})`,
        `Priority=${priority} Preempt=${preempt.join(",")}`,
        ...limitLines(limits, QOS_LIMITS),
      ].join("\n    "),
    );
}

/** One line with the limits that are set; none where none is. */
function limitLines(limits: Limits, words: readonly LimitWord[]): string[] {
  const pairs = words.flatMap(({ limit, kind, names }) => {
    const value = limits[limit];
    return value === undefined ? [] : [`${names[0]}=${formatLimit(kind, value)}`];
  });
  return pairs.length === 0 ? [] : [pairs.join(" ")];
}
