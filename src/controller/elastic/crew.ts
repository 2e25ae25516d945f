/**
 * Keeps queues of allocations going: asks for machines while jobs wait that could use them, follows what becomes of the
 * allocations, sends idle nodes away, and puts what ran on lost ones back into the queue.
 *
 * One turn does all of it, one after the other, so that nothing here happens twice at once. Turns come when something
 * happened and every so often; the batch system is asked only as often as the setting says, or when a node was lost.
 */

import { mayGrow, whyNoMore } from "../../core/decide/elastic.ts";
import { type ElasticNode, type ElasticQueue, elasticNodeName, type Manager } from "../../core/elastic/records.ts";
import type { Event } from "../../core/events.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import { formatDuration } from "../../core/time.ts";
import type { Cancel } from "../../platform/clock.ts";
import type { ControllerContext } from "../context.ts";
import type { Registration } from "../sessions.ts";
import { inSlices } from "../slices.ts";
import { endNode } from "./end.ts";
import { type BatchManager, ManagerAway } from "./manager.ts";
import { type Away, type Place, Watch } from "./watch.ts";
import { type Imagined, type Use, usedNodes } from "./what-if.ts";

export interface CrewPorts {
  readonly managers: Readonly<Record<Manager, BatchManager>>;
  /** A line by which one machine can join, good for some minutes; `null` where no other machine is listened for. */
  invite(): Promise<string | null>;
  /** Makes the key of a node void. Never rejects. */
  revoke(node: NodeName): Promise<void>;
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Where scripts, tokens and output of allocations are. */
  readonly folder: string;
}

/** Between turns at least, whatever happens. */
const GAP_MS = 2000;

/** Imagined nodes of one look: more are asked for in the next. */
const IMAGINED_MAX = 32;

/** A node that was told to end, and did not, is ended by the batch system after so long. */
const LEAVE_MS = 60_000;

/** For so long after a node was lost the batch system is asked again and again. */
const LOST_FRESH_MS = 60_000;

/** What was found out of the need for allocations. */
interface Need extends Use {
  readonly seq: number;
  readonly at: number;
}

const NO_USE: Use = { jobs: new Map(), held: new Set() };

export class ElasticCrew {
  readonly #context: ControllerContext;
  readonly #ports: CrewPorts;
  readonly #watch: Watch;
  /** Since when a node has had no job, or an allocation that waits has been of no use; monotonic. */
  readonly #idleSince = new Map<NodeName, number>();
  readonly #leftAt = new Map<NodeName, number>();
  #need: Need = { seq: -1, at: 0, ...NO_USE };
  #turnedAt = Number.NEGATIVE_INFINITY;
  #timer: Cancel = () => {};
  #timerAt = Number.POSITIVE_INFINITY;
  #isBusy = false;
  #isStopped = true;
  #cancelWork: Cancel = () => {};

  constructor(context: ControllerContext, ports: CrewPorts) {
    this.#context = context;
    this.#ports = ports;
    this.#watch = new Watch(context, ports, (node, how) => this.#over(node, how));
  }

  /** Looks which of the allocations still live, and goes on. */
  start(): void {
    this.#isStopped = false;
    this.#watch.hurry();
    this.kick();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer();
    this.#cancelWork();
  }

  /** Something happened: a turn comes soon. */
  kick(): void {
    const { clock } = this.#context;
    this.#plan(Math.max(clock.monotonic(), this.#turnedAt + this.#gapMs()));
  }

  /** What events mean for the crew. */
  readonly onEvents = (events: readonly Event[]): void => {
    if (this.#isStopped || this.#state().queues.size === 0) return;
    if (events.some(({ type }) => MATTERS.has(type))) this.kick();
  };

  /** A node's connection is gone: the batch system may know why. */
  noteLost(node: NodeName): void {
    if (this.#state().nodes.has(node)) this.noteTrouble();
  }

  /** The batch system is looked at as soon as may be. */
  noteTrouble(): void {
    this.#watch.hurry();
    this.kick();
  }

  /** Whether a node daemon that says it is one of an allocation's is expected. */
  isExpected(node: NodeName): boolean {
    return this.#state().nodes.has(node);
  }

  /** A node joined. */
  async noteJoined({ name, inventory, allocation = "" }: Registration): Promise<void> {
    const elastic = this.#state().nodes.get(name);
    if (!elastic) return;
    const { loop, clock } = this.#context;
    const changes = { joinedAt: elastic.joinedAt ?? clock.now(), phase: "running", host: inventory.hostname } as const;
    const outerId = elastic.outerId === "" ? allocation : elastic.outerId;
    const isFirst = elastic.joinedAt === null;
    const missing = this.#missingGpus(elastic, inventory.gpus.length);
    const what = `${name} joined from ${inventory.hostname}: ${inventory.cpus} CPUs, ${inventory.gpus.length} GPUs${missing}`;
    await loop.execute({
      type: "elastic.node",
      node: name,
      changes: { ...changes, outerId },
      ...(isFirst ? { note: what } : {}),
    });
    if (isFirst) {
      const comment = `${this.#titleOf(elastic)} job ${outerId} on ${inventory.hostname}${missing}`;
      await loop.execute({ type: "nodes.update", nodes: [name], changes: { comment }, away: [] });
      await loop.execute({
        type: "elastic.change",
        queueId: elastic.queueId,
        change: { type: "seen", gpus: inventory.gpus },
        note: "",
      });
      await this.#ports.remove(`${this.#ports.folder}/${name}.join`).catch(() => {});
    }
    // Until its end is known, nothing is placed there.
    if (elastic.endsAt === null) this.#watch.hurry();
    this.kick();
  }

  /** Jobs for the GPUs that were asked for would wait on there for ever, and nobody would know why. */
  #missingGpus({ queueId }: ElasticNode, found: number): string {
    const asked = Number.parseInt(/\d+$/.exec(this.#state().queues.get(queueId)?.shape.gpus ?? "")?.[0] ?? "0", 10);
    return found < asked ? `, of ${asked} that were asked for: does nvidia-smi show them there?` : "";
  }

  /** Since when the batch system of a queue has not answered, and what came instead; `null` if it does. */
  awayOf(queue: ElasticQueue): Away | null {
    return this.#watch.awayOf(queue);
  }

  get managers(): CrewPorts["managers"] {
    return this.#ports.managers;
  }

  /** What a waiting job may expect of each queue, a sentence each. */
  prospects(jobId: JobId): string[] {
    const { loop, clock } = this.#context;
    const { queues, nodes } = this.#state();
    const expected = [...nodes.values()].find(({ node }) => this.#need.jobs.get(node)?.includes(jobId));
    if (expected) {
      const { node, outerId, phase, why } = expected;
      const where =
        outerId === "" ? "" : ` (${this.#titleOf(expected)} job ${outerId}${why === "" ? "" : `, waits: ${why}`})`;
      return [`${node} was asked for${where}: the job can start there${phase === "running" ? " in a moment" : ""}`];
    }
    return [...queues.values()].map((queue) => {
      const name = `${queue.manager}${queue.id}`;
      const away = this.#watch.awayOf(queue);
      if (away) return `${name}: ${this.#ports.managers[queue.manager].title} does not answer: ${away.problem}`;
      const why = whyNoMore(loop.state, queue, clock.now());
      if (why !== "") return `${name} asks for no more now: ${why}`;
      const { gpus, cpus, timeS } = queue.shape;
      const size = `${gpus === "" ? "no GPUs" : `gpu:${gpus}`}, ${cpus} CPUs, ${formatDuration(timeS)}`;
      return `${name}: no allocation was asked for; the job may not fit one (${size}), or others come first`;
    });
  }

  #titleOf({ queueId }: ElasticNode): string {
    const queue = this.#state().queues.get(queueId);
    return queue ? this.#ports.managers[queue.manager].title : "";
  }

  #state() {
    return this.#context.loop.state.elastic;
  }

  #gapMs(): number {
    return Math.min(GAP_MS, this.#context.settings.elasticIntervalS * 1000);
  }

  #plan(at: number): void {
    if (this.#isStopped || at >= this.#timerAt) return;
    const { clock } = this.#context;
    this.#timer();
    this.#timerAt = at;
    this.#timer = clock.after(Math.max(0, at - clock.monotonic()), () => void this.#turn());
  }

  /** Never rejects. */
  async #turn(): Promise<void> {
    const { clock, log, settings, isEnding } = this.#context;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#isBusy || this.#isStopped || isEnding()) return;
    this.#isBusy = true;
    try {
      await this.#watch.look(this.#places());
      // Nodes are idle only where no job waits for others to come besides.
      await this.#grow();
      await this.#sendAway();
    } catch (error) {
      log.error("elastic nodes: a turn failed", { error: String(error) });
    }
    this.#isBusy = false;
    this.#turnedAt = clock.monotonic();
    if (this.#state().queues.size > 0) this.#plan(clock.monotonic() + settings.elasticIntervalS * 1000);
    // What became of a node that has just gone is known there soon: its jobs wait for that.
    if (this.#hasJustLost()) this.noteTrouble();
  }

  #hasJustLost(): boolean {
    const { clock, sessions } = this.#context;
    const isFresh = (at: number | null): boolean => at !== null && clock.now() - at < LOST_FRESH_MS;
    return [...this.#state().nodes.keys()].some((node) => isFresh(sessions.lostAt(node)));
  }

  /** Batch systems that are to be looked at. */
  #places(): Place[] {
    const places = new Map<string, Place>();
    for (const queue of this.#state().queues.values()) {
      const key = Watch.keyOf(queue);
      const known = places.get(key) ?? { key, manager: queue.manager, place: queue.place, queues: [] };
      places.set(key, { ...known, queues: [...known.queues, queue] });
    }
    return [...places.values()];
  }

  /** Nodes that had nothing to do for long enough, or whose queue is to go, are told to end. */
  async #sendAway(): Promise<void> {
    const { loop } = this.#context;
    const busy = busyNodes(loop.state.active, loop.state.jobs);
    for (const elastic of [...this.#state().nodes.values()]) {
      const queue = this.#state().queues.get(elastic.queueId);
      if (!queue) continue;
      if (elastic.leaving !== undefined) await this.#hurryUp(elastic, queue);
      else if (loop.state.nodes.has(elastic.node)) await this.#judgeIdle(elastic, queue, busy);
      else if (elastic.phase === "waiting" && queue.isLeaving)
        await this.#cancel(elastic, queue, "its queue is removed");
    }
  }

  async #judgeIdle(elastic: ElasticNode, queue: ElasticQueue, busy: ReadonlySet<NodeName>): Promise<void> {
    const { clock, isConnected } = this.#context;
    const { node } = elastic;
    const isHeld = this.#need.held.has(node) && !queue.isLeaving;
    if (busy.has(node) || isHeld || !isConnected(node)) return void this.#idleSince.delete(node);
    const now = clock.monotonic();
    const since = this.#idleSince.get(node) ?? now;
    this.#idleSince.set(node, since);
    const why = queue.isLeaving ? "its queue is removed" : now - since >= queue.limits.idleS * 1000 ? "idle" : "";
    if (why !== "") await this.#tellToEnd(elastic, why);
  }

  /** Closed first: a job that came meanwhile stays, and so does the node. */
  async #tellToEnd({ node }: ElasticNode, why: string): Promise<void> {
    const { loop } = this.#context;
    const update = (state: "DRAIN" | "UNDRAIN") =>
      loop.execute({ type: "nodes.update", nodes: [node], changes: { state, reason: `it leaves: ${why}` }, away: [] });
    await update("DRAIN");
    if (busyNodes(loop.state.active, loop.state.jobs).has(node)) return void (await update("UNDRAIN"));
    await loop.execute({ type: "elastic.node", node, changes: { leaving: why }, note: `${node} leaves: ${why}` });
    await this.#shutDown(node);
  }

  async #shutDown(node: NodeName): Promise<void> {
    const { clock, sessions } = this.#context;
    if (!this.#leftAt.has(node)) this.#leftAt.set(node, clock.monotonic());
    await sessions
      .get(node)
      ?.peer.call("node.shutdown", { holders: true })
      .catch(() => {});
    this.#watch.hurry();
  }

  async #hurryUp(elastic: ElasticNode, queue: ElasticQueue): Promise<void> {
    const { clock, isConnected } = this.#context;
    if (isConnected(elastic.node)) await this.#shutDown(elastic.node);
    const since = this.#leftAt.get(elastic.node) ?? clock.monotonic();
    this.#leftAt.set(elastic.node, since);
    if (clock.monotonic() - since >= LEAVE_MS) await this.#cancel(elastic, queue, elastic.leaving ?? "");
  }

  async #cancel({ node, outerId }: ElasticNode, queue: ElasticQueue, why: string): Promise<void> {
    const { loop } = this.#context;
    await loop.execute({ type: "elastic.node", node, changes: { leaving: why }, note: `${node} is cancelled: ${why}` });
    this.#leftAt.set(node, this.#context.clock.monotonic());
    if (outerId !== "") await this.#ports.managers[queue.manager].cancel(outerId, queue.place);
    this.#watch.hurry();
    this.kick();
  }

  /** Ends allocations of a queue there and then: what runs on their nodes goes back into the queue. */
  async cancelAll(queue: ElasticQueue): Promise<void> {
    for (const elastic of [...this.#state().nodes.values()]) {
      if (elastic.queueId === queue.id) await this.#cancel(elastic, queue, "its queue is removed by force");
    }
  }

  /** Asks for what waiting jobs could use, and gives up what none could for long enough. */
  async #grow(): Promise<void> {
    const { loop, clock } = this.#context;
    const now = clock.now();
    const imagined = this.#imagine();
    if (imagined.length === 0) {
      this.#need = { seq: loop.state.seq, at: now, ...NO_USE };
      return;
    }
    // Nothing changed: only time could bring something new.
    const isSame = this.#need.seq === loop.state.seq && now - this.#need.at < GAP_MS * 5;
    if (isSame && this.#need.jobs.size === 0 && imagined.every(({ isComing }) => !isComing)) return;
    const use = loop.state.pending.size === 0 ? NO_USE : await this.#useOf(imagined, now);
    const { jobs } = use;
    this.#need = { seq: loop.state.seq, at: now, ...use };
    await this.#dropUnused(imagined, jobs);
    for (const queue of [...this.#state().queues.values()]) {
      const wanted = imagined.filter((one) => one.queue.id === queue.id && !one.isComing && jobs.has(one.node)).length;
      for (let count = 0; count < wanted && !this.#isStopped; count++) if (!(await this.#submit(queue.id))) break;
    }
  }

  /** With those that may be asked for later only: jobs over several nodes count on them. */
  #imagine(): Imagined[] {
    const { loop } = this.#context;
    const coming: Imagined[] = [];
    const possible: Imagined[] = [];
    for (const queue of this.#state().queues.values()) {
      const own = [...this.#state().nodes.values()].filter(({ queueId }) => queueId === queue.id);
      for (const { node, leaving } of own) {
        if (leaving === undefined && !loop.state.nodes.has(node)) coming.push({ node, queue, isComing: true });
      }
      if (!mayGrow(queue) || this.#watch.awayOf(queue)) continue;
      for (let more = 1; own.length + more <= queue.limits.max; more++) {
        if (possible.length === IMAGINED_MAX) break;
        possible.push({ node: elasticNodeName(queue, queue.submitted + more), queue, isComing: false });
      }
    }
    return [...coming, ...possible];
  }

  #useOf(imagined: readonly Imagined[], now: number): Promise<Use> {
    const work = usedNodes(this.#context, imagined, now);
    let found = NO_USE;
    const steps = {
      next() {
        const step = work.next();
        if (step.done) found = step.value;
        return step;
      },
    };
    return new Promise((resolve) => {
      this.#cancelWork = inSlices(this.#context.clock, steps, () => resolve(found));
    });
  }

  /** Jobs may be gone before the machines for them come. */
  async #dropUnused(imagined: readonly Imagined[], jobs: ReadonlyMap<NodeName, unknown>): Promise<void> {
    const now = this.#context.clock.monotonic();
    for (const { node, queue, isComing } of imagined) {
      const elastic = this.#state().nodes.get(node);
      if (!isComing || elastic?.phase !== "waiting") continue;
      if (jobs.has(node)) this.#idleSince.delete(node);
      else if (!this.#idleSince.has(node)) this.#idleSince.set(node, now);
      const since = this.#idleSince.get(node) ?? now;
      if (now - since >= queue.limits.idleS * 1000 && now > since)
        await this.#cancel(elastic, queue, "no job needs it");
    }
  }

  /** Whether another one may be asked for. */
  async #submit(queueId: number): Promise<boolean> {
    const { loop, log } = this.#context;
    const decision = await loop.execute({ type: "elastic.order", queueId });
    const ordered = decision.kind === "accept" && decision.events.find((event) => event.type === "elastic.node.set");
    const queue = this.#state().queues.get(queueId);
    if (!ordered || !queue) return false;
    const { node } = ordered.elastic;
    const manager = this.#ports.managers[queue.manager];
    const result = await this.#watch.during(queue, () => manager.submit({ queue, node }));
    log.info("an allocation was asked for", { node, ...result });
    if (result.type === "submitted") {
      const phase = this.#state().nodes.get(node)?.phase === "ordered" ? ({ phase: "waiting" } as const) : {};
      const note = `${node} was asked for: ${manager.title} job ${result.id}`;
      await loop.execute({ type: "elastic.node", node, changes: { outerId: result.id, ...phase }, note });
      return true;
    }
    if (result.type === "refused") {
      await loop.execute({
        type: "elastic.over",
        node,
        note: `${node} was refused: ${result.problem}`,
        problem: result.problem,
      });
    } else {
      this.#watch.noteAway(queue, new ManagerAway(result.problem));
    }
    return false;
  }

  async #over(elastic: ElasticNode, how: string): Promise<void> {
    this.#idleSince.delete(elastic.node);
    this.#leftAt.delete(elastic.node);
    await endNode(this.#context, this.#ports, elastic, how);
    this.kick();
  }
}

/** Events after which there may be something to do. */
const MATTERS: ReadonlySet<Event["type"]> = new Set([
  ...(["job.submitted", "job.requeued", "job.held", "job.updated", "job.ended", "job.cleaned"] as const),
  ...(["elastic.queue.set", "node.updated"] as const),
]);

function busyNodes(
  active: ReadonlySet<JobId>,
  jobs: ControllerContext["loop"]["state"]["jobs"],
): ReadonlySet<NodeName> {
  const busy = new Set<NodeName>();
  for (const id of active) for (const { node } of jobs.get(id)?.allocation ?? []) busy.add(node);
  return busy;
}
