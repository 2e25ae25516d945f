/** How events change queues of allocations and their nodes. */

import { NOTES_MAX } from "../elastic/records.ts";
import type { Event } from "../events.ts";
import type { ClusterState } from "../state.ts";

export type ElasticEvent = Extract<Event, { type: `elastic.${string}` }>;

/** Applies an event of elastic nodes. @param at when it happened, milliseconds since 1970 */
export function changeElastic({ elastic }: ClusterState, event: ElasticEvent, at: number): void {
  switch (event.type) {
    case "elastic.queue.set": {
      // What was noted meanwhile is the record's own: whoever changes the rest must not lose it.
      const notes = elastic.queues.get(event.queue.id)?.notes ?? event.queue.notes;
      elastic.queues.set(event.queue.id, { ...event.queue, notes });
      elastic.nextId = Math.max(elastic.nextId, event.queue.id + 1);
      return;
    }
    case "elastic.queue.deleted":
      elastic.queues.delete(event.queueId);
      return;
    case "elastic.node.set":
      elastic.nodes.set(event.elastic.node, event.elastic);
      return;
    case "elastic.node.deleted":
      elastic.nodes.delete(event.node);
      return;
    case "elastic.noted": {
      const queue = elastic.queues.get(event.queueId);
      if (!queue) return;
      const notes = [...queue.notes, { at, text: event.text }].slice(-NOTES_MAX);
      elastic.queues.set(queue.id, { ...queue, notes });
    }
  }
}
