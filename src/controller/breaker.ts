/**
 * A node's circuit breaker: where jobs die as soon as they start, one after the other, a queue is gone in minutes. Such a
 * node is drained with the reason, once it is plain that the node is at fault (src/decisions/0024-circuit-breaker.md):
 *
 *   - what the node itself could not start or keep counts, each job once; where a user's holder had a hand in it, only
 *     together with another user's;
 *   - a batch script that dies here and lived on other nodes, dying on none of them, counts;
 *   - any other death counts only together with another user's: one user's broken scripts drain nothing.
 *
 * A job that ends well, or lives for a while, begins the count anew; so does scontrol's resume. Kept in memory only.
 */

import type { Settings } from "../config/settings.ts";
import type { UpdateNodes } from "../core/commands.ts";
import type { Event } from "../core/events.ts";
import { mainStepId, type RunningJob } from "../core/job.ts";
import type { ClusterState } from "../core/state.ts";
import type { Log } from "../platform/log.ts";
import type { NodeReport } from "../protocol/procedures.ts";

/** How the main part of a job ended on a node. */
export interface Ending {
  readonly node: string;
  readonly jobId: number;
  readonly uid: number;
  /** The same for all jobs of one user that run the same script or program. */
  readonly program: string;
  readonly isBatch: boolean;
  /** `node`: the node could not start or keep it. */
  readonly how: "well" | "badly" | "node";
  /** What the node said of it went through a holder that is in that user's hands. */
  readonly isUsersHolder: boolean;
  /** Milliseconds since its job's start. */
  readonly ranMs: number;
}

export interface BreakerRules {
  /** Deaths in a row; 0 for no breaker. */
  readonly deaths: number;
  /** A death within so many milliseconds is one at once. */
  readonly withinMs: number;
}

interface Death extends Ending {
  /** Only the node can be at fault. */
  readonly isSure: boolean;
}

/** Where a program lived, and where it died at once. */
interface Past {
  readonly lived: Set<string>;
  readonly died: Set<string>;
}

/** Programs that are remembered, oldest out first. */
const PROGRAMS_MAX = 4096;

/** Deaths kept of a node: of one user's they may be many, and none of them counts. */
const DEATHS_MAX = 256;

export class Breaker {
  private readonly rules: () => BreakerRules;
  private readonly rows = new Map<string, Death[]>();
  private readonly past = new Map<string, Past>();

  constructor(rules: () => BreakerRules) {
    this.rules = rules;
  }

  /** Takes in an ending; the reason why its node should take no more jobs, or `null`. */
  note(ending: Ending): string | null {
    const { deaths, withinMs } = this.rules();
    if (deaths === 0) return null;
    const { node, how, ranMs } = ending;
    const isQuick = ranMs < withinMs;
    if (how === "well" || (how === "badly" && !isQuick)) {
      this.pastOf(ending.program).lived.add(node);
      this.rows.delete(node);
      return null;
    }
    if (!isQuick) return null;
    if (how === "badly") this.pastOf(ending.program).died.add(node);
    const row = (this.rows.get(node) ?? []).filter(({ jobId }) => jobId !== ending.jobId);
    row.push({ ...ending, isSure: how === "node" });
    this.rows.set(node, row.slice(-DEATHS_MAX));
    return this.judge(node, deaths, withinMs);
  }

  /** A node begins anew. */
  forget(node: string): void {
    this.rows.delete(node);
  }

  private judge(node: string, deaths: number, withinMs: number): string | null {
    const row = (this.rows.get(node) ?? []).filter((death) => death.isSure || !this.diesElsewhere(death));
    const sure = allOrNodesOwn(row.filter((death) => death.isSure || this.livesElsewhere(death)));
    const programs = new Map(row.map((death) => [death.program, death]));
    const users = new Set(row.map(({ uid }) => uid));
    const isTold = sure.length >= deaths || (programs.size >= deaths && users.size > 1);
    if (!isTold) return null;
    const guilty = sure.length >= deaths ? sure : [...programs.values()];
    this.rows.delete(node);
    const ids = guilty.slice(-deaths).map(({ jobId }) => jobId);
    return `${guilty.length} jobs in a row died within ${withinMs / 1000} s: ${ids.join(",")}`;
  }

  private livesElsewhere({ program, node, isBatch }: Death): boolean {
    const past = this.past.get(program);
    return isBatch && past !== undefined && !this.diesElsewhere({ program, node }) && hasOther(past.lived, node);
  }

  /** Then it is the program's own fault, most likely. */
  private diesElsewhere({ program, node }: Pick<Death, "program" | "node">): boolean {
    return hasOther(this.past.get(program)?.died ?? new Set(), node);
  }

  private pastOf(program: string): Past {
    const known = this.past.get(program) ?? { lived: new Set(), died: new Set() };
    this.past.delete(program);
    this.past.set(program, known);
    const [oldest] = this.past.keys();
    if (this.past.size > PROGRAMS_MAX && oldest !== undefined) this.past.delete(oldest);
    return known;
  }
}

/** Who ends his own holder, or keeps it from starting, must not take the node from everybody. */
function allOrNodesOwn(sure: readonly Death[]): readonly Death[] {
  const isUsers = (death: Death): boolean => death.isSure && death.isUsersHolder;
  const users = new Set(sure.filter(isUsers).map(({ uid }) => uid));
  return users.size > 1 ? sure : sure.filter((death) => !isUsers(death));
}

function hasOther(nodes: ReadonlySet<string>, node: string): boolean {
  return nodes.size > (nodes.has(node) ? 1 : 0);
}

/**
 * What a node's report says of the main step of a running job; `null` where it says nothing of the node: of other steps,
 * and of what was ended from outside or for its memory.
 * @param state before the report counts
 * @param now milliseconds since 1970
 * @param isShared users have holders of their own: the cluster is root's
 */
export function endingOf(
  state: ClusterState,
  node: string,
  report: NodeReport,
  now: number,
  isShared: boolean,
): Ending | null {
  if (report.type !== "ended" && report.type !== "lost") return null;
  const { jobId, attempt, stepId } = report.key;
  const job = state.jobs.get(jobId);
  if (job?.state !== "RUNNING" || job.attempt !== attempt || mainStepId(job) !== stepId) return null;
  const step = job.steps.find(({ id }) => id === stepId);
  const part = step?.parts.find((one) => one.node === node);
  if (!step || step.ending || !part || part.phase === "ended") return null;
  if (report.type === "ended" && report.outOfMemory) return null;
  const isGood = report.type === "ended" && report.exits.every(({ code, signal }) => code === 0 && signal === 0);
  const isNodes = report.type === "lost" || report.nodeFault === true;
  const how = isNodes ? "node" : isGood ? "well" : "badly";
  const { uid } = job.spec.user;
  const isBatch = job.spec.kind === "batch";
  const isUsersHolder = isShared && uid !== 0;
  const ranMs = Math.max(0, now - step.startAt);
  return { node, jobId, uid, program: programOf(job), isBatch, how, isUsersHolder, ranMs };
}

/** Arguments of a script are no part of it: a sweep is one program. */
function programOf({ spec }: RunningJob): string {
  return `${spec.user.uid} ${spec.scriptDigest ?? spec.argv.slice(0, 2).join(" ")}`;
}

export interface BreakerPorts {
  readonly settings: Pick<Settings, "drainAfterDeaths" | "deathWithinS">;
  readonly log: Log;
  state(): ClusterState;
  submit(command: UpdateNodes): void;
}

export interface NodeBreaker {
  /** A report counted: it may drain its node. */
  noteEnding(ending: Ending): void;
  /** A node that is put back into service begins anew. */
  onEvents(events: readonly Event[]): void;
}

/** A breaker that drains nodes of the state. */
export function createBreaker({ settings, log, state, submit }: BreakerPorts): NodeBreaker {
  const breaker = new Breaker(() => ({ deaths: settings.drainAfterDeaths, withinMs: settings.deathWithinS * 1000 }));
  return {
    noteEnding(ending) {
      const reason = breaker.note(ending);
      const node = state().nodes.get(ending.node);
      if (reason === null || !node || node.drain || node.down) return;
      log.warn("a node is drained: jobs die on it at once", { node: node.name, reason });
      submit({ type: "nodes.update", nodes: [node.name], changes: { state: "DRAIN", reason }, away: [] });
    },
    onEvents(events) {
      for (const event of events) if (event.type === "node.updated" && event.drain === null) breaker.forget(event.node);
    },
  };
}

/** A sentence for each node that was drained that way, until somebody puts it back. */
export function breakerProblems({ nodes }: ClusterState): string[] {
  return [...nodes.values()].flatMap(({ name, drain }) => {
    if (!drain || drain.by) return [];
    const back = `mgpu-scontrol update nodename=${name} state=resume puts it back`;
    return [`node ${name} is drained: ${drain.reason}; once that is seen to, ${back}`];
  });
}
