/**
 * The node daemon's logic: keeps one session with the controller, follows its orders, and reports what became of them.
 * It may be killed at any moment: the spool and the holders know enough for the next one to go on.
 *
 * Everything it touches comes through ports, so the simulation runs the same code.
 */

import type { NodePlaces } from "../config/places.ts";
import type { Settings } from "../config/settings.ts";
import { gpuIndices } from "../core/gpu-pick.ts";
import type { NodeInventory } from "../core/node.ts";
import type { Gpu } from "../core/resources.ts";
import type { Clock } from "../platform/clock.ts";
import type { HostCpu } from "../platform/cpu-topology.ts";
import type { Disk } from "../platform/disk.ts";
import type { GpuLoad } from "../platform/gpu.ts";
import type { Log } from "../platform/log.ts";
import { RpcError } from "../protocol/errors.ts";
import type { NodeVitals } from "../protocol/procedures.ts";
import type { Connected, Handlers, Peer } from "../rpc/types.ts";
import { adopt, reviewIdle } from "./agent-adopt.ts";
import type { AgentContext } from "./agent-context.ts";
import { applyStatus, confirmReports } from "./agent-end.ts";
import { orderLaunch } from "./agent-launch.ts";
import { onHolderGone } from "./agent-lost.ts";
import { passNotice } from "./agent-notify.ts";
import { orderSignal } from "./agent-signal.ts";
import { startsHere } from "./agent-strays.ts";
import { orderTerminate } from "./agent-terminate.ts";
import { orderTerminateStep } from "./agent-terminate-step.ts";
import { tellUsage } from "./agent-usage.ts";
import { askerOf, readerOf } from "./agent-user.ts";
import { type Allocation, clearAway, HeldReports, Loneliness } from "./allocation.ts";
import { ClosedStarts } from "./closed-starts.ts";
import { deferred, messageOf } from "./deferred.ts";
import { type Examiner, examineHandlers } from "./examine.ts";
import { GpuLoads } from "./gpu-loads.ts";
import { GpuWatch } from "./gpu-watch.ts";
import { HolderCrew } from "./holder-crew.ts";
import type { FollowBatch, HolderFactory, Runner } from "./holder-factory.ts";
import type { HolderPort } from "./holder-port.ts";
import { clearGroups, type MemoryLimits, NO_GROUPS } from "./memory-limits.ts";
import type { StepProcesses } from "./orphan-memory.ts";
import { type NodeOutside, outsideHandlers, withAccess } from "./outside.ts";
import { type ReadFile, readOutput } from "./read-output.ts";
import { createReportQueue } from "./report-queue.ts";
import { Session } from "./session.ts";
import { openSpool } from "./spool.ts";
import { StepTable } from "./step-table.ts";

export interface AgentPorts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Log;
}

export interface AgentOptions {
  /** Name to register under. */
  readonly name: string;
  /** Whose daemon this is; without it, it runs whatever it is told to. */
  readonly user?: Runner;
  /** Path of the controller's socket where that is on this machine. */
  readonly controllerSocket?: string;
  /** What the machine has now; asked at the start and before each registration. Trouble belongs into gpuProblem. */
  inventory(): Promise<NodeInventory>;
  readonly holders: HolderFactory;
  /** Connects to the controller and says hello as a node; must settle in bounded time. */
  connect(handlers: Handlers<"node">): Promise<Connected>;
  readonly followBatch: FollowBatch;
  /** Part of a file, read with a user's rights; `null` if there is none. Rejects with Node's error. */
  readonly readFile: ReadFile;
  /** Names of the steps (JOB.ATTEMPT.STEP) of which processes live on this node, on record or not. */
  survivors(): readonly string[];
  readonly settings: Pick<Settings, "killWaitS"> & Partial<Pick<Settings, "gpuQueryMs" | "heartbeatMs">>;
  readonly nodePlaces: NodePlaces;
  /** The processes of this node's steps, to keep batch scripts without a holder within their memory. */
  readonly processes?: StepProcesses;
  /** How steps are kept within their memory; without it by looking once a second. */
  readonly memory?: MemoryLimits;
  /** CPUs that steps can be bound to, neighbours beside one another; without it none can. */
  cpus?(): readonly HostCpu[];
  /** Whether something of that path is on this machine; without it nothing is. */
  exists?(path: string): boolean;
  /** How the machine is doing, told with each sign of life; without it the signs say nothing. */
  vitals?(): NodeVitals;
  /** Where the controller is on another machine. */
  readonly outside?: NodeOutside;
  /** How busy its GPUs are; never rejects. Without it nothing is told of their use. */
  gpuLoad?(): Promise<readonly GpuLoad[]>;
  /** Looks at the machine for `mgpu doctor`; without it nobody can. */
  readonly examiner?: Examiner;
  /** What a process runs, in a word; empty if it can't be seen. */
  nameOf?(pid: number): string;
  /** It lives in a job of another batch system, and ends with that. */
  readonly allocation?: Allocation;
  /** Of the program. */
  readonly version: string;
  readonly pid: number;
}

export interface Agent {
  /**
   * Takes over what an earlier daemon left, then connects. Resolves when all steps' states are known; the session goes
   * on from there. Rejects if the spool can't be read.
   */
  start(): Promise<void>;
  /** Ends the session and begins nothing new. Steps run on, and the next daemon takes them over. */
  stop(): void;
  /** The same where there is no next daemon: steps end, too. Never rejects. */
  leave(): Promise<void>;
  /** Resolves when it was told to end (node.shutdown), or stopped. */
  readonly ended: Promise<void>;
}

/** The first sign of life after registering may take so long. */
const FIRST_BEAT_MS = 10_000;

/** The answer to node.shutdown leaves before the session ends. */
const SHUTDOWN_MS = 50;

interface Running {
  readonly context: AgentContext;
  readonly session: Session;
  /** In an allocation: reports that may be held back. */
  readonly held: HeldReports | null;
}

/** An agent that has not started yet. */
export function createAgent(ports: AgentPorts, options: AgentOptions): Agent {
  const ended = deferred();
  let running: Running | null = null;
  let stopped = false;

  const stop = (): void => {
    stopped = true;
    if (running) {
      running.context.stopped = true;
      running.context.gpuWatch.close();
      running.session.stop();
    }
    ended.resolve();
  };

  return {
    ended: ended.promise,
    stop,
    async leave() {
      const { allocation } = options;
      const held = running?.held;
      const hasSteps = (): boolean => hasOpenSteps(running?.context);
      if (allocation && held && !stopped) await clearAway(ports.clock, allocation, held, hasSteps);
      stop();
    },
    async start() {
      const { context, held } = await createContext(ports, options, () => running?.session.renew());
      const session = createSession(context, options, stop);
      running = { context, session, held };
      if (stopped) return stop();
      await adopt(context);
      clearGroups(context);
      if (!stopped) void session.run();
    },
  };
}

function hasOpenSteps(context: AgentContext | undefined): boolean {
  return context?.steps.all().some(({ phase }) => phase !== "ended") ?? false;
}

/** @param renew registers anew */
async function createContext(
  { clock, disk, log }: AgentPorts,
  options: AgentOptions,
  renew: () => void,
): Promise<{ readonly context: AgentContext; readonly held: HeldReports | null }> {
  const { name, settings, nodePlaces, followBatch } = options;
  const { bootId, gpuProvider, gpus } = await options.inventory();
  const spool = await openSpool({ disk, log, clock }, nodePlaces);
  const steps = new StepTable();
  const load = options.gpuLoad ?? (async () => []);
  const gpuWatch = new GpuWatch({ clock, steps: () => steps.all(), load });
  const gpuLoads = new GpuLoads({
    ...{ clock, load, staleMs: (settings.gpuQueryMs ?? 0) + (settings.heartbeatMs ?? 0) },
    steps: () => steps.all(),
    ours: () => new Set((options.processes?.find("") ?? []).map(({ pid }) => pid)),
    nameOf: (pid) => options.nameOf?.(pid) ?? "",
  });
  const queue = createReportQueue({ clock, log }, (reports) => confirmReports(context, reports));
  const held = options.allocation ? new HeldReports(clock, queue) : null;
  const context: AgentContext = {
    ...{ steps, gpuWatch, gpuLoads, user: options.user ?? null, controller: options.controllerSocket ?? "" },
    ...{ clock, log, name, spool, bootId, gpuProvider, followBatch },
    gpuMemory: memoryByUuid(gpus),
    gpuCpus: cpusByUuid(gpus),
    survivors: () => options.survivors(),
    processes: options.processes ?? null,
    memory: options.memory ?? NO_GROUPS,
    cpus: () => options.cpus?.() ?? [],
    exists: (path) => options.exists?.(path) ?? false,
    strays: new Set(),
    startedAt: clock.now(),
    closed: new ClosedStarts(),
    reports: held?.queue ?? queue,
    holders: new HolderCrew(options.holders, {
      onChange: (holder, step) => applyStatus(context, holder, step),
      onGone(holder) {
        if (context.stopped) return;
        onHolderGone(context, holder);
        // Registering starts a new one for later launches.
        if (holder.identity.socket === options.holders.sharedSocket) renew();
      },
    }),
    killWaitMs: settings.killWaitS * 1000,
    stopped: false,
  };
  return { context, held };
}

function createSession(context: AgentContext, options: AgentOptions, stop: () => void): Session {
  const handlers = nodeHandlers(context, options, stop);
  const hasSteps = (): boolean => hasOpenSteps(context);
  const lonely = options.allocation ? new Loneliness(context.clock, hasSteps, stop) : null;
  return new Session({
    clock: context.clock,
    log: context.log,
    connect: () => options.connect(handlers),
    register: (peer) => register(context, options, peer),
    beat: (peer, deadlineMs) => beat(context, options, peer, deadlineMs),
    onUp(peer) {
      lonely?.end();
      // A lost answer shows at the next sign of life.
      if (options.vitals) beat(context, options, peer, FIRST_BEAT_MS).catch(() => {});
      context.reports.use(peer);
      reviewIdle(context);
    },
    onDown() {
      lonely?.begin();
      context.reports.use(null);
    },
  });
}

function nodeHandlers(context: AgentContext, options: AgentOptions, stop: () => void): Handlers<"node"> {
  const { readFile } = options;
  return {
    async "node.launch"(launch) {
      await orderLaunch(context, withAccess(launch, options.outside));
      return {};
    },
    "node.signal"(order) {
      orderSignal(context, order);
      return {};
    },
    "node.terminate"(order) {
      const { jobId, attempt, stepId, cause } = order;
      if (stepId === undefined || stepId === null) orderTerminate(context, order);
      else orderTerminateStep(context, { jobId, attempt, stepId }, cause);
      return {};
    },
    "node.notify": (order) => passNotice(context, order),
    "node.usage": (order) => tellUsage(context, order),
    "node.read": async (question) =>
      readOutput(readFile, { ...question, user: await readerOf(context, question.user) }),
    ...outsideHandlers(context, options.outside),
    ...examineHandlers(options.examiner, (user, isShared) => askerOf(context, user, isShared)),
    async "node.shutdown"({ holders }) {
      context.stopped = true;
      if (holders) await context.holders.shutdownIdle().catch((error: unknown) => logTrouble(context, error));
      context.clock.after(SHUTDOWN_MS, stop);
      return {};
    },
  };
}

/** Tells how the machine is doing. A controller that does not want to know is asked for a plain sign of life. */
async function beat(
  { gpuLoads }: AgentContext,
  { vitals }: AgentOptions,
  peer: Peer,
  deadlineMs: number,
): Promise<unknown> {
  if (!vitals) return peer.call("ping", {}, { deadlineMs });
  const gpus = await gpuLoads.now();
  try {
    return await peer.call("node.vitals", { ...vitals(), gpus: [...gpus] }, { deadlineMs });
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== "UNKNOWN_METHOD") throw error;
    return peer.call("ping", {}, { deadlineMs });
  }
}

function memoryByUuid(gpus: readonly Gpu[]): ReadonlyMap<string, number> {
  return new Map(gpus.map(({ uuid, memoryMiB }) => [uuid, memoryMiB]));
}

function cpusByUuid(gpus: readonly Gpu[]): ReadonlyMap<string, readonly number[]> {
  return new Map(gpus.flatMap(({ uuid, cpuAffinity }) => (cpuAffinity ? [[uuid, gpuIndices(cpuAffinity) ?? []]] : [])));
}

/** Tells the controller what this node is and where its steps can be attached. */
async function register(context: AgentContext, options: AgentOptions, peer: Peer): Promise<{ heartbeatMs: number }> {
  // Early: clients attach to the shared holder before anything is launched in it.
  const [inventory, shared] = await Promise.all([options.inventory(), startShared(context)]);
  context.gpuProvider = inventory.gpuProvider;
  context.gpuMemory = memoryByUuid(inventory.gpus);
  context.gpuCpus = cpusByUuid(inventory.gpus);
  const holder = {
    socket: context.holders.sharedSocket,
    pid: shared?.pid ?? 0,
    version: shared?.version ?? options.version,
    startedAt: shared?.startedAt ?? 0,
    ...(context.holders.others ? { perUser: true } : {}),
  };
  const { name, pid } = options;
  const { startedAt } = context;
  const starts = startsHere(context);
  const streams = [...((await options.outside?.listen(inventory.address ?? "")) ?? [])];
  const guests = options.outside?.guests.identities ?? [];
  const open = { ...(streams.length > 0 ? { streams } : {}), ...(guests.length > 0 ? { guests } : {}) };
  const allocation = options.allocation ? { allocation: options.allocation.id } : {};
  const answer = await peer.call("node.register", {
    name,
    inventory,
    pid,
    startedAt,
    holder,
    starts,
    ...open,
    ...allocation,
  });
  for (const identity of answer.cut ?? []) options.outside?.guests.cut(identity);
  context.killWaitMs = answer.killWaitMs;
  return answer;
}

/** Without a shared holder the node registers all the same: each launch tries again and tells its user why it fails. */
async function startShared(context: AgentContext): Promise<HolderPort["identity"] | null> {
  try {
    return (await context.holders.shared()).identity;
  } catch (error) {
    logTrouble(context, error);
    return null;
  }
}

function logTrouble({ log }: AgentContext, error: unknown): void {
  log.error("trouble with the holder", { error: messageOf(error) });
}
