/** controller.status: every daemon with its pid, version and start, and how the queue stands. */

import { MACHINE_RUNTIME } from "../../config/places.ts";
import type { DaemonStatus, Result } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { awayProblems, awayStatus } from "../away.ts";
import { breakerProblems } from "../breaker.ts";
import type { ControllerContext } from "../context.ts";
import type { Session } from "../sessions.ts";
import { strangerProblems } from "../strangers.ts";

/** Answers from memory, but for the note that damage left. */
export function statusHandler(context: ControllerContext): UnaryHandler<"controller.status"> {
  return async () => ({
    clusterName: context.settings.clusterName,
    stateFolder: context.places.home,
    socket: context.places.controllerSocket,
    serves: servesText(context),
    daemons: [
      controllerStatus(context),
      ...[...context.sessions.all.values()].flatMap(nodeStatus),
      ...awayStatus(context),
    ],
    jobs: countJobs(context),
    problem: problemOf(context),
    problems: await problemsOf(context),
    ...endingOf(context),
  });
}

/** Whose jobs run here. */
function servesText({ identity, serves, places }: ControllerContext): string {
  const { name } = identity.user;
  const { closed } = serves;
  if (closed === null) return `only ${name}; daemons that root starts serve every user (sudo mgpu up)`;
  if (closed !== "") return `only ${name}: others can't pass ${closed}; XDG_RUNTIME_DIR=/run opens the way`;
  const how = places.runtime === MACHINE_RUNTIME ? "" : `; they set MGPU_CONTROLLER=unix:${places.controllerSocket}`;
  return `every user of this machine, with the user's own rights${how}`;
}

function controllerStatus(context: ControllerContext): DaemonStatus {
  const { pid, version, startedAt } = context.identity;
  return { daemon: "mgpuctld", node: "", pid, version, startedAt, state: problemOf(context) ? "degraded" : "up" };
}

/** Why nothing can be accepted right now. */
function problemOf({ loop, blobs }: ControllerContext): string {
  return loop.problem || blobs.problem;
}

/** All that somebody should see to. A note that can't be read is no reason to tell nothing. */
export async function problemsOf(context: ControllerContext): Promise<string[]> {
  const damage = await context.damage().catch(() => []);
  return [
    problemOf(context),
    context.outsideProblem(),
    ...awayProblems(context),
    ...strangerProblems(context),
    ...breakerProblems(context.loop.state),
    ...damage,
  ].filter(Boolean);
}

function endingOf(context: ControllerContext): Pick<Result<"controller.status">, "ending"> {
  const killAt = context.killAt();
  return killAt === null ? {} : { ending: { jobs: [...context.loop.state.active], killAt } };
}

function nodeStatus({ registration }: Session): DaemonStatus[] {
  const { name: node, pid, startedAt, inventory, holder } = registration;
  return [
    { daemon: "mgpud", node, pid, startedAt, version: inventory.version, state: "up" },
    {
      daemon: "mgpu-stepd",
      node,
      pid: holder.pid,
      startedAt: holder.startedAt,
      version: holder.version,
      state: "up",
    },
  ];
}

/** Of what is running: it is asked every some milliseconds by who waits for the end of many jobs. */
function countJobs({ loop: { state } }: ControllerContext): Result<"controller.status">["jobs"] {
  const pending = state.pending.size;
  let running = 0;
  for (const id of state.active) if (state.jobs.get(id)?.state === "RUNNING") running += 1;
  return { pending, running, ended: state.jobs.size - pending - running };
}
