/** Which nodes and partitions sinfo shows. */

import { expand } from "../../../core/hostlist.ts";
import type { NodeRow, PartitionRow } from "../../../protocol/procedures.ts";
import { nodeStateNames, parseNodeStates } from "../../../view/node-states.ts";
import { UserError } from "../../context.ts";
import type { OptionReader } from "../../filters.ts";

/** What -R lists if no states are asked for. */
const OUT_STATES = ["down", "drain", "fail"];

/** A test for nodes. @throws UserError for states and lists that are none */
export function readNodeFilter(options: OptionReader): (node: NodeRow) => boolean {
  const isReasons = options.isGiven("list-reasons");
  const states = parseNodeStates(options.list("states") ?? (isReasons ? OUT_STATES : ["all"]));
  const texts = options.texts("nodes");
  const names = texts === undefined ? undefined : expand(texts.join(","));
  const problems: string[] = [];
  if ("wrong" in states) {
    problems.push(`Bad state string: "${states.wrong}"`, `valid states: ${nodeStateNames().join(",")}`);
  }
  if (texts !== undefined && names === undefined) problems.push(`Invalid node list: ${texts.join(",")}`);
  if (problems.length > 0 || "wrong" in states) throw new UserError(problems);
  const wanted = names === undefined ? undefined : new Set(names);
  const [dead, responding] = [options.isGiven("dead"), options.isGiven("responding")];
  return (node) =>
    states.matches(node) &&
    (!dead || !node.connected) &&
    (!responding || node.connected) &&
    (!isReasons || node.reason !== "") &&
    (wanted === undefined || wanted.has(node.name) || wanted.has(node.inventory.hostname));
}

/** The partitions that were named; or all but the hidden ones. */
export function wantedPartitions(all: readonly PartitionRow[], options: OptionReader): PartitionRow[] {
  const wanted = options.list("partition");
  const isAll = options.isGiven("all") && !options.isTyped("hide");
  return all.filter(({ name, isHidden }) => wanted?.includes(name) ?? (isAll || !isHidden));
}
