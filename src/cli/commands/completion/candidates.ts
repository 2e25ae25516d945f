/** mgpu __complete: writes the names of the cluster that completions offer into a small file of the user. */

import { isOpenStep } from "../../../core/job.ts";
import type { Peer } from "../../../rpc/types.ts";
import { LIVE_STATES } from "../../../view/job-states.ts";
import { printable } from "../../../view/printf.ts";
import { sessionsOf } from "../../attach/sessions.ts";
import type { CommandContext } from "../../context.ts";
import { jobFilter } from "../../filters.ts";
import { cachePath } from "./cache-path.ts";

/** How long somebody who pressed Tab is kept waiting, in milliseconds. */
const DEADLINE_MS = 400;

/** More of a kind are no help, and take the shell too long to look through. */
const VALUES_MAX = 500;

/**
 * `jobs`: those that wait or run, `running`, `past`: those that are over as well; `targets`: jobs, tasks of arrays and
 * steps; `sessions`: jobs with a terminal to attach to.
 */
export type CandidateKind =
  | "jobs"
  | "running"
  | "past"
  | "targets"
  | "steps"
  | "sessions"
  | "nodes"
  | "partitions"
  | "users"
  | "accounts"
  | "qos"
  | "gpus"
  | "reservations"
  | "licenses"
  | "features";

type Row = readonly [value: string, about: string];

/**
 * Writes the file anew: the time in seconds since 1970, then `KIND TAB VALUE TAB WHAT IT IS` lines. What can't be asked for
 * in time is left out; without a controller there is the time alone, so that the next Tab does not ask again at once.
 */
export async function refreshCandidates(context: CommandContext): Promise<number> {
  const late = new Promise<null>((resolve) => void context.clock.after(DEADLINE_MS, () => resolve(null)));
  const work = candidates(context).catch(() => null);
  const found = (await Promise.race([work, late])) ?? new Map<CandidateKind, readonly Row[]>();
  const lines = [...found].flatMap(([kind, rows]) =>
    rows.slice(0, VALUES_MAX).map(([value, about]) => `${kind}\t${value}\t${printable(about).replaceAll("\t", " ")}\n`),
  );
  const text = `${Math.floor(context.clock.now() / 1000)}\n${lines.join("")}`;
  try {
    context.files.replace(cachePath(context.environment), new TextEncoder().encode(text));
  } catch {
    // A home that can't be written to: each Tab asks anew.
  }
  return 0;
}

async function candidates(context: CommandContext): Promise<ReadonlyMap<CandidateKind, readonly Row[]>> {
  const { peer } = await context.connect({ start: false });
  try {
    const [jobs, { nodes }, { policy, gpuTypes }, { reservations }, { licenses }] = await Promise.all([
      jobsOf(peer, context.user.uid),
      peer.call("nodes.list", {}),
      peer.call("policy.list", {}),
      peer.call("reservations.list", {}),
      peer.call("licenses.list", {}),
    ]);
    const named = (names: Iterable<string>, about: string): Row[] =>
      [...new Set(names)]
        .filter((name) => name !== "")
        .sort()
        .map((name) => [name, about] as const);
    const users = [...jobs.users, ...(policy.users ?? []).map(({ name }) => name), context.user.name];
    const partitions = nodes.flatMap((node) => node.partitions);
    return new Map<CandidateKind, readonly Row[]>([
      ...jobs.rows,
      ["nodes", nodes.map(({ name, state }) => [name, state] as const)],
      ["partitions", named(partitions, "partition")],
      ["users", named(users, "user")],
      ["accounts", (policy.accounts ?? []).map(({ name, description }) => [name, description] as const)],
      ["qos", (policy.qos ?? []).map(({ name, description }) => [name, description] as const)],
      ["gpus", gpuTypes.map((type) => [`${type}:`, "GPUs of this type"] as const)],
      ["reservations", reservations.map(({ name, isActive }) => [name, isActive ? "active" : "not active"] as const)],
      ["licenses", licenses.map(({ name, total }) => [name, `${total} in all`] as const)],
      [
        "features",
        named(
          nodes.flatMap((node) => node.features),
          "feature of nodes",
        ),
      ],
    ]);
  } finally {
    peer.close();
  }
}

interface Queue {
  readonly rows: readonly (readonly [CandidateKind, readonly Row[]])[];
  readonly users: readonly string[];
}

const FIELDS = ["id", "arrayJobId", "arrayTasks", "name", "user", "uid", "state"] as const;

/** One's own jobs first, the newest before older ones. */
async function jobsOf(peer: Peer, uid: number): Promise<Queue> {
  const found: { id: string; array: string; about: string; state: string; isOwn: boolean }[] = [];
  const users = new Set<string>();
  await peer.stream("jobs.list", { filter: jobFilter({}), fields: [...FIELDS] }, ({ rows }) => {
    for (const [id, array, task, name, user, owner, state] of rows) {
      const isTask = /^\d+$/.test(String(task)) && Number(array) > 0;
      const about = `${state} ${name} (${user})`;
      users.add(String(user));
      found.push({
        id: isTask ? `${array}_${task}` : String(id),
        array: String(Number(array) || id),
        ...{ about, state: String(state), isOwn: owner === uid },
      });
    }
  });
  const sorted = [...found.reverse()].sort((a, b) => Number(b.isOwn) - Number(a.isOwn));
  const live = sorted.filter(({ state }) => LIVE_STATES.some((one) => one === state));
  const running = live.filter(({ state }) => state === "RUNNING");
  const { steps, sessions } = await stepsOf(peer, uid);
  const wholes = distinct(live.map(({ array, about }) => [array, about]));
  const tasks = running.filter(({ id, array }) => id !== array).map(({ id, about }): Row => [id, about]);
  return {
    users: [...users],
    rows: [
      ["jobs", wholes],
      ["running", distinct(running.map(({ id, about }) => [id, about]))],
      ["past", distinct(sorted.map(({ array, about }) => [array, about]))],
      ["targets", [...wholes, ...tasks, ...steps]],
      ["steps", steps],
      ["sessions", sessions],
    ],
  };
}

/** Of one's own running jobs. */
async function stepsOf(peer: Peer, uid: number): Promise<{ readonly steps: Row[]; readonly sessions: Row[] }> {
  const steps: Row[] = [];
  const sessions: Row[] = [];
  const filter = jobFilter({ users: [String(uid)], states: ["RUNNING"] });
  await peer.stream("jobs.get", { filter }, ({ jobs }) => {
    for (const { job } of jobs) {
      if (job.state !== "RUNNING") continue;
      const about = (argv: readonly string[]): string => argv.join(" ") || job.spec.name;
      for (const step of job.steps.filter(isOpenStep)) {
        steps.push([`${job.id}.${step.id}`, about((step.spec ?? job.spec).argv)]);
      }
      for (const session of sessionsOf(job)) sessions.push([`${job.id}.${session.stepId}`, about(session.argv)]);
    }
  });
  return { steps, sessions };
}

/** The first row of each value. */
function distinct(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter(([value]) => !seen.has(value) && seen.add(value));
}
