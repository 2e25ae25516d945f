/** Runs one command with the machine's ports. Nothing of the daemons is loaded here. */

import { readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Doors } from "../cli/attach/door.ts";
import { connectController } from "../cli/connect.ts";
import type { Command, CommandContext, DoctorPorts, MachinePorts } from "../cli/context.ts";
import type { ConnectPorts } from "../cli/dial.ts";
import { runCommand } from "../cli/run.ts";
import { dialSlurmSession, slurmHandOver } from "../cli/slurm.ts";
import { type Target, targetOf } from "../cli/target.ts";
import { type Environment, nodePlaces, placesFrom } from "../config/places.ts";
import { VERSION } from "../config/version.ts";
import { startChild } from "../platform/child.ts";
import { realClock } from "../platform/clock.ts";
import { realFiles } from "../platform/files.ts";
import { canHoldFolder } from "../platform/folders.ts";
import type { Log } from "../platform/log.ts";
import { type Net, realNet } from "../platform/net.ts";
import { quickPipe } from "../platform/quick-pipe.ts";
import { realRandom } from "../platform/random.ts";
import { realShell } from "../platform/shell.ts";
import { realStdio } from "../platform/stdio.ts";
import { onSignal, realInput, realTerminal } from "../platform/terminal.ts";
import { utcOffsetMinutes } from "../platform/zone.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import { connectPeer } from "../rpc/connect.ts";
import { settleEnvironment } from "./environment.ts";
import { FRONTED, noteUse } from "./front/use.ts";
import { currentHost, currentUser } from "./user.ts";

/** Commands keep no log: what matters is said to the user. */
const NO_LOG: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** How long files that say which cluster is meant are not read again. */
const TARGET_MS = 1000;

/** Runs the command with this process's arguments and ends the process with its exit code. */
export async function runProgram(command: Command): Promise<void> {
  const context = contextOf(command);
  const exitCode = await runCommand(command, process.argv.slice(2), context);
  if (FRONTED.includes(command.name)) await noteUse(context, `${__dirname}/front.cjs`, exitCode === 0);
  process.exit(exitCode);
}

function contextOf(command: Command): CommandContext {
  const { MGPU_PROGRAM: program = `mgpu-${command.name}`, ...environment } = settleEnvironment();
  return contextFor(program, environment);
}

/** What a command that runs for another process has from there. */
export interface ForeignPorts extends Pick<CommandContext, "cwd" | "stdio" | "files" | "shell"> {
  /** Variables for a controller that is started for it; throws if none may be. */
  beforeStart(): Readonly<Record<string, string>>;
}

/**
 * The machine's ports for commands.
 * @param program how messages name it
 * @param foreign instead of this process's own
 */
export function contextFor(
  program: string,
  environment: Environment,
  net: Net = quickNet(),
  foreign?: ForeignPorts,
): CommandContext {
  const user = currentUser();
  const base = {
    ...{ program, environment, user, utcOffsetMinutes },
    version: VERSION,
    launcherFolder: `${__dirname.slice(0, __dirname.lastIndexOf("/"))}/bin`,
    cwd: foreign?.cwd ?? workingFolder(),
    places: placesFrom(environment, user.uid, canHoldFolder),
    stdio: foreign?.stdio ?? realStdio(),
    files: foreign?.files ?? realFiles(),
    shell: foreign?.shell ?? realShell(),
    clock: realClock({ leavesFirst: true }),
    random: realRandom(),
    net,
  };
  const host = onceAsked(currentHost);
  const recent = recentTarget();
  const connectPorts: ConnectPorts & { cluster?: string | undefined; target(): Target } = {
    ...{ ...base, log: NO_LOG },
    target: () => recent(connectPorts),
    startDaemon: async () => startEmbedded(base, foreign?.beforeStart()),
    findDaemon: () => findDaemon(base),
    askAtDoor: async (socket, uid) => (await import("../platform/door-question.ts")).askAtDoor(socket, uid),
    secureNet: async (credential) => (await import("../platform/secure.ts")).secureNet(credential),
    ...slurmPorts({ ...base, host }),
  };
  const context: CommandContext = {
    ...base,
    get hostname() {
      return host();
    },
    openTui: (request) => openTui(context, connectPorts, request),
    remote: async (invitation) => (await import("../cli/remote.ts")).connectRemote(connectPorts, invitation),
    machine: () => openMachine(base),
    doctor: () => openDoctor(base, connectPorts),
    loadConfig: () => configBundle().loadConfig(environment, base.files, { name: "", hostname: host() }),
    loadReplay() {
      const engine: typeof import("./programs/replay.ts") = require(join(__dirname, "replay.cjs"));
      return engine;
    },
    tcp: async () => (await import("../platform/tcp.ts")).realTcp(),
    session: {
      input: realInput(),
      terminal: realTerminal(),
      onSignal,
      startChild,
      connectHolder: holderDialler(connectPorts),
    },
    slurm() {
      const target = connectPorts.target();
      return target.kind === "slurm" ? slurmHandOver(connectPorts, target) : null;
    },
    chooseCluster(name) {
      connectPorts.cluster = name;
    },
    connect: (options) => connectController(connectPorts, options ?? {}),
  };
  return context;
}

/** Loads the terminal UI, and runs it to its exit code. */
async function openTui(
  context: CommandContext,
  ports: ConnectPorts & { target(): Target },
  request: Parameters<CommandContext["openTui"]>[0],
): Promise<number> {
  const tui: typeof import("./programs/tui.ts") = require(join(__dirname, "tui.cjs"));
  const code = await tui.openTui(context, ports, request);
  if (code !== null) return code;
  // What stands against it is an error of this bundle's own, with its hints.
  (await context.connect()).peer.close();
  return (await tui.openTui(context, ports, request)) ?? 1;
}

function onceAsked<T>(ask: () => T): () => T {
  let known: { readonly value: T } | null = null;
  return () => {
    known ??= { value: ask() };
    return known.value;
  };
}

/** {@link targetOf}, which looks anew after a moment: a command that stays sees what changes. */
function recentTarget(): (ports: ConnectPorts) => Target {
  let known: { readonly cluster: string | undefined; readonly value: Target; readonly at: number } | null = null;
  return (ports) => {
    const { cluster } = ports;
    const at = ports.clock.monotonic();
    const isKnown = known !== null && known.cluster === cluster && at - known.at <= TARGET_MS;
    if (known === null || !isKnown) known = { cluster, value: targetOf(ports), at };
    return known.value;
  };
}

function slurmPorts({
  environment,
  files,
  host,
  launcherFolder,
}: Pick<CommandContext, "environment" | "files" | "launcherFolder"> & { host(): string }): Required<
  Pick<ConnectPorts, "loadSlurm" | "configuredBackend">
> {
  return {
    loadSlurm: () => {
      const engine = slurmBundle();
      return {
        ...{ engine, hostname: host(), launcherFolder, nodePath: process.execPath, random: realRandom() },
        programs: engine.realPrograms(),
        sessionFiles: engine.realSessionFiles(),
        connectThrough: engine.connectThroughProgram,
      };
    },
    configuredBackend: () => configBundle().configuredBackend(environment, files, host()),
  };
}

/** Slurm as the cluster is a bundle of its own, which no other user pays for. */
function slurmBundle(): typeof import("./programs/slurm.ts") {
  return require(join(__dirname, "slurm.cjs"));
}

/** The parser of configurations is as large as a small command. */
function configBundle(): typeof import("./programs/config.ts") {
  return require(join(__dirname, "config.cjs"));
}

/** Connects without loading Node's `net` where that is possible. */
function quickNet(): Net {
  const net = realNet();
  const quick = quickPipe() ?? net.connect;
  return { ...net, connect: (address, events) => (address.owner === undefined ? quick : net.connect)(address, events) };
}

/** Connects to holders: by their sockets on the controller's own machine, through doors from and to others. */
function holderDialler(ports: ConnectPorts & { target(): Target }): CommandContext["session"]["connectHolder"] {
  const { net, clock, log, version, user } = ports;
  const hello = { role: "client" as const, protocol: { ...PROTOCOL }, version, user };
  let doors: Promise<Doors> | null = null;
  return async (point) => {
    const target = targetOf(ports);
    if (target.kind === "slurm") return dialSlurmSession(ports, target, point, hello);
    if (target.kind !== "remote" && !point.isAway) {
      // Only root can connect to what is another's; everybody else is kept out by the system.
      const { socket: path, owner } = point;
      const address = user.uid === 0 && owner !== undefined ? { path, owner } : { path };
      return connectPeer({ net, clock, log }, address, hello);
    }
    doors ??= openDoors(ports, target);
    return (await doors).open(point);
  };
}

/** Loads TLS. */
async function openDoors(ports: ConnectPorts, target: Target): Promise<Doors> {
  const [{ Doors }, { dialRemote }] = await Promise.all([import("../cli/attach/door.ts"), import("../cli/remote.ts")]);
  return new Doors({
    clock: ports.clock,
    connect: () => connectController(ports, { start: false }),
    dial: (at, credential) => dialRemote(ports, at, credential),
    target: target.kind === "remote" ? target.remote.target : null,
  });
}

/** The system's name for one that was deleted, `/work (deleted)`: a command that needs it says that it is missing. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return readlinkSync("/proc/self/cwd");
  }
}

/** Loads what starts processes only when a daemon must be started. */
async function startEmbedded(
  { places, environment, files }: Pick<CommandContext, "places" | "environment" | "files">,
  more: Readonly<Record<string, string>> = {},
) {
  const [{ startDaemon }, { parseRemembered, ranAlone, resumeSettings }] = await Promise.all([
    import("../platform/daemon.ts"),
    import("../config/remembered.ts"),
  ]);
  const remembered = parseRemembered(readText(files, places.settingsFile));
  const { added, differences } = resumeSettings(remembered, environment);
  const hasNode = !ranAlone(remembered);
  const log = `${places.logFolder}/mgpuctld.log`;
  const args = hasNode ? ["--with-node"] : [];
  const daemon = startDaemon(join(__dirname, "mgpuctld.cjs"), args, log, { ...more, ...added }, environment);
  return { ...daemon, hasNode, differences, resumed: Object.entries(added).map(([name, text]) => `${name}=${text}`) };
}

/** Loads what looks after the daemon of a node. */
async function openMachine({ places }: Pick<CommandContext, "places">): Promise<MachinePorts> {
  const [{ startDaemon }, { findLockHolder }, { endHolders }] = await Promise.all([
    import("../platform/daemon.ts"),
    import("../platform/lock.ts"),
    import("./end-holders.ts"),
  ]);
  return {
    startNode: async (variables) =>
      startDaemon(join(__dirname, "mgpud.cjs"), [], `${places.logFolder}/mgpud.log`, variables),
    findNode: (node) => findLockHolder(nodePlaces(places, node).folder, "node"),
    endProcess: (pid) => void process.kill(pid, "SIGTERM"),
    endHolders: (node) => endHolders(nodePlaces(places, node).holderFolder),
  };
}

/** Loads what looks at machines and networks. */
async function openDoctor(
  { places, environment, user, cwd }: Pick<CommandContext, "places" | "environment" | "user" | "cwd">,
  ports: ConnectPorts,
): Promise<DoctorPorts> {
  const [{ examineMachine, findOrphanedDaemons }, { realProber }, { ownAddresses }, { dialRemote }] = await Promise.all(
    [
      import("../platform/machine-facts.ts"),
      import("../platform/probe.ts"),
      import("../platform/host.ts"),
      import("../cli/remote.ts"),
    ],
  );
  const asker = { uid: user.uid, gid: user.gid, home: environment.HOME ?? "/", cwd, path: environment.PATH ?? "" };
  return {
    prober: realProber(),
    addresses: ownAddresses(),
    examine: (own) => examineMachine({ own, asker }),
    orphanedDaemons: findOrphanedDaemons,
    findController: () => findDaemon({ places }),
    target: () => targetOf(ports),
    connect: (target, credential) => dialRemote(ports, target, credential),
  };
}

/** Empty for a file that can't be read. */
function readText(files: CommandContext["files"], path: string): string {
  try {
    return new TextDecoder().decode(files.read(path));
  } catch {
    return "";
  }
}

/** Who works with the state folder. */
async function findDaemon({ places }: Pick<CommandContext, "places">) {
  const { findLockHolder } = await import("../platform/lock.ts");
  return findLockHolder(places.home, "controller");
}
