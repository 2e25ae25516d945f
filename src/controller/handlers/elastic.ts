/** alloc.*: queues of allocations that another batch system gives. */

import type { ElasticNode, ElasticQueue } from "../../core/elastic/records.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Hello, Params, Result } from "../../protocol/procedures.ts";
import type { Handlers, UnaryHandler } from "../../rpc/types.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import type { ElasticCrew } from "../elastic/crew.ts";
import { type BatchManager, ManagerAway, type Order } from "../elastic/manager.ts";
import { elasticFolder } from "../elastic/open.ts";

type ElasticMethod = "alloc.add" | "alloc.list" | "alloc.change";
type Row = Result<"alloc.list">["queues"][number];

/** All handlers of elastic nodes. */
export function elasticHandlers(context: ControllerContext): Pick<Handlers<"controller">, ElasticMethod> {
  return {
    "alloc.add": addHandler(context),
    "alloc.list": () => ({
      queues: [...context.loop.state.elastic.queues.values()].map((queue) => rowOf(context, queue)),
      now: context.clock.now(),
    }),
    "alloc.change": changeHandler(context),
  };
}

function crewOf({ elastic }: ControllerContext): ElasticCrew {
  if (elastic.crew) return elastic.crew;
  throw new RpcError("DISABLED", "this controller can't ask other batch systems for machines");
}

function addHandler(context: ControllerContext): UnaryHandler<"alloc.add"> {
  return async (wish, { hello }) => {
    const crew = crewOf(context);
    const manager = crew.managers[wish.manager];
    const place = placeOf(wish.place, hello, context);
    const found = [...problemsOf(wish, manager), manager.problem(place)].filter((problem) => problem !== "");
    if (found.length > 0) throw new RpcError("BAD_PARAMS", found.join("\n"));
    const shape = await completed(manager, wish, place, context);
    const { limits, args } = wish;
    const queue = { manager: wish.manager, by: hello.user, shape, limits, args, place };
    const id = context.loop.state.elastic.nextId;
    const draft = await draftOf(manager, { queue: { ...queue, id }, node: `${wish.manager}${id}-1` });
    const as = context.identity.user.name;
    if (wish.dryRun || !draft.isTaken) {
      if (!wish.dryRun) throw new RpcError("BAD_PARAMS", `${manager.title} would not take it: ${draft.test}`, DRY_RUN);
      return { id: null, name: "", as, draft };
    }
    const note = `made by ${hello.user.name}; jobs of ${manager.title} are submitted as ${as}`;
    const decision = await executeOrThrow(context, { type: "elastic.add", queue, note });
    const made = decision.kind === "accept" && decision.events.find((event) => event.type === "elastic.queue.set");
    if (!made) throw new RpcError("INTERNAL", "the queue was not made");
    crew.kick();
    return { id: made.queue.id, name: nameOf(made.queue), as, draft };
  };
}

const DRY_RUN = "--dry-run shows the script and the command";

/** Whoever these daemons are may say where to find the commands: what they run, that user runs. */
function placeOf(
  { path, variables }: Params<"alloc.add">["place"],
  { caller, user }: Hello,
  { identity }: ControllerContext,
): ElasticQueue["place"] {
  if (caller || (user.uid !== identity.user.uid && user.uid !== 0)) return {};
  const texts = Object.fromEntries(
    Object.entries(variables ?? {}).flatMap(([name, text]) => (text ? [[name, text]] : [])),
  );
  return { ...(path ? { path } : {}), ...(Object.keys(texts).length > 0 ? { variables: texts } : {}) };
}

function problemsOf({ shape, limits, args }: Params<"alloc.add">, manager: BatchManager): string[] {
  return [
    ...(limits.idleS >= shape.timeS
      ? [
          "--idle: an allocation is over before it could be idle for so long; give it a longer --time, or a shorter --idle",
        ]
      : []),
    ...(limits.backlog > limits.max ? ["--backlog: more than --max may never wait"] : []),
    ...manager.argProblems(args),
  ];
}

async function completed(
  manager: BatchManager,
  { shape }: Params<"alloc.add">,
  place: ElasticQueue["place"],
  context: ControllerContext,
) {
  try {
    const { cpus, memoryMiB, gpus, timeS } = shape;
    const known = { ...(cpus ? { cpus } : {}), ...(memoryMiB ? { memoryMiB } : {}), gpus, timeS };
    const found = await manager.complete(known, place);
    if (found.isFar && !context.listens()) {
      throw new RpcError(
        "BAD_PARAMS",
        `${manager.title} has other machines than this one, and this controller listens for none`,
        "mgpu up --listen 0.0.0.0:7411, then again",
      );
    }
    return found.shape;
  } catch (error) {
    if (error instanceof RpcError) throw error;
    const { message } = error as Error;
    throw new RpcError(
      "BAD_PARAMS",
      error instanceof ManagerAway ? `${manager.title} does not answer: ${message}` : message,
    );
  }
}

async function draftOf(manager: BatchManager, order: Order) {
  const { script, argv } = manager.draft(order);
  try {
    const { isTaken, text } = await manager.test(order);
    return { script, argv: [...argv], test: text, isTaken };
  } catch (error) {
    return { script, argv: [...argv], test: (error as Error).message, isTaken: false };
  }
}

function changeHandler(context: ControllerContext): UnaryHandler<"alloc.change"> {
  return async ({ id, action, force }, { hello }) => {
    const crew = crewOf(context);
    const queue = context.loop.state.elastic.queues.get(id);
    const by = hello.user;
    const change =
      action === "pause"
        ? ({ type: "pause", reason: `by ${by.name}`, by } as const)
        : ({ type: action === "resume" ? "resume" : "leave" } as const);
    const verbs = { pause: "paused", resume: "goes on", remove: "is being removed" };
    await executeOrThrow(context, {
      type: "elastic.change",
      queueId: id,
      change,
      note: `${verbs[action]} (${by.name})`,
    });
    if (action === "remove" && force && queue) await crew.cancelAll(queue);
    crew.kick();
    return { left: nodesOf(context, id).length };
  };
}

function nodesOf({ loop }: ControllerContext, id: number): ElasticNode[] {
  return [...loop.state.elastic.nodes.values()].filter(({ queueId }) => queueId === id);
}

function nameOf({ manager, id }: Pick<ElasticQueue, "manager" | "id">): string {
  return `${manager}${id}`;
}

function rowOf(context: ControllerContext, queue: ElasticQueue): Row {
  const { id, manager, by, since, shape, limits, args, submitted, pause, failures, retryAt, problem, notes } = queue;
  const away = context.elastic.crew?.awayOf(queue) ?? null;
  return {
    ...{ id, name: nameOf(queue), manager, by: by.name, since, shape, limits, args: [...args], submitted },
    ...{ paused: pause?.reason ?? "", isLeaving: queue.isLeaving === true, failures, retryAt, problem },
    ...{ away: away?.problem ?? "", awaySince: away?.since ?? 0, notes: [...notes] },
    nodes: nodesOf(context, id).map((elastic) => ({
      ...{ node: elastic.node, outerId: elastic.outerId, why: whyOf(context, elastic), host: elastic.host },
      ...{ orderedAt: elastic.orderedAt, endsAt: elastic.endsAt, state: stateOf(context, elastic) },
      jobs: jobsOn(context, elastic.node),
      output: `${elasticFolder(context.places)}/${elastic.node}.log`,
    })),
  };
}

/** A daemon that can't join does not know why: it waits for its token. */
const JOIN_MS = 20_000;

function whyOf(context: ControllerContext, { phase, why, joinedAt, orderedAt, host, leaving }: ElasticNode): string {
  if (leaving !== undefined) return leaving;
  const isLate = phase === "running" && joinedAt === null && context.clock.now() - orderedAt > JOIN_MS;
  if (!isLate) return why;
  if (context.listens()) return `${host} has not joined yet: its output may say why`;
  return `${host} can't join, mgpu listens for no other machines: mgpu up --listen 0.0.0.0:7411`;
}

/** One word for where an allocation stands. */
function stateOf({ isConnected }: ControllerContext, { node, phase, leaving, joinedAt }: ElasticNode): string {
  if (leaving !== undefined) return "leaving";
  if (phase !== "running") return phase;
  if (joinedAt === null) return "starting";
  return isConnected(node) ? "running" : "lost";
}

function jobsOn({ loop: { state } }: ControllerContext, node: string): number {
  return [...state.active].filter((id) => state.jobs.get(id)?.allocation.some((share) => share.node === node)).length;
}
