/** Node states as sinfo prints them and as `sinfo -t` names them. */

import { NODE_STATES, type NodeState } from "../core/node.ts";
import type { NodeRow } from "../protocol/procedures.ts";

/** Slurm's order of states: sinfo lists higher ones first. */
const STATE_RANKS: Readonly<Record<NodeState, number>> = {
  MAINT: 10,
  RESERVED: 9,
  FAILING: 8,
  FAIL: 7,
  DRAINING: 6,
  DRAINED: 5,
  MIXED: 4,
  ALLOCATED: 3,
  IDLE: 2,
  DOWN: 1,
};

/** Names that `-t` takes, with what each matches. A node of Slurm has a base state and flags such as DRAIN. */
const STATE_TESTS: Readonly<Record<string, (node: NodeRow) => boolean>> = {
  IDLE: (node) => node.state === "IDLE" || node.state === "DRAINED" || node.state === "FAIL",
  ALLOC: isBusy,
  ALLOCATED: isBusy,
  MIX: isMixed,
  MIXED: isMixed,
  DOWN: (node) => node.state === "DOWN",
  DRAIN: (node) => node.state === "DRAINED" || node.state === "DRAINING",
  DRAINED: (node) => node.state === "DRAINED",
  DRNG: (node) => node.state === "DRAINING",
  DRAINING: (node) => node.state === "DRAINING",
  FAIL: (node) => node.state === "FAIL" || node.state === "FAILING",
  FAILING: (node) => node.state === "FAILING",
  NO_RESPOND: (node) => !node.connected,
  COMP: hasFlag("COMPLETING"),
  COMPLETING: hasFlag("COMPLETING"),
  MAINT: ({ flags }) => flags.includes("MAINTENANCE") || flags.includes("MAINT"),
  RESV: hasFlag("RESERVED"),
  RESERVED: hasFlag("RESERVED"),
  PLANNED: hasFlag("PLANNED"),
};

/** States of Slurm that no node of mgpu is ever in. */
const OTHER_STATES = new Set(
  "CLOUD FUTR FUTURE INVAL NPC PERFCTRS POWER_DOWN POWERED_DOWN \
POWERING_DOWN POWERING_UP REBOOT REBOOT_ISSUED REBOOT_REQUESTED UNK UNKNOWN BLOCKED".split(" "),
);

/** `idle`, `mix` ...; with a star where the node's daemon does not answer. */
export function nodeStateShort(node: NodeRow): string {
  const named = idleName(node);
  if (named) return named[2] + (node.connected ? "" : "*");
  return (NODE_STATES[node.state as NodeState] ?? node.state.toLowerCase()) + mark(node);
}

/** `idle`, `mixed` ...; with a star where the node's daemon does not answer. */
export function nodeStateLong(node: NodeRow): string {
  const named = idleName(node);
  return named ? named[1] + (node.connected ? "" : "*") : node.state.toLowerCase() + mark(node);
}

/** For ordering: the higher comes first. */
export function nodeStateRank(node: NodeRow): number {
  return STATE_RANKS[node.state as NodeState] ?? 0;
}

/** Whether new work may not go there, so that its idle CPUs count as `other`. */
export function isOut(node: NodeRow): boolean {
  return node.state === "DOWN" || node.flags.includes("DRAIN") || node.flags.includes("FAIL");
}

/** Whether anything runs there. */
export function isBusy(node: NodeRow): boolean {
  return ["ALLOCATED", "MIXED", "DRAINING", "FAILING"].includes(node.state);
}

/**
 * Reads the states of `sinfo -t`: a list of alternatives, each one name or several joined by `&`.
 * @returns a test, or the first name that is no state
 */
export function parseNodeStates(
  alternatives: readonly string[],
): { readonly matches: (node: NodeRow) => boolean } | { readonly wrong: string } {
  const tests: ((node: NodeRow) => boolean)[] = [];
  for (const alternative of alternatives) {
    const all: ((node: NodeRow) => boolean)[] = [];
    for (const name of alternative.split("&")) {
      const test = testOf(name.toUpperCase());
      if (!test) return { wrong: name };
      all.push(test);
    }
    tests.push((node) => all.every((test) => test(node)));
  }
  return { matches: (node) => tests.some((test) => test(node)) };
}

/** What `sinfo -t` takes, in lower case, for messages. */
export function nodeStateNames(): string[] {
  return [...Object.keys(STATE_TESTS), ...OTHER_STATES].map((name) => name.toLowerCase());
}

function testOf(name: string): ((node: NodeRow) => boolean) | undefined {
  if (Object.hasOwn(STATE_TESTS, name)) return STATE_TESTS[name];
  if (name === "ALL") return () => true;
  return OTHER_STATES.has(name) || name === "" ? () => false : undefined;
}

function hasFlag(flag: string): (node: NodeRow) => boolean {
  return ({ flags }) => flags.includes(flag);
}

function isMixed(node: NodeRow): boolean {
  return node.state === "MIXED" || (node.state === "DRAINING" && node.usage.cpus < node.inventory.cpus);
}

/** Slurm's marks behind a state, the first that holds. */
function mark({ connected, flags }: NodeRow): string {
  if (!connected) return "*";
  for (const [flag, sign] of FLAG_MARKS) if (flags.includes(flag)) return sign;
  return "";
}

const FLAG_MARKS: readonly (readonly [flag: string, sign: string])[] = [
  ["POWERING_UP", "#"],
  ["POWERING_DOWN", "%"],
  ["POWERED_DOWN", "~"],
  ["POWER_DOWN", "!"],
  ["REBOOT_ISSUED", "^"],
  ["REBOOT_REQUESTED", "@"],
  ["MAINTENANCE", "$"],
  ["MAINT", "$"],
  ["PLANNED", "-"],
];

/** What an idle node is called because of a flag: long and short. */
const IDLE_NAMES: readonly (readonly [flag: string, long: string, short: string])[] = [
  ["MAINTENANCE", "maint", "maint"],
  ["MAINT", "maint", "maint"],
  ["RESERVED", "reserved", "resv"],
  ["COMPLETING", "completing", "comp"],
  ["PLANNED", "planned", "plnd"],
];

function idleName({ state, flags }: NodeRow): (typeof IDLE_NAMES)[number] | undefined {
  return state === "IDLE" ? IDLE_NAMES.find(([flag]) => flags.includes(flag)) : undefined;
}
