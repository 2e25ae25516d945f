/** Reservations as a script of scontrol's: slurm.conf has none, Slurm keeps them with its queue. */

import { fold } from "../../core/hostlist.ts";
import { nextTime, type ReservationFlag } from "../../core/reservation.ts";
import type { ReservationRow } from "../../protocol/procedures.ts";
import { shellWord } from "../../util/shell-word.ts";

const RESERVATIONS_FILE = "reservations.sh";

/** How nodes were named, which Slurm finds out by itself. */
const OF_NODES: ReadonlySet<ReservationFlag> = new Set(["SPEC_NODES", "ALL_NODES", "PART_NODES"]);

const COMES_BACK: ReadonlySet<ReservationFlag> = new Set(["HOURLY", "DAILY", "WEEKLY", "WEEKDAY", "WEEKEND"]);

/** Slurm reads times of the machine where the script runs. */
const HEAD = `#!/bin/sh
# Reservations, for scontrol: run it on the machine of slurmctld once its nodes are there. Those that are there already stay.
scontrol=\${SCONTROL:-scontrol}
at() { date -d "@$1" +%Y-%m-%dT%H:%M:%S; }
have() { "$scontrol" -o show reservation "$1" 2>/dev/null | grep -q "^ReservationName=$1 "; }
`;

/** The script, and what it does not say. `files` is empty without reservations that are still to come or to end. */
export function reservationScript(
  all: readonly ReservationRow[],
  nowMs: number,
): { readonly files: Readonly<Record<string, string>>; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const lines = all.flatMap((one) => {
    const told = one.startAt > nowMs ? one : begunOf(one, nowMs, notes);
    return told ? [lineOf(told, nowMs, notes)] : [];
  });
  return lines.length === 0 ? { files: {}, notes } : { files: { [RESERVATIONS_FILE]: HEAD + lines.join("") }, notes };
}

/** Of one that holds now: it begins at once, or the next time where it comes back, whose hours must stay. */
function begunOf(one: ReservationRow, nowMs: number, notes: string[]): ReservationRow | null {
  if (!one.flags.some((flag) => COMES_BACK.has(flag))) return one.endAt > nowMs ? one : null;
  const next = nextTime({ by: { uid: 0, name: "" }, ...one }, Math.max(nowMs, one.endAt));
  if (next === null) return null;
  notes.push(`reservation ${one.name}: holds now; ${RESERVATIONS_FILE} makes it from its next time on`);
  return { ...one, startAt: next.startAt, endAt: next.endAt };
}

function lineOf(one: ReservationRow, nowMs: number, notes: string[]): string {
  const { name, startAt, endAt, nodes, users, accounts, partition } = one;
  const flags = one.flags.filter((flag) => !OF_NODES.has(flag));
  const isOpen = users.length === 0 && accounts.length === 0;
  if (isOpen) notes.push(`reservation ${name}: nobody may use it here; Slurm wants somebody, and gets Users=root`);
  const words = [
    `Nodes=${fold(nodes)}`,
    ...(users.length > 0 || isOpen ? [`Users=${users.join(",") || "root"}`] : []),
    ...(accounts.length > 0 ? [`Accounts=${accounts.join(",")}`] : []),
    ...(partition === null ? [] : [`PartitionName=${partition}`]),
    ...(flags.length > 0 ? [`Flags=${flags.join(",")}`] : []),
  ].map(shellWord);
  const time = (ms: number): string => `"$(at ${Math.ceil(ms / 1000)})"`;
  const start = startAt <= nowMs ? "now" : time(startAt);
  const create = `"$scontrol" create reservation ReservationName=${name} StartTime=${start} EndTime=${time(endAt)}`;
  return `have ${name} || ${create} ${words.join(" ")} || exit 1\n`;
}
