/** What users change: jobs ended, signalled, held, released, requeued, changed; nodes drained and resumed. */

import { firstTask, formatTaskSet, intersect, taskCount } from "../../core/array-spec.ts";
import { jobLabel } from "../../core/job-label.ts";
import { signalName } from "../../core/signals.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { JobFilter, Params, Result } from "../../protocol/procedures.ts";
import type { Handlers } from "../../rpc/types.ts";
import type { SlurmJob } from "./jobs.ts";
import { selected } from "./select.ts";
import type { Slurm } from "./slurm.ts";

type Changers = Pick<Handlers<"controller">, "jobs.cancel" | "jobs.steer" | "cluster.change">;
type Steering = Params<"jobs.steer">["action"];
type Results = Result<"jobs.steer">;

/** Seconds of a minute: Slurm takes minutes and seconds as `MIN:SEC`. */
const MINUTE_S = 60;

/** The procedures that change something. */
export function changers(slurm: Slurm): Changers {
  return {
    async "jobs.cancel"({ filter, stepId, signal, target }) {
      const flags = signal === null ? [] : [`--signal=${signalName(signal)}`];
      if (target === "batch") flags.push("--batch");
      if (target === "full") flags.push("--full");
      const step = stepId === null ? "" : `.${stepId}`;
      return each(slurm, filter, (name) => ["scancel", [...flags, `${name}${step}`]]);
    },
    async "jobs.steer"({ filter, action }) {
      return each(slurm, filter, (name) => ["scontrol", wordsOf(action, name)]);
    },
    async "cluster.change"({ change }) {
      if (change.type !== "nodes.update") throw refused("mgpu-scontrol changes partitions and reservations of Slurm");
      const { state, reason, ...others } = change.changes;
      const [other] = Object.keys(others);
      if (other === "pausedGpus") throw refused("Slurm can't close single GPUs: drain the node, or reserve the GPUs");
      if (other !== undefined) throw refused(`mgpu-scontrol update node changes ${other}`);
      const words = [...(state === undefined ? [] : [`State=${state}`]), ...(reason ? [`Reason=${reason}`] : [])];
      await slurm.ask("scontrol", ["update", `NodeName=${change.nodes.join(",")}`, ...words]);
      slurm.changed();
      return { name: change.nodes.join(",") };
    },
  };
}

function refused(why: string): RpcError {
  return new RpcError("DISABLED", `the cluster is Slurm: ${why}`);
}

/** Words of scontrol for one job. */
function wordsOf(action: Steering, name: string): string[] {
  switch (action.type) {
    case "hold":
      return [action.by === "user" ? "uhold" : "hold", name];
    case "release":
      return ["release", name];
    case "requeue":
      return [action.hold ? "requeuehold" : "requeue", ...(action.special ? ["State=SpecialExit"] : []), name];
    case "suspend":
    case "resume":
      return [action.type, name];
    case "stepLimit":
      return ["update", `StepId=${name}.${action.stepId ?? 0}`, `TimeLimit=${limitText(action.limitS)}`];
    case "update":
      return ["update", `JobId=${name}`, ...changeWords(action.changes)];
  }
}

function changeWords(changes: Extract<Steering, { type: "update" }>["changes"]): string[] {
  const words = Object.entries(changes).map(([key, value]): string => {
    if (key === "timeLimitS") return `TimeLimit=${limitText(value as number)}`;
    if (key === "priority") return `Priority=${value}`;
    if (key === "nice") return `Nice=${value}`;
    if (key === "name") return `JobName=${value}`;
    if (key === "comment") return `Comment=${value}`;
    throw refused(`mgpu-scontrol update job changes ${key}`);
  });
  return words;
}

function limitText(limitS: number): string {
  return limitS === 0 ? "UNLIMITED" : `${Math.floor(limitS / MINUTE_S)}:${String(limitS % MINUTE_S).padStart(2, "0")}`;
}

/** Does it to each selected job, and says what came of it. Ids that nobody knows are refused one by one. */
async function each(
  slurm: Slurm,
  filter: JobFilter,
  order: (name: string) => [string, readonly string[]],
): Promise<Results> {
  const found = selected(await slurm.jobs(), filter);
  const results: Results["jobs"] = [];
  for (const one of found) {
    const [command, args] = order(slurmName(one, filter));
    const { code, stdout, stderr } = await slurm.attempt(command, args);
    const said = (stderr || stdout).trim().split("\n").at(-1) ?? "";
    const isRefused = code !== 0 || /error/i.test(stderr);
    const error = isRefused ? { code: "INVALID_JOB", message: said.replace(/^\w+: (error: )?/, "") } : null;
    results.push({ jobId: one.job.id, label: jobLabel(one.job), error });
  }
  const known = new Set(found.flatMap(({ job, row }) => [job.id, job.array?.jobId, row.hetJobId]));
  for (const jobId of filter.ids.filter((id) => !known.has(id))) {
    results.push({ jobId, error: { code: "INVALID_JOB", message: "Invalid job id specified" } });
  }
  slurm.changed();
  return { jobs: results };
}

/** As Slurm's commands take it: waiting tasks of an array by the array's number and theirs. */
function slurmName({ job, row }: SlurmJob, { tasks = [] }: JobFilter): string {
  if (row.hetJobId > 0) return `${row.hetJobId}+${row.hetOffset}`;
  const { array } = job;
  if (array === null) return String(job.id);
  const named = tasks.find(({ jobId }) => jobId === array.jobId);
  const meant = named ? intersect(array.tasks, named.tasks) : array.tasks;
  if (taskCount(meant) === 1) return `${array.jobId}_${firstTask(meant)}`;
  return named ? `${array.jobId}_[${formatTaskSet(meant)}]` : String(job.id);
}
