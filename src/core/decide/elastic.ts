/** Elastic nodes: queues of allocations, and the allocations of each. What is done about them is in controller/elastic. */

import type {
  AddElasticQueue,
  ChangeElasticNode,
  ChangeElasticQueue,
  EndElasticNode,
  OrderElasticNode,
} from "../commands.ts";
import { type ElasticQueue, elasticNodeName, FAILURES_MAX, QUEUES_MAX, retryAfterMs } from "../elastic/records.ts";
import type { Event } from "../events.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, ignore, type Refusal } from "./decision.ts";

/** A new queue, with a number of its own. */
export function decideAddElasticQueue(state: ClusterState, { queue, note }: AddElasticQueue, now: number): Decision {
  if (state.elastic.queues.size >= QUEUES_MAX) {
    const hint = "mgpu alloc list shows them, mgpu alloc remove ends one";
    return deny("QUEUE_FULL", `there are ${QUEUES_MAX} queues of allocations already`, hint);
  }
  const fresh = { submitted: 0, submittedAt: 0, pause: null, failures: 0, retryAt: 0, problem: "", notes: [] };
  const id = state.elastic.nextId;
  const record: ElasticQueue = { ...queue, ...fresh, id, since: now };
  return accept({ type: "elastic.queue.set", queue: record }, noted(id, note));
}

/** Pauses a queue, lets it go on, or notes how a submission went. One that is leaving goes with its last allocation. */
export function decideChangeElasticQueue(state: ClusterState, command: ChangeElasticQueue, now: number): Decision {
  const queue = findQueue(state, command.queueId);
  if ("kind" in queue) return queue;
  const { change, note } = command;
  switch (change.type) {
    case "pause":
      if (queue.pause) return ignore("it is paused already");
      return accept(put({ ...queue, pause: { reason: change.reason, at: now, by: change.by } }), noted(queue.id, note));
    case "resume":
      if (queue.isLeaving) {
        return deny("INVALID_UPDATE", `queue ${queue.id} is being removed`, "mgpu alloc add makes another");
      }
      return accept(put({ ...queue, pause: null, failures: 0, retryAt: 0, problem: "" }), noted(queue.id, note));
    case "leave": {
      const hasNodes = nodesOf(state, queue.id).length > 0;
      if (!hasNodes) return accept({ type: "elastic.queue.deleted", queueId: queue.id });
      return accept(put({ ...queue, isLeaving: true }), noted(queue.id, note));
    }
    case "seen":
      return accept(put({ ...queue, failures: 0, retryAt: 0, problem: "", seenGpus: change.gpus }));
  }
}

/** Notes that an allocation is about to be asked for, before it is: one that nobody knows of could not be found again. */
export function decideOrderElasticNode(state: ClusterState, { queueId }: OrderElasticNode, now: number): Decision {
  const queue = findQueue(state, queueId);
  if ("kind" in queue) return queue;
  const problem = whyNoMore(state, queue, now);
  if (problem) return ignore(problem);
  const submitted = queue.submitted + 1;
  const node = elasticNodeName(queue, submitted);
  const fresh = { outerId: "", phase: "ordered", why: "", host: "", endsAt: null, joinedAt: null } as const;
  return accept(put({ ...queue, submitted, submittedAt: now }), {
    type: "elastic.node.set",
    elastic: { ...fresh, node, queueId, orderedAt: now },
  });
}

/** Notes what was learned of an allocation. */
export function decideChangeElasticNode(state: ClusterState, command: ChangeElasticNode): Decision {
  const elastic = state.elastic.nodes.get(command.node);
  if (!elastic) return ignore("this allocation is over");
  const changed = { ...elastic, ...command.changes };
  const isSame = JSON.stringify(changed) === JSON.stringify(elastic);
  if (isSame) return ignore("so it is already");
  const notes = command.note === undefined ? [] : [noted(elastic.queueId, command.note)];
  return accept({ type: "elastic.node.set", elastic: changed }, ...notes);
}

/** An allocation is over. Its node must be gone before (nodes.update, nodes.delete). */
export function decideEndElasticNode(state: ClusterState, command: EndElasticNode, now: number): Decision {
  const elastic = state.elastic.nodes.get(command.node);
  const queue = elastic && state.elastic.queues.get(elastic.queueId);
  if (!elastic || !queue) return ignore("this allocation is over");
  const isLast = queue.isLeaving === true && nodesOf(state, queue.id).length === 1;
  return accept(
    { type: "elastic.node.deleted", node: elastic.node },
    noted(queue.id, command.note),
    ...(command.problem === undefined ? [] : failed(queue, command.problem, now)),
    ...(isLast ? [{ type: "elastic.queue.deleted", queueId: queue.id } as const] : []),
  );
}

/** Whether a queue asks for more allocations at some time, as far as its limit of them allows. */
export function mayGrow({ isLeaving, pause }: ElasticQueue): boolean {
  return !isLeaving && pause === null;
}

/** Why a queue asks for no more allocations now, whoever waits; empty if it may. */
export function whyNoMore(state: ClusterState, queue: ElasticQueue, now: number): string {
  const { max, backlog, minBetweenS } = queue.limits;
  const nodes = nodesOf(state, queue.id);
  const waiting = nodes.filter(({ phase }) => phase !== "running");
  if (queue.isLeaving) return "it is being removed";
  if (queue.pause) return `it is paused: ${queue.pause.reason}`;
  if (now < queue.retryAt) return `it waits after ${queue.failures === 1 ? "a failure" : `${queue.failures} failures`}`;
  if (nodes.length >= max) return `it has ${max} allocations already (--max)`;
  if (waiting.length >= backlog) return `${backlog} of its allocations wait already (--backlog)`;
  if (minBetweenS > 0 && now < queue.submittedAt + minBetweenS * 1000) return "the last one is too young (--every)";
  return "";
}

function findQueue(state: ClusterState, id: number): ElasticQueue | Refusal {
  const queue = state.elastic.queues.get(id);
  return queue ?? deny("INVALID_UPDATE", `there is no queue ${id} of allocations`, "mgpu alloc list shows them");
}

function nodesOf({ elastic }: ClusterState, queueId: number) {
  return [...elastic.nodes.values()].filter((one) => one.queueId === queueId);
}

/** Waits the longer the more failures there were, and gives up after many: somebody has to look then. */
function failed(queue: ElasticQueue, problem: string, now: number): Event[] {
  const failures = queue.failures + 1;
  const retryAt = now + retryAfterMs(failures);
  const pause =
    queue.pause ?? (failures < FAILURES_MAX ? null : { reason: `${failures} failures: ${problem}`, at: now });
  const paused = pause !== null && queue.pause === null;
  const note = `paused after ${failures} failures one after the other; mgpu alloc resume ${queue.id} tries again`;
  return [put({ ...queue, failures, retryAt, problem, pause }), ...(paused ? [noted(queue.id, note)] : [])];
}

/** Without its notes: `reduce` keeps those that it has. */
function put(queue: ElasticQueue): Event {
  return { type: "elastic.queue.set", queue: { ...queue, notes: [] } };
}

function noted(queueId: number, text: string): Event {
  return { type: "elastic.noted", queueId, text };
}
