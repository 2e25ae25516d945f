/** Node states as sinfo prints them and as `sinfo -t` names them. */

import { NODE_STATES, type NodeState } from "../core/node.ts";
import type { NodeRow } from "../protocol/procedures.ts";

/** Slurm's order of states: sinfo lists higher ones first. */
const STATE_RANKS: Readonly<Record<NodeState, number>> = {
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
};

/** States of Slurm that no node of mgpu is ever in. */
const OTHER_STATES = new Set(
  "CLOUD COMP COMPLETING FUTR FUTURE INVAL MAINT NPC PERFCTRS PLANNED POWER_DOWN POWERED_DOWN \
POWERING_DOWN POWERING_UP REBOOT REBOOT_ISSUED REBOOT_REQUESTED RESV RESERVED UNK UNKNOWN BLOCKED".split(" "),
);

/** `idle`, `mix` ...; with a star where the node's daemon does not answer. */
export function nodeStateShort(node: NodeRow): string {
  return (NODE_STATES[node.state as NodeState] ?? node.state.toLowerCase()) + star(node);
}

/** `idle`, `mixed` ...; with a star where the node's daemon does not answer. */
export function nodeStateLong(node: NodeRow): string {
  return node.state.toLowerCase() + star(node);
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

function isMixed(node: NodeRow): boolean {
  return node.state === "MIXED" || (node.state === "DRAINING" && node.usage.cpus < node.inventory.cpus);
}

function star(node: NodeRow): string {
  return node.connected ? "" : "*";
}
