/** add, modify and delete qos. */

import { type PreemptMode, QOS_FLAGS, type Qos, type QosFlag } from "../../../core/policy/records.ts";
import type { PolicyState } from "../../../core/policy/state.ts";
import { byPrefix, isAccountName, QOS_LIMITS } from "../../../core/policy/words.ts";
import { parseTimeLimit } from "../../../core/time.ts";
import { unknownOptions } from "./accounts.ts";
import { type Draft, type Edit, ensureNormal, plainQos, refuse } from "./draft.ts";
import { type Patch, readLimit, readPatches, unknownQos } from "./patch.ts";
import { asks, readSelection, type Selection } from "./select.ts";
import { listOf, type Spec, type Specs } from "./specs.ts";
import { nameLines, settingLines } from "./text.ts";

const MODES: readonly PreemptMode[] = ["cluster", "cancel", "requeue", "suspend", "off"];

/** Flags that records of before may have, and why nobody sets them. */
const IDLE_FLAGS: Readonly<Partial<Record<QosFlag, string>>> = {
  NoReserve: "jobs keep no room by their QOS",
  OverPartQOS: "partitions have no limits by QOS",
  UsageFactorSafe: "limits of minutes count what was used",
};

const EFFECTIVE_FLAGS = QOS_FLAGS.filter((flag) => !IDLE_FLAGS[flag]);

type Read = { readonly patch: Patch<Qos> } | { readonly problem: string } | null;

/** Readers by the word's full name, each for any beginning of it. */
const WORDS: Readonly<Record<string, (policy: PolicyState, spec: Spec) => Read>> = {
  Description: (_policy, { value }) => set("Description", value, { description: value }),
  Flags: (_policy, spec) => readFlags(spec),
  GraceTime: (_policy, { value }) => readGrace(value),
  Preempt: (policy, spec) => readPreempt(policy, spec),
  PreemptMode: (_policy, { value }) => {
    const mode = byPrefix(value, MODES, (name) => [name]);
    if (mode === undefined) return { problem: `Bad Preempt Mode given: ${value}. Valid ones are ${MODES.join(", ")}` };
    return set("PreemptMode", mode, { preemptMode: mode });
  },
  Priority: (_policy, { value }) => {
    if (!/^(-1|\d{1,9})$/.test(value)) return { problem: `Invalid value for Priority (${value})` };
    return set("Priority", value, { priority: Math.max(0, Number(value)) });
  },
  UsageFactor: (_policy, { value }) => {
    if (!/^(-1|\d{1,6}(\.\d{1,6})?)$/.test(value)) return { problem: `Invalid value for UsageFactor (${value})` };
    return set("UsageFactor", value, { usageFactor: value === "-1" ? 1 : Number(value) });
  },
};

/** Words of Slurm's that do nothing here, and are refused rather than overlooked. */
const REFUSED =
  /^(usagethres|limitfactor|minprio|grpjobsaccrue|maxjobsaccrue|preemptexempt|maxtresrunmins|grptresrunmins$)/i;

function readWord(policy: PolicyState, spec: Spec): Read {
  const name = byPrefix(spec.key, Object.keys(WORDS), (key) => [key]);
  const reader = name === undefined ? undefined : WORDS[name];
  if (reader) return reader(policy, spec);
  const limit = readLimit<Qos>(QOS_LIMITS, spec);
  if (limit === null && REFUSED.test(spec.key)) return { problem: `${spec.key}: mgpu has no such limit` };
  return limit;
}

function set(label: string, value: string, changes: Partial<Qos>): Read {
  return { patch: { apply: (qos) => ({ ...qos, ...changes }), settings: [[label, value]] } };
}

function readGrace(text: string): Read {
  const parsed = /^\d{1,9}$/.test(text) ? { value: Number(text) } : parseTimeLimit(text);
  if ("problem" in parsed) return { problem: `Invalid value for GraceTime (${text})` };
  return set("GraceTime", String(parsed.value), { graceTimeS: parsed.value });
}

function readFlags({ value, operator }: Spec): Read {
  const names = value === "-1" ? [] : listOf(value);
  const flags = names.map((name) => byPrefix(name, QOS_FLAGS, (flag) => [flag]));
  const bad = names.filter((_, index) => flags[index] === undefined);
  if (bad.length > 0) return { problem: `Invalid QOS flag: ${bad.join(",")}. mgpu knows ${EFFECTIVE_FLAGS.join(",")}` };
  const known = flags.filter((flag): flag is QosFlag => flag !== undefined);
  const idle = operator === "-=" ? [] : known.filter((flag) => IDLE_FLAGS[flag]);
  if (idle.length > 0) {
    return { problem: idle.map((flag) => `Flags: ${flag} has no effect in mgpu: ${IDLE_FLAGS[flag]}`).join("\n ") };
  }
  const apply = (qos: Qos): Qos => ({ ...qos, flags: combined(qos.flags, known, operator) });
  return { patch: { apply, settings: [["Flags", known.join(",")]] } };
}

function readPreempt(policy: PolicyState, { value, operator }: Spec): Read {
  const names = value === "-1" ? [] : listOf(value).map((name) => name.toLowerCase());
  const bad = unknownQos(policy, names);
  if (bad) return bad;
  const apply = (qos: Qos): Qos => ({ ...qos, preempt: combined(qos.preempt, names, operator) });
  return { patch: { apply, settings: [["Preempt", names.join(",")]] } };
}

function combined<T>(before: readonly T[], names: readonly T[], operator: Spec["operator"]): readonly T[] {
  if (operator === "=") return names;
  const others = before.filter((name) => !names.includes(name));
  return operator === "+=" ? [...others, ...names] : others;
}

/** Names given as words of their own, or as Name=. */
function ownNames(names: readonly string[], specs: readonly Spec[]): { names: string[]; rest: Spec[] } {
  const isName = ({ key }: Spec): boolean => /^names?$/i.test(key);
  const given = [...names, ...specs.filter(isName).flatMap(({ value }) => listOf(value))];
  return { names: [...new Set(given.map((name) => name.toLowerCase()))], rest: specs.filter((spec) => !isName(spec)) };
}

/** Adds QoS. */
export function addQos(draft: Draft, { names, where, set: more }: Specs): Edit {
  const { policy } = draft;
  ensureNormal(draft);
  const own = ownNames(names, [...where, ...more]);
  const { patch, problems: bad, unknown } = readPatches(own.rest, (spec) => readWord(policy, spec));
  const problems = [...bad, ...unknownOptions(unknown)];
  if (own.names.length === 0) problems.push(" Need name of qos to add.");
  for (const name of own.names.filter((one) => !isAccountName(one))) problems.push(` Bad name of a QOS: '${name}'`);
  if (problems.length > 0) return refuse(...problems);
  const isNew = (name: string): boolean => !policy.qos.has(name) || (name === "normal" && draft.changes.length > 0);
  const added = own.names.filter(isNew);
  if (added.length === 0) return refuse(" Nothing new added.");
  for (const name of added) {
    const known = policy.qos.get(name);
    draft.make({ put: "qos", record: patch.apply(known ?? plainQos(draft.nextId(), name)) });
  }
  const settings = patch.settings.filter(([label]) => label !== "Description");
  const description = patch.settings.find(([label]) => label === "Description")?.[1] ?? added[0] ?? "";
  const text = ` Adding QOS(s)\n${nameLines(added)} Settings\n  Description    = ${description}\n`;
  return { text: text + settingLines(settings, 24), problems: [] };
}

/** Changes QoS. */
export function modifyQos(draft: Draft, { names, where, set: words }: Specs): Edit {
  const { selection, unknown: badWhere } = readSelection(names, where);
  const { patch, problems: bad, unknown } = readPatches(words, (spec) => readWord(draft.policy, spec));
  const problems = [
    ...badWhere.flatMap(({ text }) => [` Unknown condition: ${text}`, " Use keyword 'set' to modify value"]),
    ...bad,
    ...unknownOptions(unknown),
    ...(words.length === 0 ? [" You didn't give me anything to set"] : []),
  ];
  if (problems.length > 0) return refuse(...problems);
  const wanted = selectedQos(draft, selection);
  if (wanted.length === 0) return refuse(" Nothing modified");
  for (const qos of wanted) draft.make({ put: "qos", record: patch.apply(qos) });
  return { text: ` Modified qos...\n${nameLines(wanted.map(({ name }) => name))}`, problems: [] };
}

/** Deletes QoS, and takes them out of all lists of them. */
export function deleteQos(draft: Draft, { names, where }: Specs): Edit {
  const { selection, unknown } = readSelection(names, where);
  if (unknown.length > 0) return refuse(...unknown.map(({ text }) => ` Unknown condition: ${text}`));
  if (names.length === 0 && where.length === 0) return refuse(" No conditions given to remove, not executing.");
  const gone = selectedQos(draft, selection).map(({ name }) => name);
  if (gone.length === 0) return refuse(" Nothing deleted");
  const { policy } = draft;
  const left = (list: readonly string[]): string[] => list.filter((name) => !gone.includes(name));
  for (const association of [...policy.associations.values()]) {
    const defaultQos = gone.includes(association.defaultQos) ? "" : association.defaultQos;
    const qos = association.qos === null ? null : left(association.qos);
    if (defaultQos !== association.defaultQos || qos?.length !== association.qos?.length) {
      draft.make({ put: "association", record: { ...association, qos, defaultQos } });
    }
  }
  for (const name of gone) draft.make({ drop: "qos", name });
  for (const qos of [...policy.qos.values()].filter(({ preempt }) => preempt.some((name) => gone.includes(name)))) {
    draft.make({ put: "qos", record: { ...qos, preempt: left(qos.preempt) } });
  }
  return { text: ` Deleting QOS(s)...\n${nameLines(gone)}`, problems: [] };
}

/** QoS that a selection means, by number. */
export function selectedQos({ policy }: Pick<Draft, "policy">, selection: Selection): Qos[] {
  const names = selection.names.map((name) => name.toLowerCase());
  return [...policy.qos.values()]
    .filter(({ name, id }) => asks(names, name) && asks(selection.ids, String(id)))
    .sort((a, b) => a.id - b.id);
}
