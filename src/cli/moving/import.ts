/** A slurm.conf with its gres.conf as mgpu's configuration. */

import { shellWord } from "../../util/shell-word.ts";
import type { Files } from "../context.ts";
import { type ConfLine, readConf } from "./conf-text.ts";
import { readGlobals } from "./globals.ts";
import { groupNodes, type ImportedNode, readNodes } from "./node-lines.ts";
import type { Note } from "./notes.ts";
import { type ImportedPartition, readPartitions } from "./partition-lines.ts";
import { type QosTable, readQosTable } from "./qos-table.ts";

export interface Imported {
  /** By `SECTION.NAME` of the configuration. */
  readonly settings: ReadonlyMap<string, string>;
  readonly nodes: readonly ImportedNode[];
  readonly partitions: readonly ImportedPartition[];
  /** Lines for a shell once mgpu runs: what is kept with the queue, and not in the configuration. */
  readonly commands: readonly string[];
  readonly notes: readonly Note[];
  /** With any of these the rest means nothing. */
  readonly problems: readonly string[];
}

/** Files by their absolute paths, with the names that messages use. */
export interface ConfFiles {
  readonly slurm: { readonly path: string; readonly name: string };
  /** `null` where there is none. */
  readonly gres: { readonly path: string; readonly name: string } | null;
  /** What sacctmgr printed of QOS; `null` for nothing. */
  readonly qos: { readonly path: string; readonly name: string } | null;
}

const FIRST = ["nodename", "partitionname", "nodeset", "downnodes", "frontendname"];

/** Reads them. */
export function importSlurm({ slurm, gres, qos }: ConfFiles, files: Pick<Files, "read" | "stat">): Imported {
  const text = readConf(slurm.path, slurm.name, files);
  const gresText = gres ? readConf(gres.path, gres.name, files) : { lines: [], problems: [] };
  const notes = { notes: [] as Note[], problems: [...text.problems, ...gresText.problems] };
  const of = (first: string): ConfLine[] => text.lines.filter(([{ key }]) => key.toLowerCase() === first);
  const pairs = text.lines.filter(([{ key }]) => !FIRST.includes(key.toLowerCase())).flat();
  const globals = readGlobals(pairs, notes);
  const nodes = readNodes(of("nodename"), gresText.lines, notes);
  const { partitions, billingWeights } = readPartitions(
    of("partitionname"),
    of("nodeset"),
    nodes,
    globals.partitionDefaults,
    notes,
  );
  for (const [{ place, key, value }] of of("frontendname")) {
    notes.notes.push({ place, what: `${key}=${value}`, kind: "left out", why: "every node runs its own daemon" });
  }
  if (partitions.length === 0 && text.problems.length === 0)
    notes.problems.push(`${slurm.name}: no PartitionName line: this is no whole slurm.conf`);
  const weights = [...globals.weights, ...(billingWeights === "" ? [] : [`TRESBillingWeights=${billingWeights}`])];
  return {
    ...{ settings: globals.settings, nodes, partitions },
    commands: [
      ...(weights.length > 0 ? [`mgpu-sacctmgr -i modify cluster set ${weights.join(" ")}`] : []),
      ...qosCommands(partitions, qos ? readQosTable(qos.path, qos.name, files, notes) : { names: [], commands: [] }),
      ...markCommands(nodes, of("downnodes"), notes.problems),
    ],
    notes: inOrder(notes.notes),
    problems: [...new Set(notes.problems)],
  };
}

/** QOS are in Slurm's database: what partitions speak of must be there. */
function qosCommands(partitions: readonly ImportedPartition[], table: QosTable): string[] {
  const names = partitions.flatMap(({ texts: { qos = "", allow_qos = "", deny_qos = "" } }) => [
    ...(/^(n\/a|none)$/i.test(qos) ? [] : [qos]),
    ...(/^all$/i.test(allow_qos) ? [] : allow_qos.split(",")),
    ...deny_qos.split(","),
  ]);
  const wanted = [...new Set([...table.names, ...names].map((name) => name.toLowerCase()))];
  const added = wanted.filter((name) => name !== "" && name !== "normal");
  const add =
    added.length > 0 || table.names.length > 0
      ? [`mgpu-sacctmgr -i add qos ${shellWord(added.join(",") || "normal")}`]
      : [];
  return [...add, ...table.commands];
}

function markCommands(nodes: readonly ImportedNode[], down: readonly ConfLine[], problems: string[]): string[] {
  const command = (names: string, state: string, reason: string): string => {
    return ["mgpu-scontrol update", ...[`NodeName=${names}`, `State=${state}`, `Reason=${reason}`].map(shellWord)].join(
      " ",
    );
  };
  const marked = groupNodes(nodes.filter(({ mark }) => mark !== null)).map(({ names, first: { mark } }) => {
    return command(names, mark?.state ?? "DRAIN", mark?.reason ?? "");
  });
  const others = down.map(([{ place, value }, ...more]) => {
    const of = (name: string): string | undefined => more.find(({ key }) => key.toLowerCase() === name)?.value;
    const state = (of("state") ?? "DOWN").toUpperCase();
    if (!/^(DOWN|DRAIN|FAIL)$/.test(state)) problems.push(`${place}: DownNodes: State: expected DOWN, DRAIN or FAIL`);
    return command(value, state, of("reason") ?? "as in slurm.conf");
  });
  return [...marked, ...others];
}

/** As the files have them, the first file first. */
function inOrder(notes: readonly Note[]): Note[] {
  const lineOf = ({ place }: Note): number => Number(place.slice(place.lastIndexOf(":") + 1));
  const fileOf = ({ place }: Note): string => place.slice(0, place.lastIndexOf(":"));
  const files = [...new Set(notes.map(fileOf))];
  return [...notes].sort((a, b) => files.indexOf(fileOf(a)) - files.indexOf(fileOf(b)) || lineOf(a) - lineOf(b));
}
