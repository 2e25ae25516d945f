/** `scontrol update NodeName=...`: states, reasons, weights and features of nodes. */

import { NODE_ORDERS } from "../../../core/commands.ts";
import { expand } from "../../../core/hostlist.ts";
import { expected } from "../../../core/parse.ts";
import { UserError } from "../../context.ts";
import { type Assignment, type EntityField, readChanges, refused } from "./assignments.ts";
import { type ClusterChange, changeCluster } from "./cluster-change.ts";
import type { Scope } from "./scope.ts";

type NodeChanges = Extract<ClusterChange, { type: "nodes.update" }>["changes"];

const WEIGHT_MAX = 2 ** 32 - 2;

/** States that say why: nobody should have to guess it later. */
const NEEDS_REASON = new Set(["DRAIN", "DOWN", "FAIL"]);

const FEATURE = /^[A-Za-z0-9_][A-Za-z0-9_.=:-]{0,62}$/;

const POWER = "nodes are not switched on and off";
const OF_DAEMON = "the node daemon says what its machine has; see mgpud --help";

const features =
  (key: "features" | "activeFeatures"): EntityField<NodeChanges> =>
  (text) => {
    const words = text === "" ? [] : text.split(",");
    const isGood = words.every((word) => FEATURE.test(word));
    return isGood ? { value: { [key]: [...new Set(words)] } } : expected("words with commas between them", text);
  };

const FIELDS: Readonly<Record<string, EntityField<NodeChanges>>> = {
  activefeatures: features("activeFeatures"),
  availablefeatures: features("features"),
  comment: (comment) => ({ value: { comment } }),
  cpubind: refused("tasks are not bound to CPUs"),
  extra: (extra) => ({ value: { extra } }),
  features: features("features"),
  gres: refused(OF_DAEMON),
  nodeaddr: refused("node daemons dial the controller"),
  nodehostname: refused(OF_DAEMON),
  power: refused(POWER),
  reason: (reason) => ({ value: { reason: reason.replace(/^(["'])(.*)\1$/s, "$2") } }),
  resumeafter: refused("resume the node when it is time"),
  state: readState,
  weight: (text) => {
    const weight = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (weight <= WEIGHT_MAX) return { value: { weight } };
    return { problem: `Weight value (${text}) is not a valid number` };
  },
};

/** Changes the nodes that a list names. */
export async function updateNodes(names: string, assignments: readonly Assignment[], scope: Scope): Promise<number> {
  if (assignments.length === 0) throw new UserError("No changes specified");
  const nodes = nodeNames(names);
  const changes = readChanges(FIELDS, assignments);
  if (changes.state !== undefined && NEEDS_REASON.has(changes.state) && !changes.reason) {
    throw new UserError("You must specify a reason when DOWNING or DRAINING a node. Request denied");
  }
  const name = await changeCluster({ type: "nodes.update", nodes, changes }, scope, "slurm_update error");
  return name === null ? 1 : 0;
}

/** Nodes of a list; `ALL` stays as it is. @throws UserError for what is no list */
export function nodeNames(text: string): string[] {
  if (/^all$/i.test(text)) return ["ALL"];
  const names = expand(text);
  if (!names || names.length === 0) throw new UserError(`Invalid node list: ${text}`, "node lists look like n[1-3,7]");
  return [...new Set(names)];
}

function readState(text: string): ReturnType<EntityField<NodeChanges>> {
  const wanted = text.toUpperCase();
  const state = NODE_ORDERS.find((one) => one === wanted);
  if (state) return { value: { state } };
  if (/^(POWER_|CLOUD|FUTURE|NORESP|CANCEL_REBOOT|REBOOT)/.test(wanted)) return refused(POWER)();
  return { problem: `Invalid input: state=${text}; valid states are: ${NODE_ORDERS.join(" ")}` };
}
