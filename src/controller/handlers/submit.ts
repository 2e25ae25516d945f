/** job.submit: script and environment on disk, then the job in the queue. */

import type { SubmitJob } from "../../core/commands.ts";
import { findPartition, submissionProblem } from "../../core/decide/submit.ts";
import { couldRun } from "../../core/fit.ts";
import type { JobRequest, JobSpec, User } from "../../core/jobspec.ts";
import { candidatesOf } from "../../core/node-set.ts";
import { submittedSpec } from "../../core/shared-specs.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Hello } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { couldRunTogether } from "../../sched/place/together.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { estimateStart } from "../estimate.ts";
import { jobName } from "../owners.ts";
import { answered } from "../people.ts";
import { storeEnvironment, storeScript } from "../stored-inputs.ts";

/** Accepts a job; the same request id again answers with the same job. */
export function submitHandler(context: ControllerContext): UnaryHandler<"job.submit"> {
  return async ({ requestId, job: wish, script, environment, testOnly, as, followers: wishes = [] }, { hello }) => {
    const job = withMemory(wish, context);
    const followers = wishes.map((one) => ({ ...one, job: withMemory(one.job, context) }));
    refuseAtEnd(context);
    const user = as ? await submitterOf(context, as, hello) : hello.user;
    refuseCrowd(context, [job, ...followers.map((one) => one.job)]);
    await context.checkPrograms(
      { kind: job.kind, program: job, environment, script },
      // A script runs once, on the first component.
      ...(job.kind === "run" ? followers : []).map((one) => ({
        ...one,
        kind: job.kind,
        program: one.job,
        script: null,
      })),
    );
    if (testOnly) {
      const digests = { user, scriptDigest: null, environmentDigest: "" };
      return testSubmission(
        context,
        { ...job, ...digests },
        followers.map((one) => ({ ...one.job, ...digests })),
      );
    }
    const [scriptDigest, ...digests] = await Promise.all([
      script === null ? null : storeScript(context, script),
      ...[{ environment }, ...followers].map((one) => {
        return storeEnvironment(context, as?.user ? withoutLogin(one.environment) : one.environment);
      }),
    ]);
    // The end may have begun meanwhile, and has seen to the jobs that it knew.
    refuseAtEnd(context);
    const spec = submittedSpec(job, user, scriptDigest, digests[0] ?? "");
    const others = followers.map((one, at): JobSpec => {
      return { ...one.job, user, scriptDigest: null, environmentDigest: digests[at + 1] ?? "" };
    });
    const whole = others.length > 0 ? { followers: others } : {};
    const decision = await executeOrThrow(context, {
      type: "job.submit",
      requestId,
      spec,
      ...whole,
      ...limitsOf(context),
    });
    if (decision.kind === "deny" || decision.jobId === undefined) throw new RpcError("INTERNAL", "no job id");
    const { jobId } = decision;
    if (job.kind !== "batch") context.owners.expect(jobName(jobId), true);
    // Of srun each component has tasks of its own, whose streams are claimed one by one.
    if (job.kind === "run") for (const at of others.keys()) context.owners.expect(jobName(jobId + at + 1), true);
    return { jobId, ...mailWarning(context, spec) };
  };
}

/** What of root's login is not true of the user that root submits for: the node sets the user's own. */
function withoutLogin(environment: Readonly<Record<string, string>>): Record<string, string> {
  const { USER: _user, LOGNAME: _name, HOME: _home, SHELL: _shell, MAIL: _mail, ...rest } = environment;
  const { XDG_RUNTIME_DIR: _runtime, MGPU_HOME: _state, ...others } = rest;
  return others;
}

/** Whose job it is, as root says. @throws RpcError in Slurm's words */
async function submitterOf(
  { people, identity }: ControllerContext,
  as: { readonly user: string; readonly group: string },
  { user: root }: Hello,
): Promise<User> {
  if (root.uid !== 0) throw new RpcError("PERMISSION", "--uid and --gid only permitted by root user");
  const user =
    as.user === "" || as.user === root.name ? root : people ? await answered(people.findUser(as.user)) : null;
  if (!user) throw new RpcError("BAD_PARAMS", "Invalid --uid specification", `this machine knows no user ${as.user}`);
  const gid = as.group === "" ? user.gid : people ? await answered(people.findGroup(as.group)) : null;
  if (gid === null) throw new RpcError("BAD_PARAMS", "Invalid --gid specification", `there is no group ${as.group}`);
  const { uid, name } = user;
  const owner = identity.user;
  if (owner.uid !== 0 && uid !== owner.uid) {
    const hint = `jobs run as ${owner.name} here, who started mgpuctld; root's daemons serve several users`;
    throw new RpcError("PERMISSION", "Access/permission denied", hint);
  }
  return { uid, gid, name };
}

/** Components that could never run at the same time would wait for ever: how they fit together only the scheduler can say. */
function refuseCrowd({ loop }: ControllerContext, jobs: readonly JobRequest[]): void {
  const { nodes } = loop.state;
  const requests = jobs.map(({ request }) => request);
  if (requests.length < 2 || nodes.size === 0) return;
  const candidates = candidatesOf([...nodes.values()]);
  const areFine = requests.every((request) => couldRun(candidates, request));
  if (!areFine || couldRunTogether(requests.map((request) => ({ candidates, request })))) return;
  const hint = `each of the ${jobs.length} components could run, but this cluster can't hold all of them at the same time`;
  throw new RpcError("NOT_FEASIBLE", "Requested node configuration is not available", hint);
}

/** The words of a command that say how many may wait, and whether limits of partitions refuse or let wait. */
export function limitsOf({ settings }: ControllerContext): Pick<SubmitJob, "isEnforced" | "queueLimits"> {
  const { enforcePartLimits, maxQueued, maxQueuedPerUser } = settings;
  const queueLimits = { all: maxQueued, perUser: maxQueuedPerUser };
  return { queueLimits, ...(enforcePartLimits === "NO" ? {} : { isEnforced: true }) };
}

/** A job that asks for no memory gets what the configuration says, which its processes are then kept within. */
export function withMemory<T extends JobRequest>(job: T, { settings, loop }: ControllerContext): T {
  const { defaultMemoryMiB: mib } = settings;
  const partition = findPartition(loop.state, job);
  const hasOwn = partition?.defaultMemory || (job.request.gpus && partition?.memoryPerGpuMiB);
  if (mib === 0 || job.request.memory || hasOwn) return job;
  return { ...job, request: { ...job.request, memory: { per: "node", mib } } };
}

function mailWarning({ mailer }: ControllerContext, { mail }: JobSpec): { warnings?: string[] } {
  const problem = mail && mail.user !== "" && mailer.problem();
  return problem ? { warnings: [`there will be no mail: ${problem}`] } : {};
}

/** @throws RpcError SHUTTING_DOWN once the controller is to end */
export function refuseAtEnd(context: ControllerContext): void {
  if (context.isEnding()) throw new RpcError("SHUTTING_DOWN", "mgpu is being ended", "start it again with: mgpu up");
}

/** Says when and where a job would start, and queues nothing. */
async function testSubmission(context: ControllerContext, spec: JobSpec, followers: readonly JobSpec[]) {
  const { state } = context.loop;
  const problem = submissionProblem(state, { spec, followers, ...limitsOf(context) });
  if (problem) throw new RpcError(problem.denial.code, problem.denial.message, problem.denial.hint);
  return { jobId: state.nextJobId, estimate: await estimateStart(context, [spec, ...followers]) };
}
