/** node.register and node.report. */

import type { Command } from "../../core/commands.ts";
import { strangersOn } from "../../core/decide/node.ts";
import { formatStart } from "../../core/ids.ts";
import { resumeNode } from "../../core/react.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { NodeReport } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { nodeTree } from "../../view/node-tree.ts";
import { endingOf } from "../breaker.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { voidGuests } from "../network/direct.ts";
import type { Keys } from "../network/keys.ts";
import type { Session } from "../sessions.ts";
import { endStrangers, noteCleared } from "../strangers.ts";

/** Takes a node in and tells it again what it has to do. */
export function registerHandler(
  context: ControllerContext,
  keys: () => Pick<Keys, "lookUp"> | null,
): UnaryHandler<"node.register"> {
  return async (registration, { peer, hello: { caller } }) => {
    const { name: node, inventory } = registration;
    const { starts = [] } = registration;
    if (caller && caller.name !== node) {
      throw new RpcError(
        "PERMISSION",
        "Access/permission denied",
        `the key ${caller.identity} is not for a node ${node}`,
      );
    }
    if (registration.allocation !== undefined && !context.elastic.crew?.isExpected(node)) {
      throw new RpcError("DISABLED", `the allocation of node ${node} is over here`);
    }
    await executeOrThrow(context, { type: "node.register", node, inventory, starts });
    const strangers = strangersOn(context.loop.state, node, starts);
    const session = { peer, registration, caller, strangers: new Set(strangers.map(formatStart)) };
    context.sessions.add(session);
    notifyWatchers(context, node);
    void context.elastic.crew?.noteJoined(registration).catch(() => {});
    logInventory(context, registration);
    // After the answer: the node sets up its session with it first.
    context.clock.after(0, () => {
      context.perform([{ type: "schedule" }, ...resumeNode(context.loop.state, node)]);
      endStrangers(context, session, strangers);
    });
    const known = keys();
    const cut = known ? voidGuests(known, registration.guests ?? []) : [];
    const { heartbeatMs, killWaitS } = context.settings;
    return { heartbeatMs, killWaitMs: killWaitS * 1000, ...(cut.length > 0 ? { cut } : {}) };
  };
}

/** Whoever follows a job there could not be told where to attach while the node was away. */
function notifyWatchers({ loop: { state }, watchers }: ControllerContext, node: string): void {
  for (const id of state.active) {
    if (state.jobs.get(id)?.allocation.some((share) => share.node === node)) watchers.notify(id);
  }
}

/** Takes reports in order; the answer says that all are on disk. */
export function reportHandler(context: ControllerContext): UnaryHandler<"node.report"> {
  return async ({ reports }, { peer }) => {
    const session = sessionOf(context, peer);
    if (session === undefined) {
      peer.close();
      throw new RpcError("LOST_CONTACT", "this connection was replaced by a newer one of the same node");
    }
    const { name } = session.registration;
    await Promise.all(reports.map((report) => takeReport(context, name, report)));
    if (noteCleared(context, session, reports)) context.perform([{ type: "schedule" }]);
    return {};
  };
}

async function takeReport(context: ControllerContext, node: string, report: NodeReport) {
  const { loop, clock, noteEnding, identity } = context;
  const ending = endingOf(loop.state, node, report, clock.now(), identity.user.uid === 0);
  const decision = await loop.execute(commandOf(node, report));
  if (ending && decision.kind === "accept") noteEnding(ending);
}

/** Takes what a node tells of its machine. */
export function vitalsHandler(context: ControllerContext): UnaryHandler<"node.vitals"> {
  return (vitals, { peer }) => {
    context.sessions.noteVitals(peer, vitals);
    const session = sessionOf(context, peer);
    if (session && vitals.gpus) {
      const { name, inventory } = session.registration;
      context.guard.note(name, inventory.gpus, vitals.gpus);
    }
    context.watchers.notifyNodes();
    return {};
  };
}

function commandOf(node: string, report: NodeReport): Command {
  switch (report.type) {
    case "started":
      return { type: "report.stepStarted", node, key: report.key };
    case "ended": {
      const { key, exits, problem, clean, outOfMemory = false, usage, nodeFault: unlaunched = false } = report;
      const { unwelcome = false } = report;
      return { type: "report.stepEnded", node, key, exits, problem, clean, outOfMemory, usage, unlaunched, unwelcome };
    }
    case "lost":
      return { type: "report.stepLost", node, key: report.key, cause: report.cause };
    case "cleaned":
      return { type: "report.jobCleaned", node, jobId: report.jobId, attempt: report.attempt };
  }
}

/** The session that a connection belongs to. An older connection of a node that registered anew speaks for nobody. */
function sessionOf({ sessions }: ControllerContext, peer: unknown): Session | undefined {
  for (const session of sessions.all.values()) if (session.peer === peer) return session;
  return undefined;
}

function logInventory({ log }: ControllerContext, registration: Parameters<UnaryHandler<"node.register">>[0]): void {
  const { name, inventory } = registration;
  const { gpuProvider, gpuProblem } = inventory;
  log.info("node registered", { node: name, gpuProvider, gpuProblem, tree: nodeTree(name, inventory) });
}
