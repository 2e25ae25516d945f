/** What the keys of slurm.conf that stand by themselves come to: settings, defaults of partitions, weights. */

import { FILE_KEYS } from "../../config/schema.ts";
import { ARRAY_SIZE_MAX } from "../../core/array-spec.ts";
import { parseMemory } from "../../core/parse.ts";
import { parseSchedulerParameters } from "../../core/scheduler-parameters.ts";
import { nearest } from "../../util/nearest.ts";
import type { Pair } from "./conf-text.ts";
import { GLOBAL_REASONS, MEANT_KEYS, SAME_SETTINGS, WEIGHTS } from "./global-keys.ts";
import type { Note, Notes } from "./notes.ts";

/** What stands behind a line that the export wrote because Slurm needs it, and mgpu not. */
export const ADDED_BY_EXPORT = "added by mgpu export";

export interface Globals {
  /** By `SECTION.NAME` of the configuration. */
  readonly settings: ReadonlyMap<string, string>;
  /** Keys of each partition that does not say otherwise. */
  readonly partitionDefaults: Readonly<Record<string, string>>;
  /** `PriorityWeightAge=1000`, for mgpu-sacctmgr modify cluster set. */
  readonly weights: readonly string[];
}

interface Draft extends Notes {
  readonly settings: Map<string, string>;
  readonly partitionDefaults: Record<string, string>;
  readonly given: ReadonlyMap<string, Pair>;
}

const LOG_LEVELS: readonly (readonly [RegExp, string])[] = [
  [/^(quiet|fatal|error|0|1|2)$/i, "error"],
  [/^(info|verbose|3|4)$/i, "info"],
  [/^(debug\d?|[5-9])$/i, "debug"],
];

const note = (draft: Notes, { place, key, value }: Pair, kind: Note["kind"], why: string): void => {
  draft.notes.push({ place, what: `${key}=${value}`, kind, why });
};

const bad = (draft: Notes, { place, key, value }: Pair, expected: string): void => {
  draft.problems.push(`${place}: ${key}: expected ${expected}, got "${value}"`);
};

/** Reads them all; of a key that stands there twice the last holds, as in Slurm. */
export function readGlobals(pairs: readonly Pair[], notes: Notes): Globals {
  const given = new Map<string, Pair>();
  for (const pair of pairs) {
    const name = pair.key.toLowerCase();
    const before = given.get(name);
    if (before && name === "slurmctldhost")
      note(notes, pair, "left out", "there is one controller, and none in reserve");
    else if (before) note(notes, before, "left out", `said again at ${pair.place}, which holds`);
    if (before && name === "slurmctldhost") continue;
    given.set(name, pair);
  }
  const draft: Draft = { ...notes, settings: new Map(), partitionDefaults: {}, given };
  if (!given.has("preempttype")) draft.settings.set("scheduler.preempt_type", "preempt/none");
  for (const [name, pair] of given) readOne(name, pair, draft);
  // A partition that says nothing has the cluster's in Slurm, and is never preempted here.
  if (/partition_prio$/.test(draft.settings.get("scheduler.preempt_type") ?? "")) {
    draft.partitionDefaults.preempt_mode = "cluster";
  }
  return { settings: draft.settings, partitionDefaults: draft.partitionDefaults, weights: weightsOf(draft) };
}

function readOne(name: string, pair: Pair, draft: Draft): void {
  if (pair.comment.startsWith(ADDED_BY_EXPORT)) {
    return note(draft, pair, "not needed", "mgpu export slurm added it for Slurm's sake");
  }
  const same = SAME_SETTINGS[name];
  if (same !== undefined) return putSetting(same, pair, draft);
  const meaning = MEANINGS[name];
  if (meaning) return meaning(pair, draft);
  if (WEIGHTS[name]) return;
  const reason = GLOBAL_REASONS.get(name);
  if (reason) return note(draft, pair, ...reason);
  const known = [...GLOBAL_REASONS.keys(), ...Object.keys(SAME_SETTINGS), ...Object.keys(WEIGHTS)];
  const guess = nearest(pair.key, [...known, ...MEANT_KEYS.map((key) => key.toLowerCase()), ...FIRST_KEYS]);
  if (guess !== undefined) {
    draft.problems.push(`${pair.place}: ${pair.key}: slurm.conf has no such key; did you mean ${guess}?`);
  } else note(draft, pair, "left out", "mgpu knows no such key of slurm.conf");
}

const FIRST_KEYS = ["nodename", "partitionname", "nodeset", "downnodes", "include"];

function putSetting(key: string, pair: Pair, draft: Draft, value = pair.value): void {
  const known = FILE_KEYS.find((one) => one.key === key);
  if (known && !known.isValid(value)) return bad(draft, pair, known.expected);
  if (key === "limits.max_queued") {
    note(draft, pair, "changed", "limits.max_queued: as many jobs may wait; those that run or are over do not count");
  }
  draft.settings.set(key, value);
}

type Meaning = (pair: Pair, draft: Draft) => void;

const partitionMemory =
  (key: string): Meaning =>
  (pair, draft) => {
    if ("problem" in parseMemory(pair.value)) return bad(draft, pair, "MiB");
    draft.partitionDefaults[key] = pair.value;
    note(draft, pair, "changed", `${key} of each partition that says nothing else`);
  };

const perGpu =
  (word: string): Meaning =>
  (pair, draft) => {
    if (!/^\d{1,9}$/.test(pair.value)) return bad(draft, pair, "a count");
    const before = draft.partitionDefaults.job_defaults;
    draft.partitionDefaults.job_defaults = [...(before ? [before] : []), `${word}=${pair.value}`].join(",");
    note(draft, pair, "changed", "job_defaults of each partition that says nothing else");
  };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  defcpupergpu: perGpu("DefCpuPerGPU"),
  defmempergpu: perGpu("DefMemPerGPU"),
  defmempercpu: partitionMemory("def_mem_per_cpu"),
  maxmempercpu: partitionMemory("max_mem_per_cpu"),
  maxmempernode: partitionMemory("max_mem_per_node"),
  defmempernode(pair, draft) {
    if (/^(unlimited|0)$/i.test(pair.value)) return;
    putSetting("limits.default_memory", pair, draft);
  },
  disablerootjobs(pair, draft) {
    if (!/^(yes|no)$/i.test(pair.value)) return bad(draft, pair, "YES or NO");
    if (/^yes$/i.test(pair.value)) draft.partitionDefaults.disable_root_jobs = "YES";
  },
  enforcepartlimits: (pair, draft) =>
    putSetting("limits.enforce_partition_limits", pair, draft, pair.value.toUpperCase().replace(/^YES$/, "ALL")),
  grestypes(pair, draft) {
    const others = pair.value.split(",").filter((one) => !/^gpu$/i.test(one));
    if (others.length === 0) return note(draft, pair, "not needed", "a node's daemon finds its GPUs");
    note(
      draft,
      pair,
      "left out",
      `${others.join(", ")}: mgpu has GPUs, whole ones and parts (--gpus=0.5, --gpu-mem=8G)`,
    );
  },
  inactivelimit(pair, draft) {
    if (!/^\d{1,9}$/.test(pair.value)) return bad(draft, pair, "seconds");
    if (Number(pair.value) > 0) return putSetting("limits.orphan_wait", pair, draft);
    note(draft, pair, "left out", "a job of mgpu-srun ends limits.orphan_wait (60 s) after its client is gone");
  },
  jobrequeue(pair, draft) {
    if (pair.value === "1") return note(draft, pair, "not needed", "jobs of lost nodes start again");
    note(draft, pair, "left out", "jobs of lost nodes start again unless they were submitted with --no-requeue");
  },
  maxarraysize(pair, draft) {
    if (!/^\d{1,9}$/.test(pair.value)) return bad(draft, pair, "a count");
    note(draft, pair, "not needed", `arrays may have ${ARRAY_SIZE_MAX} tasks`);
  },
  preemptmode(pair, draft) {
    const words = pair.value.split(",").filter((one) => !/^(gang|within)$/i.test(one));
    if (/within/i.test(pair.value)) note(draft, pair, "left out", "WITHIN: jobs of one QOS do not preempt one another");
    putSetting("scheduler.preempt_mode", pair, draft, words.join(",").toUpperCase() || "OFF");
  },
  priorityflags(pair, draft) {
    const others = pair.value.split(",").filter((one) => !/^(fair_tree|no_fair_tree)?$/i.test(one));
    if (/no_fair_tree/i.test(pair.value)) note(draft, pair, "left out", "shares are those of the fair tree");
    else if (others.length === 0) note(draft, pair, "not needed", "shares are those of the fair tree");
    if (others.length > 0) note(draft, pair, "left out", `${others.join(", ")}: priorities have no such flags here`);
  },
  prioritytype(pair, draft) {
    if (/^(priority\/)?(multifactor|basic)$/i.test(pair.value)) return;
    note(draft, pair, "left out", "priorities are those of priority/multifactor as soon as there are accounts or QOS");
  },
  returntoservice(pair, draft) {
    const [kind, why] = pair.value === "0" ? (["left out", ""] as const) : (["not needed", ""] as const);
    note(draft, pair, kind, `${why}a node that answers again is back by itself`);
  },
  schedulerparameters: readSchedulerParameters,
  selecttype(pair, draft) {
    if (!/linear$/i.test(pair.value))
      return note(draft, pair, "not needed", "jobs share nodes, each with its own CPUs and GPUs");
    draft.partitionDefaults.over_subscribe = "EXCLUSIVE";
    note(
      draft,
      pair,
      "changed",
      "over_subscribe: EXCLUSIVE of each partition that says nothing else: jobs get whole nodes",
    );
  },
  selecttypeparameters(pair, draft) {
    const why = "CPUs are given out one by one, and memory is counted where a job asks for it or has a default";
    note(draft, pair, /memory/i.test(pair.value) ? "not needed" : "left out", why);
  },
  slurmctlddebug(pair, draft) {
    const [, level] = LOG_LEVELS.find(([words]) => words.test(pair.value)) ?? [];
    if (level === undefined) return bad(draft, pair, "quiet, fatal, error, info, verbose or debug");
    putSetting("logging.level", pair, draft, level);
  },
};

function readSchedulerParameters(pair: Pair, draft: Draft): void {
  const members = pair.value.split(",").filter((one) => one !== "");
  const good = members.filter((one) => "value" in parseSchedulerParameters(one));
  const others = members.filter((one) => !good.includes(one));
  if (good.length > 0) putSetting("scheduler.parameters", pair, draft, good.join(","));
  if (others.length > 0)
    note(draft, pair, "left out", `${others.join(", ")}: the scheduler has no such parameter here`);
}

/** With priority/multifactor all of them: where slurm.conf says nothing, Slurm's defaults are not mgpu's. */
function weightsOf(draft: Draft): string[] {
  const { given } = draft;
  const type = given.get("prioritytype")?.value ?? "";
  const isMultifactor = /multifactor$/i.test(type);
  const words: string[] = [];
  for (const [name, [word, fallback]] of Object.entries(WEIGHTS)) {
    const pair = given.get(name);
    if (pair && !isMultifactor) note(draft, pair, "left out", "counts with PriorityType=priority/multifactor only");
    const value = pair?.value ?? fallback;
    if (!isMultifactor || value === "") continue;
    if (pair && !/^[\w.,/:=-]+$/.test(value)) bad(draft, pair, "a weight or a time");
    else words.push(`${word}=${value}`);
  }
  return words;
}
