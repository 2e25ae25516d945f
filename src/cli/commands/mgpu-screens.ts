/** mgpu screens: the sessions with a terminal that one can attach to, and who is there. */

import type { Job } from "../../core/job.ts";
import { formatDuration } from "../../core/time.ts";
import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { AttachPoint, TerminalStatus } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { textTable } from "../../view/text-table.ts";
import { sessionsOf, type TerminalSession } from "../attach/sessions.ts";
import type { Command, CommandContext } from "../context.ts";
import { jobFilter } from "../filters.ts";

/** How long a session's holder is asked before it is shown without its answer. */
const ANSWER_MS = 2000;

const HEADER = ["JOBID", "USER", "NODE", "TIME", "SIZE", "ATTACHED", "QUIET", "COMMAND"];

interface Screen {
  readonly job: Job;
  readonly session: TerminalSession;
  /** `null` if its holder did not answer. */
  readonly status: TerminalStatus | null;
}

export const command: Command = {
  name: "mgpu screens",
  summary: "List the sessions with a terminal that mgpu-sattach can go to",
  synopsis: "[OPTIONS...]",
  options: [
    { long: "all", short: "a", argument: "none", help: "those of all users, and not only one's own" },
    { long: "json", argument: "none", help: "print JSON" },
  ],
  operands: "permute",
  examples: ["mgpu screens", "mgpu screens --json"],
  async run({ values }, context) {
    const { peer } = await context.connect({ start: false });
    try {
      const jobs = await runningJobs(peer, values.has("all") ? [] : [String(context.user.uid)]);
      const found = jobs.flatMap((job) => sessionsOf(job).map((session) => ({ job, session })));
      const screens = await Promise.all(
        found.map(async (one): Promise<Screen> => ({ ...one, status: await statusOf(peer, one, context) })),
      );
      context.stdio.out(values.has("json") ? jsonText(screens) : tableText(screens, context));
      return 0;
    } finally {
      peer.close();
    }
  },
};

async function runningJobs(peer: Peer, users: readonly string[]): Promise<Job[]> {
  const jobs: Job[] = [];
  await peer.stream("jobs.get", { filter: jobFilter({ users: [...users], states: ["RUNNING"] }) }, (item) => {
    jobs.push(...item.jobs.map(({ job }) => job));
  });
  return jobs;
}

/** Asks the session's holder. Another user's session tells nothing. */
async function statusOf(
  peer: Peer,
  { job, session }: Pick<Screen, "job" | "session">,
  context: CommandContext,
): Promise<TerminalStatus | null> {
  try {
    const point = await attachPoint(peer, job.id, session);
    if (!point) return null;
    const late = sleep(context.clock, ANSWER_MS).then(() => null);
    const connected = await Promise.race([context.session.connectHolder(point), late]);
    if (!connected) return null;
    const { key, token } = point;
    const asked = connected.peer.call("step.terminal", { key, token }, { deadlineMs: ANSWER_MS });
    return await asked.finally(() => connected.peer.close());
  } catch {
    // A holder that can't be asked has a line all the same.
    return null;
  }
}

async function attachPoint(peer: Peer, jobId: number, { stepId }: TerminalSession): Promise<AttachPoint | null> {
  const abort = new AbortController();
  let found: AttachPoint | null = null;
  try {
    await peer.stream(
      "job.watch",
      { jobId, stepId, owner: false },
      ({ attach: [point] }) => {
        found = point ?? null;
        abort.abort();
      },
      { signal: abort.signal },
    );
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  }
  return found;
}

function tableText(screens: readonly Screen[], { clock }: CommandContext): string {
  if (screens.length === 0) return "no sessions: mgpu-srun --pty and mgpu-sbatch --pty make some\n";
  return textTable(
    HEADER,
    screens.map(({ job, session, status }) => [
      nameOf(job, session),
      job.spec.user.name,
      session.node,
      formatDuration(Math.max(0, Math.floor((clock.now() - session.startAt) / 1000))),
      status ? `${status.columns}x${status.rows}` : "?",
      status ? attachedText(status) : "?",
      status ? formatDuration(Math.floor(status.quietMs / 1000)) : "?",
      session.argv.join(" "),
    ]),
  );
}

function attachedText({ writer, readers, unattendedMs }: TerminalStatus): string {
  const who = writer ?? `no, for ${formatDuration(Math.floor(unattendedMs / 1000))}`;
  return readers > 0 ? `${who} (+${readers} looking on)` : who;
}

/** The job's own session by the job's number alone. */
function nameOf(job: Job, { stepId }: TerminalSession): string {
  return stepId === "batch" || (stepId === 0 && job.spec.kind === "run") ? String(job.id) : `${job.id}.${stepId}`;
}

function jsonText(screens: readonly Screen[]): string {
  const sessions = screens.map(({ job, session, status }) => ({
    ...{ job_id: job.id, step_id: session.stepId, name: nameOf(job, session), user: job.spec.user.name },
    ...{ node: session.node, start_time: Math.floor(session.startAt / 1000), command: session.argv },
    ...{ attached: status?.writer ?? null, readers: status?.readers ?? null },
    ...{ columns: status?.columns ?? null, rows: status?.rows ?? null, quiet_ms: status?.quietMs ?? null },
  }));
  return `${JSON.stringify({ sessions }, null, 2)}\n`;
}
