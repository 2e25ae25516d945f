/** Looks at the batch systems' own lists: what became of the allocations there, and whether anybody answers. */

import type { ElasticNode, ElasticQueue, Manager, ManagerPlace } from "../../core/elastic/records.ts";
import type { ControllerContext } from "../context.ts";
import type { CrewPorts } from "./crew.ts";
import type { OuterJob } from "./manager.ts";
import { allocationFiles } from "./slurm-text.ts";

/** A batch system as some queues reach it. */
export interface Place {
  readonly key: string;
  readonly manager: Manager;
  readonly place: ManagerPlace;
  readonly queues: readonly ElasticQueue[];
}

/** Nobody answers there. */
export interface Away {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly problem: string;
}

/** A batch system that does not answer is asked less and less often, but at least every so many milliseconds. */
const AWAY_MS_MAX = 60_000;

/** A token is taken within seconds, or not at all: after so long there is another one. */
const TOKEN_MS = 8 * 60_000;

/** An answer that takes longer is worth a word: Slurm's commands try for some twenty seconds. */
const SLOW_MS = 5000;

interface Seen {
  /** When the last look ended, monotonic. */
  at: number;
  /** Since when somebody waits for an answer, milliseconds since 1970; 0 for nobody. */
  askedAt: number;
  tries: number;
  away: Away | null;
}

export class Watch {
  readonly #context: ControllerContext;
  readonly #ports: CrewPorts;
  readonly #onOver: (node: ElasticNode, how: string) => Promise<void>;
  readonly #seen = new Map<string, Seen>();
  /** When a node was given its token, monotonic. */
  readonly #invited = new Map<string, number>();
  #isUrgent = false;

  constructor(context: ControllerContext, ports: CrewPorts, onOver: (node: ElasticNode, how: string) => Promise<void>) {
    this.#context = context;
    this.#ports = ports;
    this.#onOver = onOver;
  }

  /** Queues with the same key share one batch system. */
  static keyOf({ manager, place }: Pick<ElasticQueue, "manager" | "place">): string {
    return JSON.stringify([manager, place.path ?? "", Object.entries(place.variables ?? {})]);
  }

  /** The next look does not wait for its time. */
  hurry(): void {
    this.#isUrgent = true;
  }

  awayOf(queue: Pick<ElasticQueue, "manager" | "place">): Away | null {
    const seen = this.#seen.get(Watch.keyOf(queue));
    if (seen?.away || !seen?.askedAt) return seen?.away ?? null;
    const isSlow = this.#context.clock.now() - seen.askedAt >= SLOW_MS;
    return isSlow ? { since: seen.askedAt, problem: "no answer yet" } : null;
  }

  /** Does something for which a batch system has to answer. */
  async during<T>(queue: Pick<ElasticQueue, "manager" | "place">, work: () => Promise<T>): Promise<T> {
    const seen = this.#seenOf(Watch.keyOf(queue));
    seen.askedAt = this.#context.clock.now();
    try {
      return await work();
    } finally {
      seen.askedAt = 0;
    }
  }

  /** Nobody answered a submission. */
  noteAway(queue: ElasticQueue, error: Error): void {
    this.#away(this.#seenOf(Watch.keyOf(queue)), queue.manager, error);
  }

  /** Looks at those whose time it is. */
  async look(places: readonly Place[]): Promise<void> {
    const isUrgent = this.#isUrgent;
    this.#isUrgent = false;
    for (const place of places) {
      const own = this.#nodesOf(place);
      const seen = this.#seenOf(place.key);
      if (own.length === 0 && !seen.away) continue;
      if (this.#isDue(seen, isUrgent)) await this.#lookAt(place, seen);
    }
  }

  #seenOf(key: string): Seen {
    const seen = this.#seen.get(key) ?? { at: Number.NEGATIVE_INFINITY, askedAt: 0, tries: 0, away: null };
    this.#seen.set(key, seen);
    return seen;
  }

  #nodesOf({ queues }: Place): ElasticNode[] {
    const ids = new Set(queues.map(({ id }) => id));
    return [...this.#context.loop.state.elastic.nodes.values()].filter(({ queueId }) => ids.has(queueId));
  }

  #isDue({ at, tries, away }: Seen, isUrgent: boolean): boolean {
    const { clock, settings } = this.#context;
    const intervalMs = settings.elasticIntervalS * 1000;
    const pauseMs = away ? Math.min(AWAY_MS_MAX, intervalMs * 2 ** tries) : isUrgent ? 0 : intervalMs;
    return clock.monotonic() >= at + pauseMs * 0.9;
  }

  async #lookAt(place: Place, seen: Seen): Promise<void> {
    const { clock, log } = this.#context;
    const manager = this.#ports.managers[place.manager];
    let jobs: readonly OuterJob[];
    try {
      jobs = await this.during(place, () => manager.list(place.place));
    } catch (error) {
      return this.#away(seen, place.manager, error as Error);
    }
    seen.at = clock.monotonic();
    seen.tries = 0;
    if (seen.away) log.info(`${manager.title} answers again`, { away: clock.now() - seen.away.since });
    seen.away = null;
    for (const elastic of this.#nodesOf(place)) await this.#follow(elastic, jobs, manager.title);
    await this.#cancelStrays(place, jobs);
  }

  #away(seen: Seen, manager: Manager, { message: problem }: Error): void {
    const { clock, log } = this.#context;
    const { title } = this.#ports.managers[manager];
    seen.at = clock.monotonic();
    seen.tries = Math.min(16, seen.tries + 1);
    if (!seen.away) log.warn(`${title} does not answer; jobs on its nodes go on, it is asked again`, { problem });
    seen.away = { since: seen.away?.since ?? clock.now(), problem };
  }

  async #follow(elastic: ElasticNode, jobs: readonly OuterJob[], title: string): Promise<void> {
    const { loop } = this.#context;
    const { node, outerId } = elastic;
    // One that was started again has the same name as the one before.
    const found = jobs.find(({ id }) => id === outerId) ?? jobs.findLast((job) => job.node === node);
    if (!found) {
      const how = outerId === "" ? `${title} did not take it` : `${title} job ${outerId} is gone`;
      return this.#onOver(elastic, how);
    }
    const { id, phase, why, host, endsAt } = found;
    if (phase === "over") return this.#onOver(elastic, `${title} job ${id} is over: ${why}`);
    const known = elastic.outerId === id && elastic.phase === phase;
    const place = phase === "running" ? { host: elastic.joinedAt === null ? host : elastic.host, endsAt } : {};
    const isRunning = phase === "running" || elastic.joinedAt !== null;
    const changes = {
      outerId: id,
      why: isRunning ? "" : why,
      ...place,
      phase: isRunning ? ("running" as const) : phase,
    };
    const note = known || phase !== "running" ? {} : { note: `${node}: ${title} job ${id} runs on ${host}` };
    await loop.execute({ type: "elastic.node", node, changes, ...note });
    if (phase === "running" && elastic.joinedAt === null) await this.#invite(node);
  }

  /** A machine that does not see our socket joins with a token, which is made when it can be used. */
  async #invite(node: string): Promise<void> {
    const { clock } = this.#context;
    const at = this.#invited.get(node);
    if (at !== undefined && clock.monotonic() < at + TOKEN_MS) return;
    const line = await this.#ports.invite();
    if (line === null) return;
    this.#invited.set(node, clock.monotonic());
    await this.#ports.write(allocationFiles(this.#ports.folder, node).token, `${line}\n`);
  }

  /** Jobs there that are ours by their names, but of which nothing is known here any more: nobody would ever end them. */
  async #cancelStrays({ manager, place }: Place, jobs: readonly OuterJob[]): Promise<void> {
    const { loop, log } = this.#context;
    for (const { id, node, phase } of jobs) {
      if (phase === "over" || loop.state.elastic.nodes.has(node)) continue;
      log.warn("an allocation that nobody knows of is cancelled", { node, job: id });
      await this.#ports.managers[manager].cancel(id, place);
    }
  }
}
