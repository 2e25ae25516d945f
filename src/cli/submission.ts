/**
 * Handing a job to the controller. A submission carries a name of its own, so that it can be repeated when its
 * answer was lost: the controller answers with the same job again.
 */

import { DEFAULT_PARTITION } from "../core/partition.ts";
import { formatTimestamp } from "../core/time.ts";
import { sleep } from "../platform/clock.ts";
import { type ErrorCode, RpcError } from "../protocol/errors.ts";
import type { Params } from "../protocol/procedures.ts";
import type { Connected, Peer } from "../rpc/types.ts";
import { forgetCandidates } from "./commands/completion/cache-path.ts";
import { connectAsSlurm, feasibilityHint } from "./connect.ts";
import { type CommandContext, UserError } from "./context.ts";

/** A job that the controller has on disk, and the connection over which it said so. */
export interface Submitted {
  readonly jobId: number;
  readonly connected: Connected;
}

/** Times that a submission is sent: a controller that is restarted is back within one or two seconds. */
export const TRIES_MAX = 4;
/** Before the next try. */
export const RETRY_MS = 500;

/** Bytes of a random request id; no two submissions of a state folder's life may share one. */
export const REQUEST_ID_BYTES = 16;

/** Refusals of the job itself, which Slurm's commands introduce with their own words. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "NOT_FEASIBLE",
  "INVALID_PARTITION",
  "INVALID_TIME_LIMIT",
  "PARTITION_UNAVAILABLE",
  "RESERVATION_ACCESS",
  "INVALID_ACCOUNT",
  "INVALID_QOS",
  "INVALID_DEPENDENCY",
  "INVALID_ARRAY",
  "INVALID_RESERVATION",
  "INVALID_LICENSES",
  "INVALID_NODE",
  "INVALID_NODE_COUNT",
  "INVALID_FEATURE",
  "DISABLED",
  "NO_CAPACITY",
  "PERMISSION",
  "INVALID_JOB",
]);

/**
 * Submits a job.
 * @param refusal how the command introduces a refusal: `Unable to allocate resources`
 * @param onSend called when the job may be accepted from now on
 * @returns `null` after Slurm's words were said for a controller that can't be reached
 * @throws UserError for a refusal, RpcError for anything else
 */
export async function submitJob(
  context: CommandContext,
  submission: Omit<Params<"job.submit">, "requestId">,
  refusal: string,
  onSend: () => void = () => {},
): Promise<Submitted | null> {
  const requestId = context.random.hex(REQUEST_ID_BYTES);
  for (let attempt = 1; ; attempt++) {
    const connected = await connectAsSlurm(context, `${context.program}: error: ${refusal}`);
    if (connected === null) return null;
    try {
      onSend();
      const { jobId, warnings = [] } = await connected.peer.call("job.submit", { requestId, ...submission });
      for (const text of warnings) context.stdio.err(`${context.program}: warning: ${text}\n`);
      forgetCandidates(context);
      return { jobId, connected };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (isRefusal(error)) throw await refused(error, refusal, context, connected.peer);
      connected.peer.close();
      if (error.code !== "LOST_CONTACT" || attempt === TRIES_MAX) throw error;
      await sleep(context.clock, RETRY_MS);
    }
  }
}

/**
 * --test-only: says when and where a job would start, and queues nothing.
 * @returns the exit code
 * @throws UserError for a refusal, RpcError for anything else
 */
export async function testSubmission(
  context: CommandContext,
  submission: Omit<Params<"job.submit">, "requestId">,
  refusal: string,
): Promise<number> {
  const connected = await connectAsSlurm(context, `${context.program}: error: ${refusal}`);
  if (connected === null) return 1;
  const { peer } = connected;
  try {
    const params = { requestId: context.random.hex(REQUEST_ID_BYTES), ...submission, testOnly: true };
    const { jobId, estimate } = await peer.call("job.submit", params);
    const startAt = estimate?.startAt ?? null;
    const when = startAt === null ? "a time that is not known yet" : formatTimestamp(startAt, context.utcOffsetMinutes);
    const where = estimate?.nodeList ? ` on nodes ${estimate.nodeList}` : "";
    const partition = estimate?.partition ?? submission.job.partition ?? DEFAULT_PARTITION.name;
    const using = estimate?.cpus ? ` using ${estimate.cpus} processors` : "";
    const what = `${using}${where} in partition ${partition}`;
    context.stdio.err(`${context.program}: Job ${jobId} to start at ${when}${what}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof RpcError) || !isRefusal(error)) throw error;
    throw await refused(error, "allocation failure", context, peer);
  } finally {
    peer.close();
  }
}

/** Whether the job itself was refused. */
export function isRefusal({ code }: RpcError): boolean {
  return REFUSALS.has(code);
}

/** A refusal of a job in Slurm's words, with what the cluster has instead where that is the matter. */
export async function refused(
  error: RpcError,
  refusal: string,
  context: CommandContext,
  peer: Peer,
): Promise<UserError> {
  if (error.code === "INVALID_PARTITION") {
    return new UserError([error.message, `${refusal}: Invalid partition name specified`], error.hint);
  }
  // Asking for more must not hide what is known already.
  const hint = error.code === "NOT_FEASIBLE" ? await feasibilityHint(context, peer).catch(() => undefined) : undefined;
  return new UserError(`${refusal}: ${error.message}`, hint ?? error.hint);
}
