/** A partition's fields as people write them (scontrol's Key=value, the configuration file), read. Pure. */

import type { PartitionChanges } from "./commands.ts";
import { expand } from "./hostlist.ts";
import { expected, type Parsed, parseCount, parseMemory } from "./parse.ts";
import { PARTITION_STATES } from "./partition.ts";
import type { MemoryRequest } from "./resources.ts";
import { parseTimeLimit } from "./time.ts";

type Changes = { -readonly [K in keyof PartitionChanges]: PartitionChanges[K] };

/** Reads a key's text as changes, or says what is wrong with it. */
export type PartitionField = (text: string) => Parsed<Partial<Changes>>;

type Field = PartitionField;

const refused = (why: string) => () => ({ problem: `not supported by mgpu: ${why}` });

const UNLIMITED = /^(unlimited|infinite|none|-1)$/i;
const TIER_MAX = 65_533;

const mapped = <T>(parsed: Parsed<T>, change: (value: T) => Partial<Changes>): Parsed<Partial<Changes>> =>
  "problem" in parsed ? parsed : { value: change(parsed.value) };

const flag =
  (key: "isDefault" | "isHidden" | "isRootOnly" | "refusesRoot" | "needsReservation"): Field =>
  (text) => {
    if (!/^(yes|no|true|false|1|0)$/i.test(text)) return expected("YES or NO", text);
    return { value: { [key]: /^(yes|true|1)$/i.test(text) } };
  };

const limit =
  (key: "maxNodes" | "maxCpusPerNode"): Field =>
  (text) =>
    UNLIMITED.test(text) ? { value: { [key]: 0 } } : mapped(parseCount(text, 0), (count) => ({ [key]: count }));

const number =
  (key: "minNodes" | "priorityTier" | "priorityJobFactor"): Field =>
  (text) => {
    const parsed = parseCount(text, 0);
    if (key !== "minNodes" && "value" in parsed && parsed.value > TIER_MAX) {
      return { problem: `${text} is more than the ${TIER_MAX} possible` };
    }
    return mapped(parsed, (count) => ({ [key]: count }));
  };

const time =
  (key: "maxTimeS" | "defaultTimeS"): Field =>
  (text) =>
    UNLIMITED.test(text) ? { value: { [key]: 0 } } : mapped(parseTimeLimit(text), (limitS) => ({ [key]: limitS }));

const memory =
  (key: "defaultMemory" | "maxMemory", per: MemoryRequest["per"]): Field =>
  (text) =>
    UNLIMITED.test(text)
      ? { value: { [key]: null } }
      : mapped(parseMemory(text), (mib) => ({ [key]: mib === 0 ? null : { per, mib } }));

const names = (text: string): string[] => text.split(",").filter(Boolean);

/** `ALL` or nothing takes a list of those allowed away. */
const allowed =
  (key: "allowAccounts" | "allowQos"): Field =>
  (text) => ({ value: { [key]: text === "" || /^all$/i.test(text) ? null : names(text) } });

const only =
  (word: RegExp, why: string): Field =>
  (text) =>
    word.test(text) ? { value: {} } : refused(why)();

/** By Slurm's names in lower case. */
export const PARTITION_FIELDS: Readonly<Record<string, Field>> = {
  allocnodes: only(/^(all|)$/i, "jobs may be submitted from everywhere"),
  allowaccounts: allowed("allowAccounts"),
  allowgroups: only(/^(all|)$/i, "the groups of users are not known here; use AllowAccounts"),
  allowqos: allowed("allowQos"),
  alternate: only(/^(none|)$/i, "jobs wait in the partition that they were submitted to"),
  cpubind: only(/^(none|off|)$/i, "tasks are not bound to CPUs"),
  default: flag("isDefault"),
  defaulttime: time("defaultTimeS"),
  defmempercpu: memory("defaultMemory", "cpu"),
  defmempernode: memory("defaultMemory", "node"),
  denyaccounts: (text) => ({ value: { denyAccounts: names(text) } }),
  denyqos: (text) => ({ value: { denyQos: names(text) } }),
  disablerootjobs: flag("refusesRoot"),
  exclusiveuser: only(/^no$/i, "nodes are shared by users; OverSubscribe=EXCLUSIVE gives jobs whole nodes"),
  gracetime: readGraceTime,
  hidden: flag("isHidden"),
  jobdefaults: readJobDefaults,
  lln: only(/^no$/i, "nodes are filled up, those of lower Weight first"),
  maxcpuspernode: limit("maxCpusPerNode"),
  maxmempercpu: memory("maxMemory", "cpu"),
  maxmempernode: memory("maxMemory", "node"),
  maxnodes: limit("maxNodes"),
  maxtime: time("maxTimeS"),
  minnodes: number("minNodes"),
  nodes: readNodes,
  oversubscribe: readOverSubscribe,
  overtimelimit: only(/^(none|0|no)$/i, "jobs end at their time limit"),
  powerdownonidle: only(/^no$/i, "nodes are not switched on and off"),
  preemptmode: readPreemptMode,
  priority: number("priorityTier"),
  priorityjobfactor: number("priorityJobFactor"),
  prioritytier: number("priorityTier"),
  qos: (text) => ({ value: { qos: /^(n\/a|none|)$/i.test(text) ? null : text } }),
  reqresv: flag("needsReservation"),
  resumetimeout: refused("nodes are not switched on and off"),
  rootonly: flag("isRootOnly"),
  shared: readOverSubscribe,
  state: (text) => {
    const state = PARTITION_STATES.find((one) => one === text.toUpperCase());
    const problem = `Invalid input: state=${text}; acceptable State values are UP, DOWN, DRAIN and INACTIVE`;
    return state ? { value: { state } } : { problem };
  },
  suspendtime: refused("nodes are not switched on and off"),
  suspendtimeout: refused("nodes are not switched on and off"),
  tresbillingweights: only(/^(none|)$/i, "usage is counted in CPUs, memory and GPUs as they are"),
};

function readNodes(text: string): Parsed<Partial<Changes>> {
  if (/^all$/i.test(text)) return { value: { nodes: null } };
  const nodes = expand(/^(none|\(null\))$/i.test(text) ? "" : text);
  return nodes ? { value: { nodes: [...new Set(nodes)] } } : expected("node names such as n[1-3], or ALL", text);
}

function readOverSubscribe(text: string): Parsed<Partial<Changes>> {
  if (/^no$/i.test(text)) return { value: { isExclusive: false } };
  if (/^exclusive$/i.test(text)) return { value: { isExclusive: true } };
  if (/^(yes|force)(:\d+)?$/i.test(text))
    return refused("two jobs never share a CPU; srun --overlap shares within a job")();
  return { problem: `Invalid input: ${text}; acceptable OverSubscribe values are NO and EXCLUSIVE` };
}

function readJobDefaults(text: string): Parsed<Partial<Changes>> {
  const changes: Changes = { cpusPerGpu: 0, memoryPerGpuMiB: 0 };
  for (const word of names(text)) {
    const [, key = "", amount = ""] = /^(DefCpuPerGPU|DefMemPerGPU)=(.*)$/i.exec(word) ?? [];
    const parsed = /^defcpu/i.test(key) ? parseCount(amount, 0) : parseMemory(amount);
    if (key === "" || "problem" in parsed) return expected("DefCpuPerGPU=COUNT,DefMemPerGPU=MIB", text);
    if (/^defcpu/i.test(key)) changes.cpusPerGpu = parsed.value;
    else changes.memoryPerGpuMiB = parsed.value;
  }
  return { value: changes };
}

function readGraceTime(text: string): Parsed<Partial<Changes>> {
  return mapped(/^\d{1,9}$/.test(text) ? { value: Number(text) } : parseTimeLimit(text), (graceTimeS) => ({
    graceTimeS,
  }));
}

const PREEMPT_MODES = ["cluster", "cancel", "requeue", "suspend", "off"] as const;

function readPreemptMode(text: string): Parsed<Partial<Changes>> {
  const word = text.toLowerCase().replace(/,gang$|^gang,/, "");
  const preemptMode = PREEMPT_MODES.find((mode) => mode === word);
  return preemptMode ? { value: { preemptMode } } : expected("OFF, CANCEL, REQUEUE, SUSPEND or CLUSTER", text);
}
