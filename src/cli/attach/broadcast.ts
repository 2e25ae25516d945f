/**
 * A file on all nodes of a job: a step there with one task a node writes what comes in, and only a complete copy gets
 * the file's name.
 */

import type { StepOrder } from "../../core/jobspec.ts";
import { PLAIN_REQUEST } from "../../core/resources.ts";
import { errnoText } from "../../util/errno.ts";
import { connectAsSlurm } from "../connect.ts";
import { type CommandContext, type FileFacts, type Input, UserError } from "../context.ts";
import { jobFilter } from "../filters.ts";
import { createStep } from "./create-step.ts";
import { followJob } from "./session.ts";

export interface BroadcastPlan {
  readonly jobId: number;
  /** To the nodes of this step only; `null` for all of the job's. */
  readonly stepId: number | null;
  readonly source: string;
  /** Where the copies are; relative to `workDir`. */
  readonly target: string;
  readonly workDir: string;
  /** Replace a file that exists. */
  readonly force: boolean;
  /** Keep the file's times. */
  readonly preserve: boolean;
  readonly verbose?: boolean;
  /** Bytes sent at once; absent for the usual. */
  readonly blockBytes?: number;
}

/** Read at once: some calls' worth. */
const BLOCK_BYTES = 1024 * 1024;

/**
 * What a node runs. Its arguments: the copy's path, its mode, times of access and change (seconds since 1970, or
 * nothing), and whether it may replace a file.
 */
const SCRIPT = `
target=$1 mode=$2 accessed=$3 changed=$4 force=$5
fail() { echo "sbcast: error: REQUEST_FILE_BCAST(\${SLURMD_NODENAME:-?}): $1" >&2; exit 1; }
[ -n "$force" ] || ! [ -e "$target" ] || fail "$target: File exists"
! [ -d "$target" ] || fail "$target: Is a directory"
part=$target.sbcast.$$
trap 'rm -f -- "$part"' EXIT
umask 077
cat > "$part" || fail "$target: can't be written"
chmod -- "$mode" "$part" || fail "$target: its mode can't be set"
if [ -n "$changed" ]; then
  touch -m -d "@$changed" -- "$part" && touch -a -d "@$accessed" -- "$part" || fail "$target: its times can't be set"
fi
mv -f -- "$part" "$target" || fail "$target: can't be replaced"
`;

/** Copies the file; the exit code is 0 if all nodes have it. */
export async function broadcastFile(plan: BroadcastPlan, context: CommandContext): Promise<number> {
  const facts = factsOf(plan.source, context);
  const { jobId } = plan;
  const nodes = await nodesOf(jobId, plan.stepId, context);
  if (typeof nodes === "number") return nodes;
  const step = stepFor(plan, facts, nodes, context);
  const { environment } = context;
  const wish = { jobId, step, environment: cleaned(environment), immediateS: null, quiet: false };
  const made = await createStep(wish, context);
  if (typeof made === "number") return made;
  const { stepId, tasks, connected } = made;
  const input = fileInput(context.files.chunks(plan.source, plan.blockBytes ?? BLOCK_BYTES));
  const code = await followJob(
    {
      ...{ jobId, stepId, tasks, label: false, input: "all", quiet: false, verbose: plan.verbose ?? false },
      ...{ terminal: null, silence: null, warnsBeforeEnd: false, ownsJob: true, onDisconnect: "kill" },
      isReasonStreamed: true,
      ...{ lastTasks: { killOnBadExit: true, waitS: 0 }, interrupt: "quit", immediateS: null },
    },
    connected,
    { ...context, session: { ...context.session, input } },
    [],
  );
  return code === 0 ? 0 : 1;
}

function factsOf(source: string, { files }: CommandContext): FileFacts {
  try {
    const facts = files.stat(source);
    if (!facts.isFile) throw new UserError(`${source}: not a regular file`);
    return facts;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Can't open \`${source}\`: ${errnoText(error)}`);
  }
}

/** The nodes of a job or step that runs; or the exit code, after it was said that there is no controller. */
async function nodesOf(jobId: number, stepId: number | null, context: CommandContext): Promise<string[] | number> {
  const unable = `Unable to confirm allocation for job ${jobId}`;
  const connected = await connectAsSlurm(context, `${context.program}: error: ${unable}`);
  if (connected === null) return 1;
  const { peer } = connected;
  const nodes: string[] = [];
  try {
    await peer.stream("jobs.get", { filter: jobFilter({ ids: [jobId] }) }, ({ jobs }) => {
      const job = jobs.find((entry) => entry.job.id === jobId)?.job;
      if (job?.state !== "RUNNING") return;
      const parts = stepId === null ? job.allocation : (job.steps.find(({ id }) => id === stepId)?.parts ?? []);
      nodes.push(...parts.map(({ node }) => node));
    });
  } finally {
    peer.close();
  }
  if (nodes.length > 0) return nodes;
  throw new UserError(
    stepId === null ? `${unable}: Invalid job id specified` : `Job step ${jobId}.${stepId} not found`,
  );
}

function stepFor(
  { target, workDir, force, preserve }: BroadcastPlan,
  facts: FileFacts,
  nodes: readonly string[],
  { shell, hostname }: CommandContext,
): StepOrder {
  const seconds = (ms: number): string => (preserve ? (ms / 1000).toFixed(3) : "");
  const mode = (facts.mode & 0o777).toString(8);
  const args = [target, mode, seconds(facts.atimeMs), seconds(facts.mtimeMs), force ? "1" : ""];
  const count = nodes.length;
  return {
    ...{ name: "sbcast", workDir, programs: [], pty: null, umask: shell.umask(), rlimits: {} },
    argv: ["/bin/sh", "-c", SCRIPT, "sbcast", ...args],
    io: { stdin: "all", stdout: null, stderr: null, openMode: "truncate", label: false },
    ...{ distribution: "block", gpuBind: null, timeLimitS: 0, submitHost: hostname },
    request: {
      ...PLAIN_REQUEST,
      ...{ tasks: count, nodes: { min: count, max: count }, tasksPerNode: 1, nodeList: nodes },
      ...{ overlap: true, exact: true, firstNode: 0 },
    },
  };
}

/** Variables without those that are absent. */
function cleaned(environment: CommandContext["environment"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A file as standard input. */
function fileInput(chunks: Iterable<Uint8Array>): Input {
  let isStopped = false;
  return {
    async read(take) {
      for (const chunk of chunks) {
        if (isStopped) return;
        await take(chunk);
      }
    },
    stop() {
      isStopped = true;
    },
  };
}
