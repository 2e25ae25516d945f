/** mgpu down: ends the daemons. Refused while jobs run, unless they are to be cancelled. */

import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import type { Connected, Peer } from "../../rpc/types.ts";
import { countText } from "../../view/cluster-text.ts";
import { textTable } from "../../view/text-table.ts";
import { NoController } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { jobFilter } from "../filters.ts";
import { connectIfRunning } from "./mgpu-up.ts";

/** After the daemons have agreed to end: they only have to close their files. */
const END_LIMIT_MS = 15_000;
const POLL_MS = 25;
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
    const connected = await connectIfRunning(context);
    if (connected === null) {
      context.stdio.out("mgpu is not running\n");
      return 0;
    }
    const cancelled = await shutDown(connected, parsed.values.has("force"), context);
    if (cancelled === null) return 1;
    await untilGone(context);
    const jobs =
      cancelled.length > 0 ? `; ${countText(cancelled.length, "job")} cancelled: ${cancelled.join(", ")}` : "";
    context.stdio.out(`mgpu has ended${jobs}\n`);
    return 0;
  },
};

/** Ids of the jobs that were cancelled for it; `null` after a refusal was told. */
async function shutDown(
  { peer }: Connected,
  force: boolean,
  context: CommandContext,
): Promise<readonly number[] | null> {
  try {
    // Running jobs get the time to end that they have at a time limit, however long that is.
    const { cancelled } = await peer.call("controller.shutdown", { force }, { deadlineMs: null });
    return cancelled;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    // The daemon was faster than its answer.
    if (error.code === "LOST_CONTACT") return [];
    if (error.code !== "JOBS_RUNNING") throw error;
    const { program, stdio } = context;
    stdio.err(`${program}: error: ${error.message}\n${await runningJobs(peer)}`);
    stdio.err(`${program}: hint: ${error.hint ?? "use --force to end them"}\n`);
    return null;
  } finally {
    peer.close();
  }
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

/** Waits until nobody listens any more: only then can the next daemon start. */
async function untilGone(context: CommandContext): Promise<void> {
  const { clock } = context;
  const endMs = clock.monotonic() + END_LIMIT_MS;
  while (await isThere(context)) {
    if (clock.monotonic() >= endMs) {
      const problem = `the controller still listens ${END_LIMIT_MS / 1000} s after it agreed to end`;
      throw new UserError(problem, `its log is in ${context.places.logFolder}`);
    }
    await sleep(clock, POLL_MS);
  }
}

/** Whether somebody listens, even if only to hang up. */
async function isThere(context: CommandContext): Promise<boolean> {
  try {
    const { peer } = await context.connect({ start: false });
    peer.close();
    return true;
  } catch (error) {
    if (!(error instanceof NoController)) throw error;
    return !error.isNobodyThere;
  }
}
