/** Jobs looked at one by one before anything is done to them: criteria of scancel's own, and questions to the user. */

import { parseTaskSet } from "../../../core/array-spec.ts";
import { expand } from "../../../core/hostlist.ts";
import type { JobRow } from "../../../protocol/procedures.ts";
import type { Peer } from "../../../rpc/types.ts";
import { LIVE_STATES } from "../../../view/job-states.ts";
import type { CommandContext } from "../../context.ts";
import { criteriaOf, type JobTarget, jobFilter } from "../../filters.ts";
import { createLineReader, type LineReader } from "../../lines.ts";
import type { LocalCriteria, Order } from "./order.ts";

const FIELDS = [
  ...(["id", "name", "partition", "account", "qos", "wckey", "reservation", "nodeList"] as const),
  ...(["arrayJobId", "arrayTasks", "hetJobId", "hetOffset"] as const),
] as const;

type SeenJob = Pick<JobRow, (typeof FIELDS)[number]>;

/** Targets that meet all criteria and, with --interactive, the user's wish. Live jobs only, unless named by id. */
export async function chooseTargets(peer: Peer, order: Order, context: CommandContext): Promise<JobTarget[]> {
  const { targets, criteria, local, isInteractive } = order;
  const reader = createLineReader(context.session.input);
  const chosen: JobTarget[] = [];
  try {
    for (const target of targets.length > 0 ? targets : [null]) {
      const named = target === null ? { states: criteria.states ?? LIVE_STATES } : criteriaOf([target]);
      const jobs = await load(peer, { ...criteria, ...named });
      // Who names a job that does not exist hears so from the controller.
      if (target !== null && jobs.length === 0) chosen.push(target);
      for (const job of jobs) {
        const one = { ...targetOf(job), step: target?.step ?? null, cannotExist: false };
        if (!meets(job, local)) continue;
        if (!isInteractive || (await isWanted(job, one, reader, context))) chosen.push(one);
      }
    }
  } finally {
    reader.stop();
  }
  return chosen;
}

async function load(peer: Peer, criteria: Parameters<typeof jobFilter>[0]): Promise<SeenJob[]> {
  const jobs: SeenJob[] = [];
  const params = { filter: jobFilter(criteria), fields: [...FIELDS] };
  await peer.stream("jobs.list", params, ({ rows }) => {
    for (const values of rows) {
      jobs.push(Object.fromEntries(FIELDS.map((field, index) => [field, values[index]])) as unknown as SeenJob);
    }
  });
  return jobs;
}

/** The record as it would be named: one of an array's by its tasks, for its number means the whole array. */
function targetOf(job: SeenJob): Pick<JobTarget, "text" | "jobId" | "tasks" | "het"> {
  const { id, arrayJobId, arrayTasks, hetJobId, hetOffset } = job;
  if (hetJobId > 0) return { text: `${hetJobId}+${hetOffset}`, jobId: id, tasks: null, het: hetOffset };
  const inner = arrayTasks.replace(/[[\]]/g, "");
  const tasks = arrayJobId === 0 ? null : parseTaskSet(inner.replace(/%\d+$/, ""));
  if (tasks === null || "problem" in tasks) return { text: String(id), jobId: id, tasks: null };
  const list = /^\d+$/.test(inner) ? inner : `[${inner}]`;
  return { text: `${arrayJobId}_${list}`, jobId: arrayJobId, tasks: tasks.value };
}

function meets(job: SeenJob, local: LocalCriteria): boolean {
  const has = (list: readonly string[] | null, value: string): boolean => list === null || list.includes(value);
  return (
    has(local.accounts, job.account) &&
    has(local.qos, job.qos) &&
    has(local.reservations, job.reservation) &&
    has(local.wckeys, job.wckey) &&
    (local.nodes === null || (expand(job.nodeList) ?? []).some((node) => local.nodes?.includes(node)))
  );
}

/** Asks until the answer is one; the end of the input is a no. */
async function isWanted(
  job: SeenJob,
  { text, step }: JobTarget,
  reader: LineReader,
  { stdio }: CommandContext,
): Promise<boolean> {
  const what = step === null ? `job_id=${text}` : `step_id=${text}.${step}`;
  for (;;) {
    stdio.out(`Cancel ${what} name=${job.name} partition=${job.partition} [y/n]? `);
    const answer = (await reader.next())?.trim().toLowerCase();
    if (answer === undefined) stdio.out("\n");
    if (answer === undefined || answer.startsWith("n")) return false;
    if (answer.startsWith("y")) return true;
  }
}
