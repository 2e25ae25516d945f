/** step(state, command, now) = decide + reduce + react: the one function that controller, simulator and tests call. */

import type { Command } from "./commands.ts";
import { decide } from "./decide/decide.ts";
import type { Decision, SignalRequest } from "./decide/decision.ts";
import { doneMail } from "./done.ts";
import type { Effect } from "./effects.ts";
import type { JournalRecord } from "./events.ts";
import { JOURNAL_VERSION } from "./events.ts";
import { limitMail, mailEffects } from "./mail.ts";
import { react } from "./react.ts";
import { reduce } from "./reduce/reduce.ts";
import type { ClusterState } from "./state.ts";

/** What one command did. `record` must be on disk before the answer or any effect leaves. */
export interface Outcome {
  readonly decision: Decision;
  readonly record: JournalRecord | null;
  readonly effects: readonly Effect[];
}

/**
 * Answers a command and moves the state on.
 * @param now milliseconds since 1970
 */
export function step(state: ClusterState, command: Command, now: number): Outcome {
  const decision = decide(state, command, now);
  if (decision.kind !== "accept") return { decision, record: null, effects: [] };
  const { events } = decision;
  const effects: Effect[] = decision.signal ? signalEffects(state, decision.signal) : [];
  if (decision.mail) effects.push(...limitMail(state.jobs.get(decision.mail.jobId), decision.mail.percent, now));
  if (events.length === 0) return { decision, record: null, effects };
  const record: JournalRecord = { v: JOURNAL_VERSION, seq: state.seq + 1, at: now, events };
  state.seq = record.seq;
  for (const event of events) {
    const before = "jobId" in event ? state.jobs.get(event.jobId) : undefined;
    const wish = before && state.doneWishes.get(before.spec.user.uid);
    reduce(state, event, now);
    effects.push(...react(state, event), ...mailEffects(before, state, event, now), ...doneMail(wish, state, event));
  }
  return { decision, record, effects };
}

/** Applies records read from a journal, in order; those that the state already holds are passed over. */
export function replay(state: ClusterState, records: Iterable<JournalRecord>): void {
  for (const record of records) {
    if (record.seq <= state.seq) continue;
    if (record.seq !== state.seq + 1) throw new Error(`journal: record ${record.seq} follows ${state.seq}`);
    state.seq = record.seq;
    for (const event of record.events) reduce(state, event, record.at);
  }
}

function signalEffects(state: ClusterState, request: SignalRequest): Effect[] {
  const job = state.jobs.get(request.jobId);
  if (job?.state !== "RUNNING") return [];
  const { target, signal } = request;
  const { id: jobId, attempt } = job;
  return job.allocation.map(({ node }) => ({ type: "node.signal", node, jobId, attempt, target, signal }));
}
