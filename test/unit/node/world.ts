/** A node daemon in a world of its own: virtual time, disk, holders and controller. Daemons come and go. */

import type { NodeInventory } from "../../../src/core/node.ts";
import { type Agent, createAgent } from "../../../src/node/agent.ts";
import { type MemoryLimits, NO_GROUPS } from "../../../src/node/memory-limits.ts";
import type { Log } from "../../../src/platform/log.ts";
import { Fuse } from "./fuse.ts";
import { createHandClock, type HandClock } from "./hand-clock.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-disk.ts";
import { VirtualController } from "./virtual-controller.ts";
import { VirtualMachine } from "./virtual-machine.ts";

export const PLACES = { folder: "/state/n1", spoolFolder: "/state/n1/spool", holderFolder: "/state/n1/holders" };

export const STEP_LOG = "/state/n1/steps.log";

export class World {
  readonly clock: HandClock = createHandClock();
  readonly disk: MemoryDisk = createMemoryDisk();
  readonly machine = new VirtualMachine(this.clock);
  readonly controller = new VirtualController(this.clock);
  /** Warnings and errors, in one line each. */
  readonly complaints: string[] = [];
  /** Steps of which processes live. */
  survivors: string[] = [];
  memory: MemoryLimits = NO_GROUPS;
  agent: Agent | null = null;
  fuse = new Fuse();

  /** Starts a daemon; the one before is killed. */
  async start(fuse = new Fuse()): Promise<Agent> {
    this.kill();
    this.fuse = fuse;
    this.agent = createAgent(
      { clock: fuse.clock(this.clock), disk: this.guardedDisk(fuse), log: this.log() },
      {
        name: "n1",
        inventory: () => fuse.pass(async () => this.inventory()),
        holders: this.machine.factory(fuse),
        connect: this.controller.connect(fuse),
        readFile: async () => null,
        followBatch: (folder) => fuse.pass(() => this.machine.follow(folder)),
        survivors: () => this.survivors,
        memory: this.memory,
        settings: { killWaitS: 30 },
        nodePlaces: PLACES,
        version: "1",
        pid: 7,
      },
    );
    void this.agent.start();
    await this.clock.advance(0);
    return this.agent;
  }

  /** Kills the daemon without a word. */
  kill(): void {
    this.fuse.blow();
    this.controller.hangUp();
  }

  /** Names of the steps that are on record and not over, and of the folders in the spool. */
  async spool(): Promise<string[]> {
    const names = new Set(await this.disk.list(PLACES.spoolFolder));
    for (const line of this.stepLog()) {
      if (line.launch) names.add(String(line.step));
      if (line.over) names.delete(String(line.over).split(" ")[0] ?? "");
    }
    return [...names].sort();
  }

  /** The lines of steps.log. */
  stepLog(): Record<string, unknown>[] {
    if (!this.disk.files.has(STEP_LOG)) return [];
    return this.disk
      .text(STEP_LOG)
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  private inventory(): NodeInventory {
    const machine = { hostname: "n1", cpus: 8, memoryMiB: 1000, bootId: this.machine.bootId, os: "Linux", arch: "x64" };
    return { ...machine, gpus: [], gpuProvider: "none", gpuProblem: null, features: [], version: "1" };
  }

  private guardedDisk(fuse: Fuse): MemoryDisk {
    const guarded = fuse.guard<MemoryDisk>(this.disk);
    guarded.openAppend = (path) => fuse.pass(async () => fuse.guard(await this.disk.openAppend(path)));
    return guarded;
  }

  private log(): Log {
    const complain = (message: string, fields = {}): void => {
      this.complaints.push(`${message} ${JSON.stringify(fields)}`);
    };
    return { debug() {}, info() {}, warn: complain, error: complain };
  }
}
