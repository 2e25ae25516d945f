/**
 * modify cluster: limits of the root association, and, of mgpu's own, the weights of priorities, which Slurm keeps in
 * its configuration file under the same names.
 */

import { type Parsed, parseCount } from "../../../core/parse.ts";
import type { PriorityConfig } from "../../../core/policy/records.ts";
import { PRIORITY_DEFAULTS } from "../../../core/policy/records.ts";
import { findAssociation } from "../../../core/policy/state.ts";
import {
  byPrefix,
  formatBillingWeights,
  formatTres,
  longDuration,
  parseBillingWeights,
  parseTres,
} from "../../../core/policy/words.ts";
import { parseTimeLimit } from "../../../core/time.ts";
import { unknownOptions } from "./accounts.ts";
import { type Draft, type Edit, ensureRoot, refuse } from "./draft.ts";
import { readAssociationWord, readPatches } from "./patch.ts";
import type { Spec, Specs } from "./specs.ts";
import { settingLines } from "./text.ts";

interface Weight<K extends keyof PriorityConfig> {
  readonly field: K;
  read(text: string): Parsed<PriorityConfig[K]>;
  write(value: PriorityConfig[K]): string;
}

const count = { read: (text: string) => parseCount(text, 0), write: String };
const time = {
  read: (text: string) => parseTimeLimit(text),
  write: (seconds: number) => (seconds === 0 ? "NONE" : longDuration(seconds)),
};
const tres = { read: parseTres, write: formatTres };

/** By Slurm's names of its configuration file. */
const WEIGHTS: Readonly<Record<string, Weight<never>>> = {
  PriorityDecayHalfLife: { field: "decayHalfLifeS", ...time } as unknown as Weight<never>,
  PriorityFavorSmall: {
    field: "favorSmall",
    read: (text: string) =>
      /^(yes|no)$/i.test(text) ? { value: /^yes$/i.test(text) } : { problem: "expected YES or NO" },
    write: (value: boolean) => (value ? "Yes" : "No"),
  } as unknown as Weight<never>,
  PriorityMaxAge: { field: "maxAgeS", ...time } as unknown as Weight<never>,
  PriorityWeightAge: { field: "weightAge", ...count } as unknown as Weight<never>,
  PriorityWeightFairShare: { field: "weightFairShare", ...count } as unknown as Weight<never>,
  PriorityWeightJobSize: { field: "weightJobSize", ...count } as unknown as Weight<never>,
  PriorityWeightPartition: { field: "weightPartition", ...count } as unknown as Weight<never>,
  PriorityWeightQOS: { field: "weightQos", ...count } as unknown as Weight<never>,
  PriorityWeightTRES: { field: "weightTres", ...tres } as unknown as Weight<never>,
  TRESBillingWeights: {
    field: "billingWeights",
    read: parseBillingWeights,
    write: formatBillingWeights,
  } as unknown as Weight<never>,
};

/** Name and value of each weight, for `list config`. */
export function weightTexts(config: PriorityConfig): [string, string][] {
  return Object.entries(WEIGHTS).map(([name, { field, write }]) => [name, write(config[field])]);
}

/** Sets weights, or limits for the whole cluster. */
export function modifyCluster(draft: Draft, { names, where, set }: Specs, cluster: string): Edit {
  const others = names.filter((name) => name !== cluster);
  if (others.length > 0 || where.some(({ value }) => value !== cluster)) return refuse(" Nothing modified");
  if (set.length === 0) return refuse(" You didn't give me anything to set");
  const weights = set.flatMap((spec) => weightOf(spec) ?? []);
  const limits = set.filter((spec) => weightOf(spec) === null);
  const { patch, problems: bad, unknown } = readPatches(limits, (spec) => readAssociationWord(draft.policy, spec));
  const problems = [
    ...weights.flatMap((one) => ("problem" in one ? [one.problem] : [])),
    ...bad,
    ...unknownOptions(unknown),
  ];
  if (problems.length > 0) return refuse(...problems);
  let text = "";
  if (weights.length > 0) text += setWeights(draft, weights);
  if (limits.length > 0) {
    ensureRoot(draft);
    const root = findAssociation(draft.policy, "root", "", "");
    if (root) draft.make({ put: "association", record: patch.apply(root) });
    text += ` Setting\n  Default Limits:\n${settingLines(patch.settings, 13)}`;
    text += ` Modified cluster defaults for associations...\n  C = ${cluster.padEnd(10)} A = root\n`;
  }
  return { text, problems: [] };
}

type ReadWeight = { readonly name: string; readonly changes: Partial<PriorityConfig> } | { readonly problem: string };

function setWeights(draft: Draft, weights: readonly ReadWeight[]): string {
  const changes = Object.assign({}, ...weights.map((one) => ("changes" in one ? one.changes : {})));
  draft.make({ put: "config", record: { ...draft.policy.ownConfig, ...changes } });
  const names = weights.flatMap((one) => ("name" in one ? [one.name] : []));
  const texts = weightTexts(draft.policy.config).filter(([name]) => names.includes(name));
  return ` Modified priorities...\n${settingLines(texts, 23)}`;
}

/** What a word sets of the weights; `null` if it is none of them. -1 brings the default back. */
function weightOf(spec: Spec): [ReadWeight] | null {
  const name = byPrefix(spec.key, Object.keys(WEIGHTS), (key) => [key]);
  const weight = name === undefined || spec.key.length < 8 ? undefined : WEIGHTS[name];
  if (name === undefined || !weight) return null;
  if (spec.value === "-1") return [{ name, changes: { [weight.field]: PRIORITY_DEFAULTS[weight.field] } }];
  const parsed = weight.read(spec.value) as Parsed<unknown>;
  if ("problem" in parsed) return [{ problem: `Invalid value for ${name} (${spec.value}): ${parsed.problem}` }];
  return [{ name, changes: { [weight.field]: parsed.value } }];
}
