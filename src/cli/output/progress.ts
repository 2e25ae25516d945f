/** sbatch --wait --progress: how a job, an array or a feed goes on, in one line. */

import { LIVE_STATES } from "../../view/job-states.ts";
import type { createSpeaker } from "../attach/speaker.ts";

/** What is looked at of a job or a task. */
interface Seen {
  readonly id: number;
  readonly state: string;
  readonly reasonText?: string;
}

const BAR_CELLS = 20;

/** Of the tasks of an array, or of one job. */
export interface Progress {
  see(row: Seen): void;
  /** The line on the terminal is cleared. */
  close(): void;
}

/**
 * Says each change of the counts.
 * @param what `job 12`
 * @param total tasks of the array; 1 for a job that is none
 */
export function createProgress(
  what: string,
  total: number,
  speaker: Pick<ReturnType<typeof createSpeaker>, "info" | "status" | "isLive">,
): Progress {
  const seen = new Map<number, Seen>();
  let said = "";
  return {
    see(row) {
      seen.set(row.id, row);
      const text = `${what} ${total > 1 ? arrayText([...seen.values()], total) : jobText(row)}`;
      if (text === said) return;
      said = text;
      if (speaker.isLive) speaker.status(text);
      else speaker.info(text);
    },
    close() {
      speaker.status(null);
    },
  };
}

/** `RUNNING`, or `PENDING: waits for 2 GPUs`. */
function jobText({ state, reasonText = "" }: Seen): string {
  return state === "PENDING" && reasonText !== "" ? `${state}: ${reasonText}` : state;
}

/** `[#####---------------] 25/100 ended, 2 failed, 8 running`. A record may stand for all tasks that wait. */
function arrayText(rows: readonly Seen[], total: number): string {
  const ended = rows.filter(({ state }) => !LIVE_STATES.includes(state));
  const failed = ended.filter(({ state }) => state !== "COMPLETED").length;
  const running = rows.filter(({ state }) => LIVE_STATES.includes(state) && state !== "PENDING").length;
  const full = Math.floor((ended.length / total) * BAR_CELLS);
  const bar = "#".repeat(full) + "-".repeat(BAR_CELLS - full);
  const parts = [
    `[${bar}] ${ended.length}/${total} ended`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    `${running} running`,
  ];
  return parts.join(", ");
}
