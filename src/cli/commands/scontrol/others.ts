/** scontrol's verbs that are neither `show` nor steer jobs: ping, write, wait_job. */

import { errnoText } from "../../../util/errno.ts";
import { isSlurmName, NoController } from "../../connect.ts";
import { UserError } from "../../context.ts";
import { readJobIds } from "./entries.ts";
import { type Verb, wordCountProblem } from "./scope.ts";

const STARS = "*".repeat(41);

/** Whether the controller answers. Never starts one. */
export const ping: Verb = async (words, scope) => {
  wordCountProblem("ping", words, 0, 0);
  const { context } = scope;
  const say = (state: string): void => context.stdio.out(`Slurmctld(primary) at ${context.hostname} is ${state}\n`);
  try {
    const { peer } = await context.connect({ start: false });
    await peer.call("ping", {});
    peer.close();
    say("UP");
    return 0;
  } catch (error) {
    if (!(error instanceof NoController)) throw error;
    say("DOWN");
    if (isSlurmName(context.program))
      context.stdio.out(`${STARS}\n** RESTORE SLURMCTLD DAEMON TO SERVICE **\n${STARS}\n`);
    return 1;
  }
};

/** `write batch_script JOB [FILE|-]` */
export const write: Verb = async (words, scope) => {
  const [what = "", id, file] = words;
  if (what === "") throw new UserError("too few arguments for keyword:write");
  if (!"batch_script".startsWith(what.toLowerCase())) {
    throw new UserError(`write ${what}: not supported by this version of mgpu`);
  }
  if (id === undefined) throw new UserError("too few arguments for keyword:write batch_script");
  wordCountProblem("write batch_script", words, 2, 3);
  const [target] = readJobIds([id]);
  if (target === undefined) throw new UserError(`Invalid job id specified for job ${id}`);
  const peer = await scope.peer("job script retrieval failed");
  const { script } = await peer.call("job.script", { jobId: target.jobId });
  const { stdio, files } = scope.context;
  if (file === "-") {
    stdio.out(script);
    return 0;
  }
  const path = file ?? `slurm-${target.text}.sh`;
  try {
    files.write(path, script);
  } catch (error) {
    throw new UserError(`${path}: ${errnoText(error)}`);
  }
  if (!scope.show.quiet) stdio.out(`batch script for job ${target.text} written to ${path}\n`);
  return 0;
};

/** Waits until a job has its nodes. */
export const waitJob: Verb = async (words, scope) => {
  wordCountProblem("wait_job", words, 1, 1);
  const [target] = readJobIds(words);
  if (target === undefined) throw new UserError("too few arguments for keyword:wait_job");
  const peer = await scope.peer("slurm_job_node_ready error");
  const { jobId } = target;
  const abort = new AbortController();
  let isReady = false;
  let isOver = false;
  await peer
    .stream(
      "job.watch",
      { jobId, owner: false },
      ({ row }) => {
        isOver = row.endAt !== null;
        isReady = !isOver && row.startAt !== null;
        if (isReady || isOver) abort.abort();
      },
      { signal: abort.signal },
    )
    .catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
  if (isReady) {
    if (!scope.show.quiet) scope.context.stdio.err(`${scope.context.program}: Nodes are ready for job ${words[0]}\n`);
    return 0;
  }
  scope.error(`Job ${words[0]} no longer running`);
  return 1;
};
