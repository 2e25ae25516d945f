/**
 * A whole cluster in one deterministic world: the real controller and the real node daemons on a virtual clock, network
 * and disk, with clients that submit and cancel. One seed, one run.
 *
 * First comes a time of faults, then one of peace in which everything must come to its end. What must always hold is
 * checked after each event.
 */

import { nodePlaces, placesFrom } from "../config/places.ts";
import { type Settings, settingsFrom } from "../config/settings.ts";
import { checkInvariants } from "../core/invariants.ts";
import { isEnded } from "../core/job.ts";
import { replay } from "../core/kernel.ts";
import { emptyState } from "../core/state.ts";
import { type Controller, startController } from "../controller/main.ts";
import { compact } from "../controller/store/compact.ts";
import { readSegment } from "../controller/store/segment.ts";
import { createAgent } from "../node/agent.ts";
import { nextTurn } from "../platform/clock.ts";
import { realDigest } from "../platform/digest.ts";
import { type Log, silentLog } from "../platform/log.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import type { Hello } from "../protocol/procedures.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected } from "../rpc/types.ts";
import { createChecker } from "./checker.ts";
import { runClient } from "./client.ts";
import { createSimDisk, type SimDisk } from "./disk.ts";
import { type FaultSettings, startFaults } from "./faults.ts";
import { createSimMachine, type SimMachine } from "./machine.ts";
import { createSimNet, type SimNet } from "./net.ts";
import { createSimRandom, type SimRandom } from "./random.ts";
import { createSimTime, type SimTime } from "./time.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly jobs: number;
  readonly faults: FaultSettings;
  /** A canary: the controller's disk lies about being synced, and the world must notice. */
  readonly lyingDisk?: boolean;
  /** Takes one line for each log line and each fault of the world: how a seed is looked into. */
  readonly trace?: (line: string) => void;
}

export interface WorldReport {
  readonly seed: number;
  /** Broken promises in words; empty when all was well. */
  readonly problems: readonly string[];
  readonly events: number;
  /** Virtual milliseconds. */
  readonly lasted: number;
  readonly acknowledged: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Ends by state. */
  readonly ends: Readonly<Record<string, number>>;
  /** A digest of everything that was journaled: two runs of one seed must agree. */
  readonly fingerprint: string;
}

/** A process of the world: it can be killed and started again. */
export interface SimProcess {
  readonly name: string;
  /** Ends it without warning; whatever it was about to do never happens. */
  kill(): void;
  start(): void;
}

/** What the parts of a world share. */
export interface World {
  readonly time: SimTime;
  readonly random: SimRandom;
  readonly net: SimNet;
  readonly machines: readonly SimMachine[];
  readonly controllerDisk: SimDisk;
  readonly controller: SimProcess;
  readonly agents: readonly SimProcess[];
  /** The running controller, or `null` while it is down. */
  live(): Controller | null;
  connect(name: string, hello: Hello): Promise<Connected>;
  /** Notes what happens, with the time. */
  note(who: string, message: string, fields?: unknown): void;
  isOver: boolean;
}

const START_MS = 1_795_000_000_000;
/** Virtual time in which everything must have ended once the faults stopped. */
const PEACE_MS = 20 * 60_000;
const EVENTS_MAX = 400_000;
const PLACES = placesFrom({ MGPU_HOME: "/sim/controller", XDG_RUNTIME_DIR: "/sim/run" }, 1000);
const SETTINGS: Settings = {
  ...settingsFrom({}).settings,
  killWaitS: 1,
  minJobAgeS: 1_000_000,
  heartbeatMs: 500,
  snapshotBytes: 20_000,
};

/** Runs one world to its end. */
export async function runWorld(options: WorldOptions): Promise<WorldReport> {
  const world = createWorld(options);
  world.controllerDisk.isLying = options.lyingDisk ?? false;
  const checker = createChecker(world);
  world.controller.start();
  for (const agent of world.agents) agent.start();
  const clients = runClient(world, options.jobs);
  const faults = startFaults(world, options.faults);
  let events = 0;
  let peaceSince = Number.POSITIVE_INFINITY;
  const started = world.time.now;
  while (events < EVENTS_MAX && checker.problems.length === 0) {
    if (!world.time.advance()) break;
    await nextTurn();
    events += 1;
    checker.afterEvent(clients.acknowledged);
    if (faults.over && clients.done) peaceSince = Math.min(peaceSince, world.time.now);
    if (faults.over && clients.done && checker.allEnded()) break;
    if (world.time.now > peaceSince + PEACE_MS) break;
  }
  world.isOver = true;
  checker.atEnd(clients.acknowledged);
  const journal = await checkReplay(world, checker.problems);
  return {
    seed: options.seed,
    problems: checker.problems,
    events,
    lasted: world.time.now - started,
    acknowledged: clients.acknowledged.size,
    faults: faults.counts,
    ends: checker.ends(),
    fingerprint: realDigest().sha256(journal),
  };
}

function createWorld({ seed, nodes, trace }: WorldOptions): World {
  const random = createSimRandom(seed);
  const time = createSimTime(START_MS);
  const note: World["note"] = (who, message, fields) => {
    trace?.(`${time.now - START_MS} ${who}: ${message} ${fields === undefined ? "" : JSON.stringify(fields)}`);
  };
  const net = createSimNet(time, random);
  const pause = (isAlive: () => boolean) => (): Promise<void> =>
    new Promise((resolve) => time.after(random.below(4), () => isAlive() && resolve()));
  let controllerLife = 0;
  let live: Controller | null = null;
  const machines = Array.from({ length: nodes }, (_, index) =>
    createSimMachine(`n${index + 1}`, { time, random, delayMsMax: 10 }),
  );
  // A disk outlives its process: its pauses ask whether the present life is the one that began the operation.
  const lives = new Map<string, number>();
  const lifeOf = (name: string): number => lives.get(name) ?? 0;
  const diskOf = (name: string): SimDisk => {
    const disk = createSimDisk(() => {
      const life = lifeOf(name);
      return pause(() => lifeOf(name) === life)();
    });
    return disk;
  };
  const controllerDisk = diskOf("controller");

  const startControllerLife = (): void => {
    controllerLife = lifeOf("controller") + 1;
    lives.set("controller", controllerLife);
    const life = controllerLife;
    const isAlive = (): boolean => lifeOf("controller") === life && controllerLife === life;
    const ports = {
      clock: time.clockFor(isAlive),
      disk: controllerDisk,
      net: net.portFor({ name: "controller", isAlive }),
      random: { hex: random.hex },
      digest: realDigest(),
      log: logTo(note, "controller"),
      compact: (order: Parameters<typeof compact>[1]) => compact(controllerDisk, order),
      exit: () => {},
    };
    startController(ports, { places: PLACES, settings: SETTINGS, pid: life, version: "sim" }).then(
      (controller) => {
        if (isAlive()) live = controller;
      },
      () => {
        // The disk refused: whoever looks after the machine tries again.
        if (isAlive()) time.after(500, () => isAlive() && startControllerLife());
      },
    );
  };

  const controller: SimProcess = {
    name: "controller",
    start: startControllerLife,
    kill() {
      live = null;
      lives.set("controller", lifeOf("controller") + 1);
      net.cut("controller", false);
      controllerDisk.crash((bytes) => random.below(bytes + 1));
    },
  };

  const connect = (name: string, hello: Hello, isAlive: () => boolean = () => true): Promise<Connected> =>
    connectPeer(
      { net: net.portFor({ name, isAlive }), clock: time.clockFor(isAlive), log: silentLog() },
      { path: PLACES.controllerSocket },
      hello,
    );

  const agents = machines.map((machine) => simAgent(machine, { time, random, net, lives, diskOf, note }));
  return {
    ...{ time, random, net, machines, controllerDisk, controller, agents, connect, note },
    live: () => live,
    isOver: false,
  };
}

interface AgentParts {
  readonly time: SimTime;
  readonly random: SimRandom;
  readonly net: SimNet;
  readonly lives: Map<string, number>;
  readonly note: World["note"];
  diskOf(name: string): SimDisk;
}

function logTo(note: World["note"], who: string): Log {
  const write = (message: string, fields?: unknown): void => note(who, message, fields);
  return { debug: write, info: write, warn: write, error: write };
}

function simAgent(machine: SimMachine, { time, random, net, lives, diskOf, note }: AgentParts): SimProcess {
  const { name } = machine;
  const disk = diskOf(name);
  const nextLife = (): number => {
    const life = (lives.get(name) ?? 0) + 1;
    lives.set(name, life);
    return life;
  };
  return {
    name,
    kill() {
      nextLife();
      net.cut(name, false);
    },
    start() {
      const life = nextLife();
      const isAlive = (): boolean => lives.get(name) === life;
      const clock = time.clockFor(isAlive, random.below(2000) - 1000);
      const agent = createAgent(
        { clock, disk, log: logTo(note, name) },
        {
          name,
          inventory: async () => inventoryOf(machine),
          holders: machine.factoryFor(isAlive),
          followBatch: machine.followBatch(isAlive),
          connect: (handlers) =>
            connectPeer(
              { net: net.portFor({ name, isAlive }), clock, log: silentLog() },
              { path: PLACES.controllerSocket },
              helloOf("node"),
              handlers,
            ),
          settings: SETTINGS,
          nodePlaces: nodePlaces(PLACES, name),
          version: "sim",
          pid: life,
        },
      );
      agent.start().catch(() => {});
    },
  };
}

function inventoryOf(machine: SimMachine) {
  return {
    hostname: machine.name,
    cpus: 8,
    memoryMiB: 64_000,
    gpus: [0, 1, 2, 3].map((index) => ({
      ...{ index, uuid: `GPU-${machine.name}-${index}`, model: "Sim", type: "sim", memoryMiB: 1000 },
    })),
    gpuProvider: "fake",
    gpuProblem: null,
    bootId: machine.bootId,
    os: "sim",
    arch: "sim",
    version: "sim",
  };
}

/** What a simulated program says of itself. */
export function helloOf(role: Hello["role"]): Hello {
  return { role, protocol: { ...PROTOCOL }, version: "sim", user: { uid: 1000, gid: 1000, name: "sim" } };
}

/** The law: what the disk holds, replayed, is the live state. Answers with the journal's bytes. */
async function checkReplay(world: World, problems: string[]): Promise<Uint8Array> {
  const controller = world.live();
  const bytes = [...world.controllerDisk.files]
    .filter(([path]) => path.startsWith(PLACES.journalFolder) && path.endsWith(".jsonl"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, file]) => ({ path, data: file.data.slice(0, file.durable) }));
  const first = bytes[0];
  if (controller && first?.path.endsWith("000000000001.jsonl") && !controller.loop.problem) {
    const state = emptyState();
    for (const { path, data } of bytes) replay(state, readSegment(data, path).records);
    const behind = controller.loop.state.seq - state.seq;
    if (behind === 0 && checkInvariants(state).length > 0) problems.push("the replayed state breaks invariants");
    if (behind === 0 && ended(state) !== ended(controller.loop.state)) problems.push("replay differs from live state");
  }
  return bytes.at(-1)?.data ?? new Uint8Array();
}

function ended(state: { readonly jobs: ReadonlyMap<number, Parameters<typeof isEnded>[0]> }): string {
  return JSON.stringify([...state.jobs.values()]);
}
