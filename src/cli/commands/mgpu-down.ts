/** mgpu down: ends the daemons. Refused while jobs run, unless they are to be cancelled. */

import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { HelloAnswer, JobRow, Result } from "../../protocol/procedures.ts";
import type { Connected, Peer } from "../../rpc/types.ts";
import { countText } from "../../view/cluster-text.ts";
import { textTable } from "../../view/text-table.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { NoController } from "../dial.ts";
import { jobFilter } from "../filters.ts";
import { endingText } from "../output/ending.ts";
import { connectIfRunning } from "./mgpu-up.ts";

/** After the daemons have agreed to end: they only have to close their files. */
const END_LIMIT_MS = 15_000;
const POLL_MS = 25;
/** Jobs that end within this time are not worth a word. */
const NOTICE_MS = 1000;
/** Running jobs listed with a refusal. */
const JOBS_LISTED_MAX = 20;

const LISTED_FIELDS = ["id", "user", "name", "nodeList"] as const satisfies readonly (keyof JobRow)[];

export const command: Command = {
  name: "mgpu down",
  summary: "End mgpu's daemons; waiting jobs stay in the queue for the next start",
  synopsis: "[OPTIONS...]",
  options: [{ long: "force", short: "f", argument: "none", help: "cancel the jobs that run, instead of refusing" }],
  operands: "permute",
  examples: ["mgpu down", "mgpu down --force"],
  async run(parsed, context) {
    endFront(context);
    const connected = await connectIfRunning(context);
    if (connected === null) {
      forgetSettings(context);
      context.stdio.out("mgpu is not running\n");
      return 0;
    }
    const ended = await shutDown(connected, parsed.values.has("force"), context);
    if (ended === null) return 1;
    const { cancelled, left = [] } = ended;
    context.stdio.err(left.map((text) => `${context.program}: warning: ${text}\n`).join(""));
    await untilGone(connected.answer, context);
    const jobs =
      cancelled.length > 0 ? `; ${countText(cancelled.length, "job")} cancelled: ${cancelled.join(", ")}` : "";
    context.stdio.out(`mgpu has ended${jobs}\n`);
    return 0;
  },
};

/** A front of ours ends when nobody can find it any more. */
function endFront({ files, places }: CommandContext): void {
  try {
    files.remove(`${places.home}/front/door`);
  } catch {
    // A state folder that we can't change has none of ours.
  }
}

/** One that crashed could not do so itself. */
function forgetSettings({ environment, files, places }: CommandContext): void {
  if (environment.MGPU_CONTROLLER) return;
  try {
    files.remove(places.settingsFile);
  } catch {
    // A state folder that we can't change has none of ours.
  }
}

/** What the controller says of its end; `null` after a refusal was told. */
async function shutDown(
  { peer }: Connected,
  force: boolean,
  context: CommandContext,
): Promise<Result<"controller.shutdown"> | null> {
  const cancelNotice = context.clock.after(NOTICE_MS, () => void tellWait(peer, context));
  try {
    // Running jobs get the time to end that they have at a time limit, however long that is.
    return await peer.call("controller.shutdown", { force }, { deadlineMs: null });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    // The daemon was faster than its answer.
    if (error.code === "LOST_CONTACT") return { cancelled: [] };
    if (error.code !== "JOBS_RUNNING") throw error;
    const { program, stdio } = context;
    stdio.err(`${program}: error: ${error.message}\n${await runningJobs(peer)}`);
    stdio.err(`${program}: hint: ${error.hint ?? "use --force to end them"}\n`);
    return null;
  } finally {
    cancelNotice();
    peer.close();
  }
}

/** Says whom the end waits for, and for how long at most. What can't be asked for is not said. */
async function tellWait(peer: Peer, context: CommandContext): Promise<void> {
  const status = await peer.call("controller.status", {}).catch(() => null);
  if (status?.ending) context.stdio.err(`${context.program}: ${endingText(status.ending, context)}\n`);
}

/** A table of what runs, for the refusal. */
async function runningJobs(peer: Peer): Promise<string> {
  const rows: string[][] = [];
  const filter = jobFilter({ states: ["RUNNING", "COMPLETING"] });
  await peer.stream("jobs.list", { filter, fields: [...LISTED_FIELDS] }, (chunk) => {
    rows.push(...chunk.rows.map((row) => row.map(String)));
  });
  const more = rows.length > JOBS_LISTED_MAX ? `and ${rows.length - JOBS_LISTED_MAX} more\n` : "";
  return textTable(["JOBID", "USER", "NAME", "NODELIST"], rows.slice(0, JOBS_LISTED_MAX)) + more;
}

/** Waits until the daemon's process has ended: only then can the next one start. */
async function untilGone(ended: HelloAnswer, context: CommandContext): Promise<void> {
  const { clock } = context;
  const endMs = clock.monotonic() + END_LIMIT_MS;
  while (await isThere(ended, context)) {
    if (clock.monotonic() >= endMs) {
      const problem = `the controller is still there ${END_LIMIT_MS / 1000} s after it agreed to end`;
      throw new UserError(problem, `its log is in ${context.places.logFolder}`);
    }
    await sleep(clock, POLL_MS);
  }
}

/** Whether it listens or has not given up its state folder yet. One that somebody started meanwhile is another. */
async function isThere(ended: HelloAnswer, context: CommandContext): Promise<boolean> {
  try {
    const { peer, answer } = await context.connect({ start: false, isHere: true });
    peer.close();
    return answer.pid === ended.pid && answer.startedAt === ended.startedAt;
  } catch (error) {
    if (!(error instanceof NoController)) throw error;
    return !error.isNobodyThere;
  }
}
