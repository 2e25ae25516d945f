/** A node daemon of this machine: real ports, GPUs, holders, the connection to the controller. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Joined, joinFile, parseJoined } from "../config/joined.ts";
import { nodePlaces, type Places } from "../config/places.ts";
import { VERSION } from "../config/version.ts";
import type { Controller } from "../controller/main.ts";
import { type Agent, createAgent } from "../node/agent.ts";
import { readBatchExit } from "../node/holder/batch-spool.ts";
import { createHolders, type UserPorts } from "../node/holders.ts";
import { createInventory } from "../node/inventory.ts";
import { memoryLimitsText } from "../node/memory-limits.ts";
import type { StepProcesses } from "../node/orphan-memory.ts";
import { type Clock, realClock } from "../platform/clock.ts";
import { readCpuTopology } from "../platform/cpu-topology.ts";
import { startDaemon, startUserDaemon } from "../platform/daemon.ts";
import { realDisk } from "../platform/disk.ts";
import { boundedReader, readWindowAs } from "../platform/file-window.ts";
import { chooseGpuProvider } from "../platform/gpu.ts";
import { onlyGpus } from "../platform/gpu-only.ts";
import { readHost } from "../platform/host.ts";
import { takeLock } from "../platform/lock.ts";
import { fileLog, type Log } from "../platform/log.ts";
import { realNet } from "../platform/net.ts";
import { realProcesses } from "../platform/process.ts";
import { signalOwned } from "../platform/process-owner.ts";
import { type ProcessTable, programOf, realProcessTable, startTicksOf } from "../platform/proctable.ts";
import { closedFolder, makeOwnFolder, removeAs } from "../platform/user-folders.ts";
import { findAccount } from "../platform/users.ts";
import { createVitals } from "../platform/vitals.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import type { Hello } from "../protocol/procedures.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected, Handlers } from "../rpc/types.ts";
import { shortHash } from "../util/hash.ts";
import { type GivenAllocation, readSlurmAllocation } from "./allocation.ts";
import { type DaemonLine, logLimits, prepareRuntime } from "./daemon-line.ts";
import { examinerOf } from "./examiner.ts";
import { fail, messageOf } from "./fail.ts";
import { memoryLimitsHere } from "./memory-limits.ts";
import { createNodeLink } from "./node-link.ts";
import { currentUser } from "./user.ts";

/** Exit code when another daemon has this node's folder. */
const EXIT_LOCKED = 75;

/**
 * Starts it, or ends the process with the reason.
 * @param inside the controller in the same process; `null` where it is in another one
 */
export async function runNode(
  program: string,
  line: DaemonLine,
  inside: Pick<Controller, "join"> | null,
): Promise<Agent> {
  const { given, settings } = whatIsGiven(program, line);
  const { places } = line;
  const host = readHost();
  const joined = line.isOwnProgram && !settings.controllerSocket ? readJoined(program, places) : null;
  if (joined && settings.nodeName && settings.nodeName !== joined.node) {
    fail(program, `this machine joined as node ${joined.node}, not ${settings.nodeName}: mgpu leave ends that`);
  }
  const name = settings.nodeName || joined?.node || host.hostname;
  const mine = nodePlaces(places, name);
  const log = fileLog(2, settings.logLevel, { daemon: "mgpud", node: name, pid: process.pid }, logLimits(settings));
  await takeNodeFolder(program, mine.folder, name);
  prepareRuntime(program, places);
  const clock = realClock();
  const { fakeGpus, gpuQueryMs: cacheMs } = settings;
  const chosen = chooseGpuProvider({ fakeGpus, hostname: name, clock, cacheMs });
  if ("problem" in chosen) fail(program, chosen.problem);
  const provider = given ? onlyGpus(chosen.provider, given.gpus) : chosen.provider;
  const disk = realDisk();
  const scope = shortHash(mine.folder);
  const controller = settings.controllerSocket || places.controllerSocket;
  const link = createNodeLink({ joined, again: () => readAgain(places), clock, log, hello: hello("node"), settings });
  const processes = realProcesses();
  const table = realProcessTable({ scope, monotonic: clock.monotonic });
  const memory = memoryLimitsHere(settings.memoryEnforcement, `${name}-${scope}`, log);
  const agent = createAgent(
    { clock, disk, log },
    {
      name,
      user: currentUser(),
      ...(joined ? {} : { controllerSocket: controller }),
      inventory: createInventory(
        { ...host, address: () => link.address() || host.address() },
        provider,
        settings,
        VERSION,
        memoryLimitsText(memory),
      ),
      holders: holdersOf(line, mine.holderFolder, name, { scope, isFar: joined !== null }, log),
      connect: joined ? (handlers) => link.connect(handlers) : nearBy(places, controller, inside, { clock, log }),
      ...(joined ? { outside: link.outside } : {}),
      followBatch: async (folder) => readBatchExit(folder, processes, table),
      readFile: boundedReader(readWindowAs),
      survivors: () => [...new Set(table.find("").map(({ step }) => step))],
      vitals: createVitals(),
      cpus: readCpuTopology,
      exists: existsSync,
      processes: stepProcesses(table),
      memory,
      gpuLoad: () => provider.load(),
      ...(given ? { allocation: { id: given.id, signalAll: (signal) => signalAll(table, signal) } } : {}),
      nameOf: programOf,
      settings,
      nodePlaces: mine,
      examiner: examinerOf(places, mine, joined, memory),
      version: VERSION,
      pid: process.pid,
    },
  );
  try {
    await agent.start();
  } catch (error) {
    fail(program, `node ${name} can't start: ${messageOf(error)}`);
  }
  return agent;
}

/** The way to a controller on this machine; where it is in this process, without a socket. */
function nearBy(
  places: Places,
  path: string,
  inside: Pick<Controller, "join"> | null,
  ports: { readonly clock: Clock; readonly log: Log },
): (handlers: Handlers<"node">) => Promise<Connected> {
  return async (handlers) =>
    inside && path === places.controllerSocket
      ? inside.join(hello("node"), handlers)
      : connectPeer({ net: realNet(), ...ports }, { path }, hello("node"), handlers);
}

/** In an allocation no more of the machine is there than was given. */
function whatIsGiven(
  program: string,
  line: DaemonLine,
): Pick<DaemonLine, "settings"> & { given: GivenAllocation | null } {
  const manager = line.value("allocation");
  const { settings } = line;
  if (manager === undefined) return { given: null, settings };
  if (manager !== "slurm") fail(program, `--allocation: expected slurm, got "${manager}"`);
  const given = readSlurmAllocation(process.env);
  if ("problem" in given) return fail(program, given.problem);
  const { cpus, memoryMiB } = given;
  return { given, settings: { ...settings, cpus: cpus ?? settings.cpus, memoryMiB: memoryMiB ?? settings.memoryMiB } };
}

function stepProcesses(table: ProcessTable): StepProcesses {
  const { mostKiB, shareKiB } = table.memory;
  return { find: table.find, mostKiB, shareKiB, kill: (one) => void table.signal(one, 9) };
}

/** How many processes of steps there are. @param signal 0 only counts them */
function signalAll(table: ProcessTable, signal: number): number {
  const all = table.find("");
  for (const one of all) if (signal > 0) table.signal(one, signal);
  return all.length;
}

/** What `mgpu join` left; `null` if this machine joined nothing. */
function readJoined(program: string, places: Places): Joined | null {
  const path = joinFile(places);
  if (!existsSync(path)) return null;
  const joined = parseJoined(readFileSync(path, "utf8"));
  return joined ?? fail(program, `${path} is damaged: mgpu leave removes it, then join again`);
}

/** The same while the daemon runs: what can't be read changes nothing. */
function readAgain(places: Places): Joined | null {
  try {
    return parseJoined(readFileSync(joinFile(places), "utf8"));
  } catch {
    return null;
  }
}

function holdersOf(
  { places, settings }: DaemonLine,
  holderFolder: string,
  name: string,
  link: { readonly scope: string; readonly isFar: boolean },
  log: Log,
) {
  const { scope } = link;
  const { bytesMax, backups } = logLimits(settings);
  const limits = ["--log-bytes", String(bytesMax), "--log-backups", String(backups)];
  const net = realNet();
  const clock = realClock();
  return createHolders(
    {
      ...{ clock, log, net },
      disk: realDisk(),
      dial: (address) => connectPeer({ net, clock, log }, address, hello("node")),
      spawn: async (program, args, logFile) =>
        startDaemon(join(__dirname, `${program}.cjs`), [...args, ...limits], logFile),
      ...(currentUser().uid === 0 ? { users: userPorts(clock, places.runtime, { bytesMax, limits }) } : {}),
      startTicks: startTicksOf,
      endProcess: signalOwned,
    },
    {
      holderFolder,
      sharedSocket: `${places.runtime}/h-${scope}.sock`,
      logFile: `${places.logFolder}/mgpu-stepd-${name}.log`,
      ...link,
    },
  );
}

/** What root's daemon does for its users. */
function userPorts(
  clock: Clock,
  runtime: string,
  { bytesMax, limits }: { readonly bytesMax: number; readonly limits: readonly string[] },
): UserPorts {
  return {
    clock,
    findAccount,
    prepare(user) {
      const closed = closedFolder(runtime);
      if (closed) throw new Error(`${user.name} can't pass ${closed}: start root's daemons with XDG_RUNTIME_DIR=/run`);
      const hidden = closedFolder(__dirname);
      if (hidden) throw new Error(`${user.name} can't pass ${hidden}: install mgpu where all users can read it`);
      makeOwnFolder(runtime, user);
    },
    remove: removeAs,
    spawn: async (user, args, logFile) =>
      startUserDaemon(join(__dirname, "mgpu-stepd.cjs"), [...args, ...limits], logFile, user, bytesMax),
  };
}

/** What this program says of itself. */
function hello(role: Hello["role"]): Hello {
  return { role, protocol: { ...PROTOCOL }, version: VERSION, user: currentUser() };
}

async function takeNodeFolder(program: string, folder: string, name: string): Promise<void> {
  try {
    if (!(await takeLock(folder, "node"))) fail(program, `another daemon of node ${name} is running`, EXIT_LOCKED);
  } catch (error) {
    fail(program, `the folder ${folder} can't be used: ${messageOf(error)}; set MGPU_HOME to another one`);
  }
}
