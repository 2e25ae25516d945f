/** Carries out effects: to nodes over their sessions, to watchers, to timers, to the scheduler. */

import { type Command, timerKey } from "../core/commands.ts";
import type { Effect, LaunchStep, SetTimer, TerminateJob } from "../core/effects.ts";
import type { StepKey } from "../core/ids.ts";
import type { RunningJob } from "../core/job.ts";
import type { ClusterState } from "../core/state.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { RpcError } from "../protocol/errors.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import type { Post } from "./post.ts";
import type { Session, Sessions } from "./sessions.ts";
import { terminateCause } from "./terminate-cause.ts";
import type { Watchers } from "./watchers.ts";

export interface DispatchPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly sessions: Sessions;
  readonly watchers: Watchers;
  state(): ClusterState;
  /** Hands a command to the loop; its answer is logged by the caller. */
  submit(command: Command): void;
  wakeScheduler(): void;
  readonly post: Post;
  /** All that a node needs to start its part of a step. Rejects if a stored file is gone. */
  launchOf(job: RunningJob, key: StepKey, node: string): Promise<NodeLaunch>;
}

export interface Dispatch {
  perform(effects: readonly Effect[]): void;
}

/** A node that does not answer a launch or a termination within this time starts over with a new connection. */
export const NODE_CALL_DEADLINE_MS = 20_000;

/** A job may requeue itself: what it asked with must hear the answer before it is ended. */
const REQUEUE_GRACE_MS = 300;

/** Starts without timers. */
export function createDispatch(ports: DispatchPorts): Dispatch {
  const timers = new Map<string, Cancel>();
  const launches = createInFlight();

  const setTimer = ({ timer, at }: SetTimer): void => {
    const key = timerKey(timer);
    timers.get(key)?.();
    const delayMs = Math.max(0, at - ports.clock.now());
    const cancel = ports.clock.after(delayMs, () => {
      timers.delete(key);
      // A clock set back makes it ring early: then it is set again.
      if (ports.clock.now() < at) setTimer({ type: "timer.set", timer, at });
      else ports.submit({ type: "timer.fire", timer });
    });
    timers.set(key, cancel);
  };

  const performOne = (effect: Effect): void => {
    switch (effect.type) {
      case "schedule":
        return ports.wakeScheduler();
      case "watch.notify":
        return ports.watchers.notify(effect.jobId);
      case "timer.set":
        return setTimer(effect);
      case "timer.clear": {
        const key = timerKey(effect.timer);
        timers.get(key)?.();
        timers.delete(key);
        return;
      }
      case "node.launch":
        return withSession(ports, effect.node, (session) =>
          launches.track(`${effect.node} ${effect.jobId}`, launch(ports, session, effect)),
        );
      case "node.signal": {
        const { jobId, attempt, target, signal } = effect;
        const params = { jobId, attempt, target, signal };
        // Not before a launch that was ordered first: the node would find nothing to signal.
        return withSession(ports, effect.node, async ({ peer }) => {
          await launches.settled(`${effect.node} ${jobId}`);
          return peer.call("node.signal", params);
        });
      }
      case "node.terminate":
        return terminate(ports, effect);
      case "mail.send":
        return ports.post.send(effect);
      case "mail.doomed":
        return ports.post.tellDoomed(effect.jobId);
    }
  };

  return {
    perform(effects) {
      for (const effect of effects) performOne(effect);
    },
  };
}

/** Launches on their way to a node, by node and job. */
function createInFlight() {
  const launching = new Map<string, Promise<void>>();
  return {
    settled: (key: string): Promise<void> => launching.get(key) ?? Promise.resolve(),
    track(key: string, work: Promise<void>): Promise<void> {
      const all = Promise.allSettled([launching.get(key), work]).then(() => {
        if (launching.get(key) === all) launching.delete(key);
      });
      launching.set(key, all);
      return work;
    },
  };
}

function terminate(ports: DispatchPorts, { jobId, attempt, stepId, node }: TerminateJob): void {
  const job = ports.state().jobs.get(jobId);
  const order = { jobId, attempt, stepId, cause: terminateCause(job ?? null, attempt, stepId) };
  const act = (): void =>
    withSession(ports, node, ({ peer }) => peer.call("node.terminate", order, { deadlineMs: NODE_CALL_DEADLINE_MS }));
  if (job?.state === "PENDING") ports.clock.after(REQUEUE_GRACE_MS, act);
  else act();
}

/** A node without a session hears of it when it registers. A call that fails ends the session, to the same end. */
function withSession(ports: DispatchPorts, node: string, act: (session: Session) => Promise<unknown>): void {
  const session = ports.sessions.get(node);
  if (!session) return;
  act(session).catch((error: unknown) => {
    ports.log.warn("a node did not take an order; its connection starts over", { node, error: String(error) });
    session.peer.close();
  });
}

async function launch(ports: DispatchPorts, { peer }: Session, effect: LaunchStep): Promise<void> {
  const { node, jobId, attempt, stepId } = effect;
  const key = { jobId, attempt, stepId };
  const job = ports.state().jobs.get(jobId);
  if (job?.state !== "RUNNING" || job.attempt !== attempt) return;
  try {
    const order = await ports.launchOf(job, key, node);
    await peer.call("node.launch", order, { deadlineMs: NODE_CALL_DEADLINE_MS });
  } catch (error) {
    if (error instanceof RpcError && isLinkTrouble(error)) throw error;
    // A node that can't record it may do so later; whatever else is wrong would be so again.
    const unlaunched = error instanceof RpcError && error.code === "STORAGE";
    const part = job.steps.find((step) => step.id === stepId)?.parts.find((one) => one.node === node);
    const exits = (part?.tasks ?? [0]).map(() => ({ code: 1, signal: 0 }));
    const problem = `the step could not be launched: ${(error as Error).message}`;
    const how = { clean: false, outOfMemory: false, unlaunched };
    ports.submit({ type: "report.stepEnded", node, key, exits, problem, ...how });
  }
}

function isLinkTrouble(error: RpcError): boolean {
  return error.code === "LOST_CONTACT" || error.code === "DEADLINE" || error.code === "TOO_MANY_CALLS";
}
