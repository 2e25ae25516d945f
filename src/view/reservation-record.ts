/** A reservation as `scontrol show reservation` prints it: the keys, order and words of Slurm 22.05; and as JSON. */

import { fold } from "../core/hostlist.ts";
import type { ReservationRow } from "../protocol/procedures.ts";
import { secondsOf } from "./entity-json.ts";
import { clockTime, moment, orUnset, type RecordLines, type RecordTime, UNSET } from "./record-text.ts";

/** The record's pairs, by line. */
export function reservationRecord(reservation: ReservationRow, time: RecordTime): RecordLines {
  const { name, startAt, endAt, nodes, cpus } = reservation;
  return [
    [
      ["ReservationName", name],
      ["StartTime", moment(startAt, time)],
      ["EndTime", moment(endAt, time)],
      ["Duration", clockTime((endAt - startAt) / 1000)],
    ],
    [
      ["Nodes", orUnset(fold(nodes))],
      ["NodeCnt", nodes.length],
      ["CoreCnt", cpus],
      ["Features", UNSET],
      ["PartitionName", reservation.partition ?? UNSET],
      ["Flags", reservation.flags.join(",")],
    ],
    [["TRES", `cpu=${cpus}`]],
    [
      ["Users", orUnset(reservation.users.join(","))],
      ["Groups", UNSET],
      ["Accounts", orUnset(reservation.accounts.join(","))],
      ["Licenses", UNSET],
      ["State", reservation.isActive ? "ACTIVE" : "INACTIVE"],
      ["BurstBuffer", UNSET],
      ["Watts", "n/a"],
    ],
    [["MaxStartDelay", UNSET]],
  ];
}

/** The record in the shape of Slurm 23.11. */
export function reservationJson(reservation: ReservationRow): Record<string, unknown> {
  return {
    name: reservation.name,
    accounts: reservation.accounts.join(","),
    users: reservation.users.join(","),
    groups: "",
    core_count: reservation.cpus,
    core_specializations: [],
    start_time: secondsOf(reservation.startAt),
    end_time: secondsOf(reservation.endAt),
    features: "",
    flags: reservation.flags,
    licenses: "",
    node_count: reservation.nodes.length,
    node_list: fold(reservation.nodes),
    partition: reservation.partition ?? "",
    tres: `cpu=${reservation.cpus}`,
  };
}
