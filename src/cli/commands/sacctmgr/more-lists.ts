/** Lists of sacctmgr that are made from something else than accounts and QoS, or have nothing in them here. */

import { fold } from "../../../core/hostlist.ts";
import { policyFrom } from "../../../core/policy/state.ts";
import { formatTimestamp } from "../../../core/time.ts";
import type { Peer } from "../../../rpc/types.ts";
import { accountTable } from "../../../view/account-table.ts";
import type { CommandContext } from "../../context.ts";
import type { ListOptions } from "./list.ts";

type Row = readonly string[];

/** Columns of Slurm 22.05. */
const COLUMNS: Readonly<Record<string, readonly (readonly [header: string, width: number])[]>> = {
  Event: [
    ...([
      ["Cluster", 10],
      ["NodeName", 15],
      ["TimeStart", 19],
      ["TimeEnd", 19],
      ["State", 6],
    ] as const),
    ...([
      ["Reason", 30],
      ["User", 10],
    ] as const),
  ],
  Federation: [
    ["Federation", 10],
    ["Cluster", 10],
    ["ID", 2],
    ["Features", 20],
    ["FedState", 8],
  ],
  Problem: [
    ["Cluster", 10],
    ["Account", 10],
    ["User", 10],
    ["Problem", 40],
  ],
  Reservation: [
    ["Cluster", 10],
    ["Name", 15],
    ["TRES", 30],
    ["TimeStart", 19],
    ["TimeEnd", 19],
    ["UnusedWall", 10],
  ],
  Resource: [
    ["Name", 10],
    ["Server", 10],
    ["Type", 8],
    ["Count", 6],
    ["% Allocated", 11],
    ["ServerType", 10],
  ],
  WCKey: [
    ["WCKey", 10],
    ["Cluster", 10],
    ["User", 10],
  ],
};

/** One of these lists as text; `undefined` for another entity. */
export async function moreList(
  entity: string,
  peer: () => Promise<Peer>,
  context: CommandContext,
  { style, hasHeader }: ListOptions,
): Promise<string | undefined> {
  const columns = COLUMNS[entity];
  if (columns === undefined) return undefined;
  const rows = await rowsOf(entity, peer, context);
  const shown = columns.map(([header, width], at) => ({ header, width, text: (row: Row) => row[at] ?? "" }));
  return accountTable(shown, rows, { style, hasHeader });
}

async function rowsOf(entity: string, peer: () => Promise<Peer>, context: CommandContext): Promise<Row[]> {
  const moment = (atMs: number): string => formatTimestamp(atMs, (at) => context.utcOffsetMinutes(at));
  if (entity === "Problem") return problems(await peer());
  if (entity === "Event") return events(await peer(), moment);
  return entity === "Reservation" ? reservations(await peer(), moment) : [];
}

/** Slurm's problems, as far as they can be: changes that do not hold together are refused. */
async function problems(peer: Peer): Promise<Row[]> {
  const { policy: stored, clusterName } = await peer.call("policy.list", {});
  const { accounts, associations } = policyFrom(stored);
  const used = new Set([...associations.values()].flatMap(({ user, account }) => (user === "" ? [] : [account])));
  const parents = new Set([...associations.values()].map(({ parent }) => parent));
  return [...accounts.keys()]
    .filter((name) => !used.has(name) && !parents.has(name))
    .map((name) => [clusterName, name, "", "Account has no users"]);
}

/** Nodes that are down or drained now: what was before is not kept. */
async function events(peer: Peer, moment: (atMs: number) => string): Promise<Row[]> {
  const { clusterName } = await peer.call("controller.status", {});
  const { nodes } = await peer.call("nodes.list", {});
  return nodes
    .filter(({ reason }) => reason !== "")
    .map(({ name, state, reason, reasonAt, reasonBy }) => {
      return [clusterName, name, moment(reasonAt), "Unknown", state, reason, reasonBy];
    });
}

async function reservations(peer: Peer, moment: (atMs: number) => string): Promise<Row[]> {
  const { clusterName } = await peer.call("controller.status", {});
  const { reservations: all } = await peer.call("reservations.list", {});
  return all.map(({ name, cpus, nodes, startAt, endAt }) => {
    return [clusterName, name, `cpu=${cpus} (${fold(nodes)})`, moment(startAt), moment(endAt), ""];
  });
}
