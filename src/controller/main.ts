/**
 * Puts a controller together from its ports and starts it. The composition is the same in production and in the
 * simulation; only the ports differ.
 */

import type { Endpoint, Places } from "../config/places.ts";
import { formatRemembered } from "../config/remembered.ts";
import type { Settings } from "../config/settings.ts";
import type { Command } from "../core/commands.ts";
import type { Effect } from "../core/effects.ts";
import type { Event } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import type { ProgramSpec } from "../core/jobspec.ts";
import type { Operator } from "../core/node.ts";
import { resumeEffects } from "../core/react.ts";
import type { ClusterState } from "../core/state.ts";
import type { Clock } from "../platform/clock.ts";
import type { Digest } from "../platform/digest.ts";
import type { Disk } from "../platform/disk.ts";
import type { FeedFiles } from "../platform/feed-files.ts";
import type { Log } from "../platform/log.ts";
import type { Mailer } from "../platform/mailer.ts";
import type { Net } from "../platform/net.ts";
import type { Random } from "../platform/random.ts";
import type { AcceptUser } from "../platform/user-door.ts";
import type { Notifier } from "../platform/webhook.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import type { Hello } from "../protocol/procedures.ts";
import { servePeers, servePeersOf } from "../rpc/serve.ts";
import type { Connected, Handlers, UnaryHandler } from "../rpc/types.ts";
import { must } from "../util/assert.ts";
import { createHolderLinks } from "./away.ts";
import { createBreaker } from "./breaker.ts";
import type { ControllerContext, People } from "./context.ts";
import { createDispatch } from "./dispatch.ts";
import { type ElasticPorts, openElastic } from "./elastic/open.ts";
import { createEnding } from "./ending.ts";
import { createErrand } from "./errand.ts";
import { FeedWatch } from "./feeds/watch.ts";
import { GpuGuard } from "./gpu-guard.ts";
import { cancelHandler } from "./handlers/cancel.ts";
import { changeHandler } from "./handlers/change.ts";
import { configHandler } from "./handlers/config.ts";
import { doorHandler } from "./handlers/door.ts";
import { elasticHandlers } from "./handlers/elastic.ts";
import { examineHandler } from "./handlers/examine.ts";
import { explainHandler } from "./handlers/explain.ts";
import { type FeedHandlers, feedHandlers } from "./handlers/feed.ts";
import { environmentHandler, getHandler, scriptHandler } from "./handlers/get.ts";
import { historyHandler } from "./handlers/history.ts";
import { keyHandlers } from "./handlers/keys.ts";
import { licensesHandler } from "./handlers/licenses.ts";
import { listHandler } from "./handlers/list.ts";
import { registerHandler, reportHandler, vitalsHandler } from "./handlers/node.ts";
import { nodesHandler, watchNodesHandler } from "./handlers/nodes.ts";
import { notifyHandler } from "./handlers/notify.ts";
import { outputHandler } from "./handlers/output.ts";
import { partitionsHandler } from "./handlers/partitions.ts";
import { changePolicyHandler, listPolicyHandler, listPrioritiesHandler, listSharesHandler } from "./handlers/policy.ts";
import { reservationsHandler } from "./handlers/reservations.ts";
import { shutdownHandler } from "./handlers/shutdown.ts";
import { statisticsHandler } from "./handlers/statistics.ts";
import { statusHandler } from "./handlers/status.ts";
import { steerHandler } from "./handlers/steer.ts";
import { completeHandler, createStepHandler } from "./handlers/step.ts";
import { submitHandler } from "./handlers/submit.ts";
import { usageHandler } from "./handlers/usage.ts";
import { watchHandler } from "./handlers/watch.ts";
import { watchJobsHandler } from "./handlers/watch-jobs.ts";
import { rowsFrom } from "./job-facts.ts";
import { createJobLog } from "./job-log.ts";
import { createReporter } from "./job-report.ts";
import { attachPointsOf, launchOrder, secretsOf } from "./launch-order.ts";
import { createLoop, type Loop } from "./loop.ts";
import { metricsPage } from "./metrics.ts";
import { guarded, localUser } from "./network/access.ts";
import { type Outside, type OutsidePorts, openOutside } from "./network/outside.ts";
import { watchNodes } from "./node-watch.ts";
import { createOwners, jobName, type Owned, parseOwned, stepName } from "./owners.ts";
import { configurePartitions, createPartitionLeaver } from "./partition-config.ts";
import { createPlanner } from "./planner.ts";
import { policyOf, runningLimits } from "./policy.ts";
import { createPost } from "./post.ts";
import { checkPrograms, type ProgramFiles, type Submitted } from "./program-guard.ts";
import { startPurging } from "./purge.ts";
import { type Reload, reconfigure } from "./reconfigure.ts";
import type { Sessions } from "./sessions.ts";
import { createStatistics } from "./statistics.ts";
import { readFinished } from "./store/accounting.ts";
import { openBlobs } from "./store/blobs.ts";
import type { Compaction } from "./store/compact.ts";
import { damageFile, readDamage } from "./store/damage.ts";
import { openStore } from "./store/store.ts";
import { createWatchers, type Watchers } from "./watchers.ts";

export interface ControllerPorts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly net: Net;
  readonly random: Random;
  readonly digest: Digest;
  readonly log: Log;
  readonly mailer: Mailer;
  /** Without it web addresses hear nothing of jobs. */
  readonly notifier?: Notifier;
  /** Without it no other batch system can be asked for machines. */
  readonly elastic?: ElasticPorts;
  /** Without it no file of jobs is watched. */
  readonly feedFiles?: FeedFiles;
  compact(compaction: Compaction): Promise<number>;
  /** The program should end. */
  exit(): void;
  /** Without them any program may run, whatever the settings say. */
  readonly programFiles?: ProgramFiles;
  /** Without it no other machine is listened for. */
  readonly outside?: OutsidePorts;
  /** Root's: serves the users of this machine, each over a socket of its own. Rejects if that can't be. */
  serveUsers?(accept: AcceptUser): Promise<UserService>;
  readonly people?: People;
  /** Reads the configuration again; without it there is none to read. */
  readonly reload?: Reload;
}

/** Root's sockets for users. */
interface UserService {
  close(): void;
  /** A folder on the way to them that only root can pass; empty where users get there. */
  readonly closed: string;
}

export interface ControllerOptions {
  readonly places: Places;
  readonly settings: Settings;
  readonly pid: number;
  /** The user whose daemons these are. */
  readonly user: Operator;
  readonly version: string;
}

export interface Controller {
  readonly loop: Loop;
  /** Reads the configuration again, as SIGHUP asks for. */
  reconfigure(): Promise<unknown>;
  /**
   * Keeps the variables that the settings came from: a controller that starts after a crash of this one gets them
   * again. Never rejects.
   */
  rememberSettings(given: Readonly<Record<string, string>>): Promise<void>;
  /** What the endpoint for metrics and probes answers. */
  page(path: string): ReturnType<typeof metricsPage>;
  /** Connects the node daemon of the same process. */
  join(hello: Hello, handlers: Handlers<"node">): Connected;
  /** Stops listening, waits for the open batch, closes the store. */
  stop(): Promise<void>;
}

/** Recovers state, listens, and goes to work. Rejects if the state folder or the socket can't be used. */
export async function startController(ports: ControllerPorts, options: ControllerOptions): Promise<Controller> {
  const { clock, disk, log, net } = ports;
  const { places, settings } = options;
  const opened = await openStore(ports, places, settings.snapshotBytes);
  const secret = await readSecret(ports, `${places.home}/controller/secret`);
  const known: { context: ControllerContext | null } = { context: null };
  const getContext = (): ControllerContext => must(known.context, "the context");
  const outside = ports.outside ? await openOutside(ports, ports.outside, places, getContext) : null;
  const context = assemble(ports, options, opened, secret, outside);
  known.context = context;
  context.elastic.crew = ports.elastic ? openElastic(context, ports.elastic, ports, secret, outside) : null;
  await context.loop.execute({ type: "licenses.configure", licenses: settings.licenses });
  await configurePartitions(context, settings.partitions);
  const startedAt = context.identity.startedAt;
  const digest = (data: string | Uint8Array): string =>
    ports.digest.sha256(typeof data === "string" ? new TextEncoder().encode(data) : data);
  const feeds = ports.feedFiles ? new FeedWatch(context, ports.feedFiles, digest) : null;
  const again = () => reconfigure(context, ports.reload ?? (() => ({ settings: context.settings })));
  const identity = () => ({
    daemon: "mgpuctld" as const,
    protocol: { ...PROTOCOL },
    version: options.version,
    pid: options.pid,
    startedAt,
  });
  net.removeStale({ path: places.controllerSocket });
  const book = ports.outside?.book ?? log;
  const all = { ...handlersOf(context, again, outside), ...feedHandlers(context, digest, feeds) };
  const handlers = guarded(context.statistics.counted(all), options.user, book);
  const own = { path: places.controllerSocket };
  const server = await servePeers({ net, clock, log }, own, identity, handlers, undefined, true);
  const remote = servePeersOf({ clock, log }, identity, handlers, undefined, true);
  await outside?.serve(remote);
  const users = await ports.serveUsers?.((connection, account) =>
    remote.accept(connection, localUser(context, account)),
  );
  context.serves.closed = users?.closed ?? null;
  await publishEndpoint(disk, options);
  resume(context);
  startPurging(context, disk);
  feeds?.start();
  context.elastic.crew?.start();
  log.info("controller started", { socket: places.controllerSocket, jobs: context.loop.state.jobs.size });
  return {
    loop: context.loop,
    reconfigure: again,
    page: (path) => metricsPage(context, path),
    join: remote.join,
    rememberSettings: (given) => rememberSettings(ports, places, given),
    async stop() {
      feeds?.stop();
      context.elastic.crew?.stop();
      server.close();
      users?.close();
      outside?.close();
      remote.close();
      await context.loop.close();
    },
  };
}

function assemble(
  ports: ControllerPorts,
  options: ControllerOptions,
  opened: Awaited<ReturnType<typeof openStore>>,
  secret: string,
  outside: Outside | null,
): ControllerContext {
  const { clock, disk, log, mailer, settings, places } = { ...ports, ...options };
  const elastic: ControllerContext["elastic"] = { crew: null };
  const blobs = openBlobs(disk, ports.digest, places.blobFolder, opened.store.checkPlace);
  const watchers = createWatchers();
  const submit = createErrand(clock, log, () => loop);
  const { sessions, missNodes } = watchNodes({ clock, log, submit, watchers }, settings, (node) => {
    planner.wake();
    elastic.crew?.noteLost(node);
  });
  const { token, portOffset } = secretsOf(ports.digest, secret);
  const cluster = { portOffset, isShared: options.user.uid === 0 };
  const reportOf = createReporter(() => loop.state, sessions, clock);
  const dispatch = createDispatch({
    ...{ clock, log, sessions, watchers },
    state: () => loop.state,
    ...{ submit, wakeScheduler: () => planner.wake() },
    post: createPost({ ...{ mailer, notifier: ports.notifier, log, clock, reportOf }, state: () => loop.state }),
    launchOf: async (job, key, node) => ({
      ...(await launchOrder(loop.state, blobs, settings.clusterName, job, key, token(key), cluster)),
      ...(sessions.get(node)?.caller ? { access: outside?.access(job.id, job.attempt) } : {}),
    }),
  });
  const jobOf = (id: number): Job | undefined => loop.state.jobs.get(id);
  const lookers = [createJobLog(log, jobOf), createPartitionLeaver(() => loop), onElastic(elastic)];
  const statistics = createStatistics(clock, jobOf);
  const { policy, learn } = policyOf(settings, () => loop.state);
  const breaker = createBreaker({ settings, log, submit, state: () => loop.state });
  const loop = createLoop(opened, {
    ...{ clock, log },
    perform: dispatch.perform,
    onEvents: onAll(statistics.onEvents, learn, breaker.onEvents, watchers.notifyNodes, ...lookers),
    onReloaded: () => startOver(sessions, watchers),
    onMended: () => dispatch.perform(resumeHere(loop.state)),
  });
  const guard = new GpuGuard({ clock, log, settings, onChange: () => planner.wake() });
  const planner = createPlanner({
    ...{ policy, clock, log, running: () => runningLimits(settings) },
    state: () => loop.state,
    execute: (command) => loop.execute(command),
    onPass: statistics.onPass,
    isConnected: sessions.isReady,
    seenBy: (node) => guard.seenBy(node),
  });
  const identity = { pid: options.pid, user: options.user, version: options.version, startedAt: clock.now() };
  const abandon = (owned: Owned, isNew: boolean): void => endAbandoned(loop.state, owned, isNew, submit);
  const owners = createOwners(clock, settings.orphanS * 1000, abandon);
  return {
    order: policy,
    ...{ loop, statistics, sessions, guard, watchers, owners, blobs, clock, log, mailer, settings, places, identity },
    ...{ people: ports.people ?? null, serves: { closed: null }, elastic },
    listens: () => outside?.ringer.listen().target != null,
    reasonOf: planner.reasonOf,
    ...rowsFrom({ loop, sessions, clock, planner, ...identity }),
    attachPoints: (job, steps) => attachPointsOf(job, steps, sessions, token),
    isConnected: (node) => sessions.get(node) !== undefined,
    holdersOf: createHolderLinks(ports, { ...options, uid: options.user.uid }),
    ...{ perform: dispatch.perform, noteEnding: breaker.noteEnding, missNodes },
    ...stateFolder(disk, log, places),
    checkPrograms: (...submitted) => programsOf(ports, settings, submitted),
    ...createEnding(clock, planner, watchers, ports.exit),
    outsideProblem: () => outside?.problem() ?? "",
  };
}

/** Whoever looks on is told anew: the state is another one. */
function startOver(sessions: Sessions, watchers: Watchers): void {
  sessions.closeAll();
  watchers.notifyAll();
}

async function programsOf({ programFiles }: ControllerPorts, settings: Settings, submitted: readonly Submitted[]) {
  if (programFiles) await checkPrograms(programFiles, settings.allowedScriptPaths, submitted);
}

function onElastic(elastic: ControllerContext["elastic"]): (events: readonly Event[]) => void {
  return (events) => elastic.crew?.onEvents(events);
}

function onAll(...listeners: readonly ((events: readonly Event[]) => void)[]): (events: readonly Event[]) => void {
  return (events) => {
    for (const listen of listeners) listen(events);
  };
}

function handlersOf(
  context: ControllerContext,
  again: UnaryHandler<"controller.reconfigure">,
  outside: Outside | null,
): Omit<Handlers<"controller">, keyof FeedHandlers> {
  return {
    "controller.reconfigure": again,
    "job.submit": submitHandler(context),
    "job.watch": watchHandler(context),
    "jobs.list": listHandler(context),
    "jobs.watch": watchJobsHandler(context),
    "jobs.history": historyHandler(context),
    "jobs.cancel": cancelHandler(context),
    "jobs.steer": steerHandler(context),
    "jobs.get": getHandler(context),
    "job.script": scriptHandler(context),
    "job.environment": environmentHandler(context),
    "job.notify": notifyHandler(context),
    "job.explain": explainHandler(context),
    "job.output": outputHandler(context),
    "job.complete": completeHandler(context),
    "step.create": createStepHandler(context),
    "step.usage": usageHandler(context),
    "nodes.list": nodesHandler(context),
    "nodes.watch": watchNodesHandler(context),
    "partitions.list": partitionsHandler(context),
    "reservations.list": reservationsHandler(context),
    "licenses.list": licensesHandler(context),
    "cluster.change": changeHandler(context),
    "policy.list": listPolicyHandler(context),
    "policy.change": changePolicyHandler(context),
    "models.list": () => ({
      models: { ...context.settings.models.models },
      otherwise: context.settings.models.otherwise,
    }),
    "config.show": configHandler(context),
    "priorities.list": listPrioritiesHandler(context),
    "shares.list": listSharesHandler(context),
    statistics: statisticsHandler(context),
    "controller.status": statusHandler(context),
    "cluster.examine": examineHandler(context, outside?.ringer ?? null),
    "controller.shutdown": shutdownHandler(context),
    "step.door": doorHandler(() => context, outside),
    ...keyHandlers(() => context, outside?.office ?? null),
    ...elasticHandlers(context),
    "node.register": registerHandler(context, () => outside?.office.keys ?? null),
    "node.report": reportHandler(context),
    "node.vitals": vitalsHandler(context),
  };
}

/** After a restart: timers run again; nodes and clients get some time to come back. */
function resume(context: ControllerContext): void {
  const { state } = context.loop;
  context.perform(resumeHere(state));
  context.missNodes([...state.nodes.keys()]);
  for (const id of [...state.pending, ...state.active]) {
    const job = state.jobs.get(id);
    if (needsOwner(job, null)) context.owners.expect(jobName(id));
    if (job?.state !== "RUNNING") continue;
    for (const step of job.steps) {
      if (typeof step.id === "number" && needsOwner(job, step.id)) context.owners.expect(stepName(id, step.id));
    }
  }
}

/** What a state implies for this program itself: timers and a scheduling pass. Nodes are told when they register. */
function resumeHere(state: ClusterState): Effect[] {
  return resumeEffects(state).filter((effect) => !("node" in effect));
}

function endAbandoned(state: ClusterState, owned: Owned, isNew: boolean, submit: (command: Command) => void): void {
  const end = endOfAbandoned(state, owned, isNew);
  if (end) submit(end);
}

/** What ends a job or step that nobody needs without its client; `null` if it goes on. */
function endOfAbandoned(state: ClusterState, owned: Owned, isNew: boolean): Command | null {
  const { jobId, stepId } = parseOwned(owned);
  // Nobody comes back to a terminal that nobody ever saw.
  if (!needsOwner(state.jobs.get(jobId), stepId, isNew)) return null;
  if (stepId === null) {
    return { type: "job.cancel", jobId, tasks: null, byUid: 0, cause: "its srun or salloc is gone" };
  }
  return { type: "step.cancel", jobId, stepId, byUid: 0, state: "CANCELLED", cause: "its srun is gone" };
}

/** Whether a job (or a step made within it) is of no use without its client. */
function needsOwner(job: Job | undefined, stepId: number | null, isNew = false): boolean {
  if (!job || job.state === "COMPLETED") return false;
  if (stepId !== null) {
    const step = job.state === "RUNNING" ? job.steps.find(({ id }) => id === stepId) : undefined;
    return !!step?.spec && (isNew || endsWithClient(step.spec)) && step.endAt === null;
  }
  if (job.spec.kind === "batch") return false;
  // An allocation without a command (salloc --no-shell) is left to itself once it is there.
  if (job.state === "RUNNING" && job.spec.kind === "alloc" && job.spec.argv.length === 0) return false;
  return job.state === "PENDING" || (job.state === "RUNNING" && (isNew || endsWithClient(job.spec)));
}

function endsWithClient({ onDisconnect, pty }: ProgramSpec): boolean {
  return onDisconnect === undefined ? pty === null : onDisconnect === "kill";
}

async function publishEndpoint(disk: Disk, { places, pid, version }: ControllerOptions): Promise<void> {
  const endpoint: Endpoint = { socket: places.controllerSocket, pid, version };
  await disk.replace(places.endpointFile, new TextEncoder().encode(`${JSON.stringify(endpoint)}\n`));
}

/** Without them this controller works as well. */
async function rememberSettings(
  { disk, log }: ControllerPorts,
  { settingsFile }: Places,
  given: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await disk.replace(settingsFile, new TextEncoder().encode(formatRemembered(given)));
  } catch (error) {
    log.warn("the settings can't be remembered for a start after a crash", { error: String(error) });
  }
}

/** What handlers have to do with single files of the state folder. */
function stateFolder(
  disk: Disk,
  log: Log,
  places: Places,
): Pick<ControllerContext, "damage" | "forgetSettings" | "readFinished"> {
  return {
    readFinished: (query, onDamage) => readFinished(disk, places.accountingFolder, query, onDamage),
    async damage() {
      const found = await readDamage(disk, places);
      return found.length === 0 ? [] : [...found, `delete ${damageFile(places)} once you have seen to this damage`];
    },
    async forgetSettings() {
      try {
        await disk.remove(places.settingsFile);
      } catch (error) {
        log.warn("the remembered settings can't be removed", { error: String(error) });
      }
    },
  };
}

async function readSecret({ disk, random }: ControllerPorts, path: string): Promise<string> {
  if ((await disk.size(path)) === null) await disk.replace(path, new TextEncoder().encode(random.hex(32)));
  return new TextDecoder().decode(await disk.read(path));
}
