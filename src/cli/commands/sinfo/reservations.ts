/** sinfo --reservation: the reservations there are, in Slurm's columns. */

import { fold } from "../../../core/hostlist.ts";
import type { ReservationRow } from "../../../protocol/procedures.ts";
import type { Peer } from "../../../rpc/types.ts";
import { clockTime } from "../../../view/record-text.ts";
import type { CommandContext } from "../../context.ts";
import type { OptionReader } from "../../filters.ts";

/** How a listing's times read, and what stands before it. */
interface ReservationView {
  /** Milliseconds since 1970 as text. */
  moment(atMs: number): string;
  /** The line of the date, or empty. */
  readonly heading: string;
}

const HEADER = ["RESV_NAME", "STATE", "START_TIME", "END_TIME", "DURATION", "NODELIST"] as const;

/** Prints them; the exit code. */
export async function listReservations(
  peer: Peer,
  options: OptionReader,
  { stdio }: Pick<CommandContext, "stdio">,
  { moment, heading }: ReservationView,
): Promise<number> {
  const { reservations } = await peer.call("reservations.list", {});
  if (reservations.length === 0) {
    stdio.out(`${heading}No reservations in the system\n`);
    return 0;
  }
  const rows = reservations.map((row) => cellsOf(row, moment));
  const lines = options.isGiven("noheader") ? rows : [HEADER, ...rows];
  const width = lines.reduce((most, [name = ""]) => Math.max(most, name.length), HEADER[0].length);
  stdio.out(heading + lines.map((cells) => lineOf(cells, width)).join(""));
  return 0;
}

function cellsOf(row: ReservationRow, moment: (atMs: number) => string): readonly string[] {
  const { name, isActive, startAt, endAt, nodes } = row;
  const duration = clockTime((endAt - startAt) / 1000);
  return [name, isActive ? "ACTIVE" : "INACTIVE", moment(startAt), moment(endAt), duration, fold(nodes)];
}

/** Two blanks between columns, whose widths are Slurm's. */
function lineOf(
  [name = "", state = "", start = "", end = "", duration = "", nodes = ""]: readonly string[],
  width: number,
): string {
  const cells = [
    name.padEnd(width),
    state.padStart(8),
    start.padStart(19),
    end.padStart(19),
    duration.padStart(11),
    nodes,
  ];
  return `${cells.join("  ")}\n`;
}
