/** What simulated processes share: time, chance, the network, and who is alive. */

import { type Places, placesFrom } from "../config/places.ts";
import { type Settings, settingsFrom } from "../config/settings.ts";
import type { Log } from "../platform/log.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import type { Hello } from "../protocol/procedures.ts";
import { createSimDisk, type SimDisk } from "./disk.ts";
import type { SimNet } from "./net.ts";
import type { SimRandom } from "./random.ts";
import type { SimTime } from "./time.ts";

export interface Stage {
  readonly time: SimTime;
  readonly random: SimRandom;
  readonly net: SimNet;
  /** The present life of each process, by name: what an earlier life began never goes on. */
  readonly lives: Map<string, number>;
  /** Notes what happens, with the time. */
  note(who: string, message: string, fields?: unknown): void;
}

export const PLACES: Places = placesFrom({ MGPU_HOME: "/sim/controller", XDG_RUNTIME_DIR: "/sim/run" }, 1000);

/** Short times, and snapshots often, so that much happens in a world. */
export const SIM_SETTINGS: Settings = {
  ...settingsFrom({}).settings,
  killWaitS: 1,
  // Faults lose jobs at once, for which no node is to blame.
  drainAfterDeaths: 0,
  minJobAgeS: 1_000_000,
  heartbeatMs: 500,
  snapshotBytes: 20_000,
};

/** Longest time of a disk operation. */
const DISK_MS = 4;

/** Begins a new life of a process; answers with its number and the question whether it still lasts. */
export function beginLife({ lives }: Stage, name: string): { readonly life: number; isAlive(): boolean } {
  const life = (lives.get(name) ?? 0) + 1;
  lives.set(name, life);
  return { life, isAlive: () => lives.get(name) === life };
}

/** A disk that outlives its process: an operation ends only in the life that began it. */
export function diskOf({ time, random, lives }: Stage, name: string): SimDisk {
  return createSimDisk(() => {
    const life = lives.get(name);
    return new Promise((resolve) => {
      time.after(random.below(DISK_MS), () => {
        if (lives.get(name) === life) resolve();
      });
    });
  });
}

/** A log that notes what is said in the world's trace. */
export function logTo(stage: Stage, who: string): Log {
  const write = (message: string, fields?: unknown): void => stage.note(who, message, fields);
  return { debug: write, info: write, warn: write, error: write };
}

/** What a simulated program says of itself. */
export function helloOf(role: Hello["role"]): Hello {
  return { role, protocol: { ...PROTOCOL }, version: "sim", user: { uid: 1000, gid: 1000, name: "sim" } };
}
