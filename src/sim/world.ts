/**
 * A whole cluster in one deterministic world: the real controller and the real node daemons on a virtual clock, network
 * and disk, with clients that submit and cancel. One seed, one run.
 *
 * First comes a time of faults, then one of peace in which everything must come to its end. What must always hold is
 * checked after each event.
 */

import type { Controller } from "../controller/main.ts";
import { recover } from "../controller/store/recover.ts";
import { toStored } from "../core/state.ts";
import { nextTurn } from "../platform/clock.ts";
import { realDigest } from "../platform/digest.ts";
import { silentLog } from "../platform/log.ts";
import type { Hello } from "../protocol/procedures.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected } from "../rpc/types.ts";
import { createChecker } from "./checker.ts";
import { runClient } from "./client.ts";
import { createSimDisk, type SimDisk } from "./disk.ts";
import { type FaultSettings, startFaults } from "./faults.ts";
import { createSimMachine, type SimMachine } from "./machine.ts";
import { createSimNet, type SimNet } from "./net.ts";
import { createSimAgent, createSimController, type SimProcess } from "./processes.ts";
import { createSimRandom, type SimRandom } from "./random.ts";
import { PLACES, type Stage } from "./stage.ts";
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
  /** A digest of the state that the disk holds at the end: two runs of one seed must agree. */
  readonly fingerprint: string;
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
  readonly note: Stage["note"];
  connect(name: string, hello: Hello): Promise<Connected>;
  isOver: boolean;
}

const START_MS = 1_795_000_000_000;
/** Virtual time in which everything must have ended once the faults stopped. */
const PEACE_MS = 20 * 60_000;
const EVENTS_MAX = 400_000;
/** Longest delay of a simulated holder's answer. */
const MACHINE_MS = 10;

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
  checker.atEnd();
  const stored = await storedState(world, checker.problems);
  return {
    seed: options.seed,
    problems: checker.problems,
    events,
    lasted: world.time.now - started,
    acknowledged: clients.acknowledged.size,
    faults: faults.counts,
    ends: checker.ends(),
    fingerprint: realDigest().sha256(new TextEncoder().encode(stored)),
  };
}

function createWorld({ seed, nodes, trace }: WorldOptions): World {
  const random = createSimRandom(seed);
  const time = createSimTime(START_MS);
  const net = createSimNet(time, random);
  const note: World["note"] = (who, message, fields) => {
    trace?.(`${time.now - START_MS} ${who}: ${message} ${fields === undefined ? "" : JSON.stringify(fields)}`);
  };
  const stage = { time, random, net, note, lives: new Map<string, number>() };
  const machines = Array.from({ length: nodes }, (_, index) =>
    createSimMachine(`n${index + 1}`, { time, random, delayMsMax: MACHINE_MS }),
  );
  const controller = createSimController(stage);
  const connect: World["connect"] = (name, hello) =>
    connectPeer(
      { net: net.portFor({ name, isAlive: () => true }), clock: time.clockFor(() => true), log: silentLog() },
      { path: PLACES.controllerSocket },
      hello,
    );
  return {
    ...{ time, random, net, machines, connect, note },
    controllerDisk: controller.disk,
    controller: controller.process,
    live: controller.live,
    agents: machines.map((machine) => createSimAgent(stage, machine)),
    isOver: false,
  };
}

/** The law: what the disk holds, read as after a restart, is the live state. Answers with that state as text. */
async function storedState(world: World, problems: string[]): Promise<string> {
  const copy = createSimDisk();
  for (const [path, file] of world.controllerDisk.files) await copy.replace(path, file.data.slice(0, file.durable));
  const { state } = await recover(copy, PLACES);
  const stored = JSON.stringify(toStored(state));
  const loop = world.live()?.loop;
  const isQuiet = loop !== undefined && loop.problem === "" && loop.durableSeq === loop.state.seq;
  if (problems.length === 0 && (!isQuiet || JSON.stringify(toStored(loop.state)) !== stored)) {
    problems.push("the state that the disk holds is not the live one");
  }
  return stored;
}
