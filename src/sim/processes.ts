/** The real controller and the real node daemons as processes of a world: started, killed, started again. */

import { nodePlaces } from "../config/places.ts";
import { type Controller, startController } from "../controller/main.ts";
import { compact } from "../controller/store/compact.ts";
import { formatStepKey } from "../core/ids.ts";
import type { NodeInventory } from "../core/node.ts";
import { createAgent } from "../node/agent.ts";
import { realDigest } from "../platform/digest.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { SimDisk } from "./disk.ts";
import type { SimMachine } from "./machine.ts";
import { beginLife, diskOf, helloOf, logTo, PLACES, SIM_SETTINGS, type Stage } from "./stage.ts";

/** A process of the world. */
export interface SimProcess {
  readonly name: string;
  /** Ends it without warning; whatever it was about to do never happens. */
  kill(): void;
  start(): void;
}

export interface SimController {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  /** The running controller, or `null` while it is down. */
  live(): Controller | null;
}

const CONTROLLER = "controller";
/** Whoever looks after the machine tries again when the disk refuses the start. */
const RESTART_MS = 500;
/** How far a node's clock may be off. */
const SKEW_MS = 1000;

/** A controller that has not started yet. */
export function createSimController(stage: Stage): SimController {
  const { time, random, net } = stage;
  const disk = diskOf(stage, CONTROLLER);
  let live: Controller | null = null;

  const start = (): void => {
    const { life, isAlive } = beginLife(stage, CONTROLLER);
    const ports = {
      clock: time.clockFor(isAlive),
      disk,
      net: net.portFor({ name: CONTROLLER, isAlive }),
      random: { hex: random.hex },
      digest: realDigest(),
      log: logTo(stage, CONTROLLER),
      mailer: { problem: () => "", send: () => {} },
      compact: (order: Parameters<typeof compact>[1]) => compact(disk, order),
      exit: () => {},
    };
    startController(ports, {
      places: PLACES,
      settings: SIM_SETTINGS,
      pid: life,
      user: { uid: 1000, name: "ada" },
      version: "sim",
    }).then(
      (controller) => {
        if (isAlive()) live = controller;
      },
      () => {
        if (isAlive()) time.after(RESTART_MS, () => isAlive() && start());
      },
    );
  };

  const kill = (): void => {
    live = null;
    beginLife(stage, CONTROLLER);
    net.cut(CONTROLLER, false);
    disk.crash((bytes) => random.below(bytes + 1));
  };

  return { process: { name: CONTROLLER, start, kill }, disk, live: () => live };
}

/** The node daemon of a machine, not started yet. */
export function createSimAgent(stage: Stage, machine: SimMachine): SimProcess {
  const { time, random, net } = stage;
  const { name } = machine;
  const disk = diskOf(stage, name);
  return {
    name,
    kill() {
      beginLife(stage, name);
      net.cut(name, false);
    },
    start() {
      const { life, isAlive } = beginLife(stage, name);
      const clock = time.clockFor(isAlive, random.below(2 * SKEW_MS) - SKEW_MS);
      const log = logTo(stage, name);
      const rpc = { net: net.portFor({ name, isAlive }), clock, log };
      const agent = createAgent(
        { clock, disk, log },
        {
          name,
          inventory: async () => inventoryOf(machine),
          holders: machine.factoryFor(isAlive),
          followBatch: machine.followBatch(isAlive),
          readFile: async () => null,
          survivors: () =>
            machine.executions.flatMap(({ key, endedAt }) => (endedAt === null ? [formatStepKey(key)] : [])),
          connect: (handlers) => connectPeer(rpc, { path: PLACES.controllerSocket }, helloOf("node"), handlers),
          settings: SIM_SETTINGS,
          nodePlaces: nodePlaces(PLACES, name),
          version: "sim",
          pid: life,
        },
      );
      agent.start().catch((error: unknown) => stage.note(name, "can't start", String(error)));
    },
  };
}

function inventoryOf(machine: SimMachine): NodeInventory {
  const gpus = [0, 1, 2, 3].map((index) => ({
    ...{ index, uuid: `GPU-${machine.name}-${index}`, model: "Sim", type: "sim", memoryMiB: 1000 },
  }));
  return {
    ...{ hostname: machine.name, cpus: 8, memoryMiB: 64_000, gpus, gpuProvider: "fake", gpuProblem: null },
    ...{ bootId: machine.bootId, os: "sim", arch: "sim", features: [], version: "sim" },
  };
}
