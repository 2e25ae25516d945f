/** Nodes that should be connected and are not: since when, what runs there unheard, and what can be done about it. */

import { nodePlaces, type Places } from "../config/places.ts";
import type { JobStart } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import { formatDuration } from "../core/time.ts";
import type { Disk } from "../platform/disk.ts";
import type { Address } from "../platform/net.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import type { DaemonStatus, Hello } from "../protocol/procedures.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Peer, RpcPorts } from "../rpc/types.ts";
import type { ControllerContext } from "./context.ts";

/** A node daemon that is started again, or connects again after a restart of ours, is back within this time. */
const GRACE_MS = 2000;
const GRACE_AFTER_START_MS = 8000;

/** A holder that has not answered by then hangs. */
const DIAL_MS = 3000;

/** Jobs named at most. */
const NAMED_MAX = 10;

interface Away {
  readonly node: string;
  readonly hostname: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** What may run there. */
  readonly jobs: readonly Job[];
}

type Known = Pick<ControllerContext, "loop" | "sessions" | "clock"> & { readonly startedAt: number };

/** All nodes without a connection. */
function awayNodes({ loop: { state }, sessions, startedAt }: Known): Away[] {
  const jobs = [...state.active].flatMap((id) => state.jobs.get(id) ?? []);
  return [...state.nodes.values()].flatMap(({ name: node, inventory }) => {
    if (sessions.get(node)) return [];
    const since = sessions.lostAt(node) ?? startedAt;
    return [{ node, hostname: inventory.hostname, since, jobs: jobs.filter((job) => isOn(job, node)) }];
  });
}

/** Their rows in `mgpu status`, with pid 0: what is known of their processes is old. */
export function awayStatus(context: ControllerContext): DaemonStatus[] {
  const { nodes } = context.loop.state;
  return awayNodes(knownOf(context)).map(({ node }) => {
    const version = nodes.get(node)?.inventory.version ?? "";
    return { daemon: "mgpud", node, pid: 0, startedAt: 0, version, state: "not responding" };
  });
}

/** A sentence for each that should be back by now. */
export function awayProblems(context: ControllerContext): string[] {
  const { clock, sessions } = context;
  return awayNodes(knownOf(context)).flatMap((away) => {
    const graceMs = sessions.lostAt(away.node) === null ? GRACE_AFTER_START_MS : GRACE_MS;
    if (clock.now() - away.since < graceMs) return [];
    const end = `start mgpud for it on ${away.hostname} again, nothing else does`;
    return [`${sinceText(context, away)}${away.jobs.length > 0 ? `: ${jobsText(away.jobs)} on there` : ""}; ${end}`];
  });
}

/** For a job that runs, or is being cleared away, on nodes that are not connected; empty for any other. */
export function awayReason(known: Known, job: Job): string {
  const { sessions, loop } = known;
  const names = job.state === "RUNNING" ? job.allocation.map(({ node }) => node) : job.cleanup;
  if (names.every((node) => sessions.get(node) || !loop.state.nodes.has(node))) return "";
  const lost = awayNodes(known).filter(({ node }) => names.includes(node));
  return lost.map((away) => sinceText(known, away)).join("; ");
}

/**
 * Has the holders of those nodes that are on this machine end: told by this controller, because no node daemon is there to
 * do it, first the jobs that are to be cleared away, then themselves.
 * @returns what stays elsewhere, in sentences
 */
export async function endAwayHolders(context: ControllerContext): Promise<string[]> {
  const left = await Promise.all(awayNodes(knownOf(context)).map((away) => endHoldersOf(context, away)));
  return left.flat();
}

async function endHoldersOf(context: ControllerContext, away: Away): Promise<string[]> {
  const holders = await context.holdersOf(away.node);
  if (holders.length === 0) return [leftText(context, away)];
  const { loop, settings, log } = context;
  const killWaitMs = settings.killWaitS * 1000;
  const clear = async ({ jobId, attempt }: JobStart): Promise<void> => {
    const order = { jobId, attempt, killWaitMs };
    // However long that takes, as for a node daemon.
    await Promise.all(holders.map((peer) => peer.call("holder.terminate", order, { deadlineMs: null })));
    await loop.execute({ type: "report.jobCleaned", node: away.node, jobId, attempt });
  };
  try {
    const jobs = away.jobs.filter((job) => job.state !== "RUNNING");
    await Promise.all(jobs.map(({ id: jobId, attempt }) => clear({ jobId, attempt })));
    await Promise.all(holders.map((peer) => peer.call("holder.shutdown", { discard: true })));
    return [];
  } catch (error) {
    log.warn("the holder of a node that is away did not end", { node: away.node, error: String(error) });
    return [leftText(context, away)];
  } finally {
    for (const peer of holders) peer.close();
  }
}

/**
 * Connections to a node's holders; none if the node is on another machine, or nobody of it lives. Its own records say
 * where they listen (node/holders.ts).
 */
export function createHolderLinks(
  ports: RpcPorts & { readonly disk: Disk },
  { places, uid, version }: { readonly places: Places; readonly uid: number; readonly version: string },
): (node: string) => Promise<Peer[]> {
  const user = { uid, gid: uid, name: "mgpuctld" };
  const dial = async (address: Address): Promise<Peer[]> => {
    const hello: Hello = { role: "node", user, version, protocol: PROTOCOL };
    try {
      const { peer, answer } = await connectPeer(ports, address, hello, {}, { deadlineMs: DIAL_MS });
      if (answer.daemon === "mgpu-stepd") return [peer];
      peer.close();
    } catch {
      // Gone, or not on this machine.
    }
    return [];
  };
  return async (node: string): Promise<Peer[]> => {
    const { disk } = ports;
    const folder = nodePlaces(places, node).holderFolder;
    const names = await disk.list(folder).catch(() => []);
    const links = names.map(async (name) => dial(addressOf(await disk.read(`${folder}/${name}`).catch(() => null))));
    return (await Promise.all(links)).flat();
  };
}

/** A user's holder listens in a folder of that user's: the socket must be the user's, too. */
function addressOf(record: Uint8Array | null): Address {
  try {
    const { socket, uid } = JSON.parse(new TextDecoder().decode(record ?? new Uint8Array()));
    const path = typeof socket === "string" ? socket : "";
    return { path, ...(typeof uid === "number" ? { owner: uid } : {}) };
  } catch {
    return { path: "" };
  }
}

function knownOf({ loop, sessions, clock, identity }: ControllerContext): Known {
  return { loop, sessions, clock, startedAt: identity.startedAt };
}

function isOn(job: Job, node: string): boolean {
  if (job.state === "RUNNING") return job.allocation.some((share) => share.node === node);
  return job.cleanup.includes(node);
}

/** With a duration, because only clients know the user's time zone. */
function sinceText({ clock }: Pick<Known, "clock">, { node, since }: Away): string {
  return `node ${node} has not answered for ${formatDuration(Math.max(0, clock.now() - since) / 1000)}`;
}

function jobsText(jobs: readonly Job[]): string {
  const ids = jobs.slice(0, NAMED_MAX).map(({ id }) => id);
  const names = ids.join(", ") + (jobs.length > NAMED_MAX ? ", ..." : "");
  return jobs.length === 1 ? `job ${names} runs` : `jobs ${names} run`;
}

function leftText(context: ControllerContext, away: Away): string {
  const { node, hostname, jobs } = away;
  const what = jobs.length > 0 ? `${jobsText(jobs)} on there` : "its mgpu-stepd may run on there";
  const pid = context.sessions.lastOf(node)?.holder.pid;
  const end = `mgpud --node-id ${node} on ${hostname} takes it over and ends it once mgpu runs again`;
  const kill = pid ? `, or kill ${pid} there ends mgpu-stepd after its last job` : "";
  return `${sinceText(context, away)}: ${what}; ${end}${kill}`;
}
