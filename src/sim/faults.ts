/** What goes wrong in a world, at random moments, for a while. */

import type { World } from "./world.ts";

export type FaultKind =
  | "killController"
  | "killAgent"
  | "reboot"
  | "killHolder"
  | "cut"
  | "silentCut"
  | "delay"
  | "fullDisk";

export interface FaultSettings {
  /** Virtual milliseconds during which faults happen. */
  readonly durationMs: number;
  /** Mean milliseconds between two faults. */
  readonly everyMs: number;
  /** Kinds to draw from; a kind named twice is twice as likely. */
  readonly kinds: readonly FaultKind[];
}

export interface Faults {
  readonly over: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

/** Longest time that a killed process stays away. */
const AWAY_MS_MAX = 3000;
/** Longest time of a full disk or a slow network. */
const TROUBLE_MS_MAX = 2000;
const SLOW_MS = 800;
const NORMAL_MS = 20;

/** Every kind of fault, the more ordinary ones more often. */
export const ALL_FAULTS: readonly FaultKind[] = [
  "killController",
  "killController",
  "killAgent",
  "killAgent",
  "reboot",
  "killHolder",
  "cut",
  "cut",
  "silentCut",
  "delay",
  "fullDisk",
];

/** Starts them; `over` turns true when all has been mended. */
export function startFaults(world: World, settings: FaultSettings): Faults {
  const { time, random } = world;
  const counts: Record<string, number> = {};
  const end = time.now + settings.durationMs;
  const down = new Set<string>();
  const state = { over: false, counts };

  const strike = (): void => {
    if (time.now >= end || settings.kinds.length === 0) {
      // Whatever was still away comes back within the longest absence.
      time.after(AWAY_MS_MAX + TROUBLE_MS_MAX, () => {
        state.over = true;
      });
      return;
    }
    const kind = random.pick(settings.kinds);
    counts[kind] = (counts[kind] ?? 0) + 1;
    world.note("fault", kind);
    inflict(world, kind, down);
    time.after(1 + random.below(2 * settings.everyMs), strike);
  };
  time.after(random.below(settings.everyMs + 1), strike);
  return state;
}

function inflict(world: World, kind: FaultKind, down: Set<string>): void {
  const { time, random, net } = world;
  const index = random.below(world.machines.length);
  const machine = world.machines[index];
  const agent = world.agents[index];
  if (!machine || !agent) return;
  const restart = (victim: typeof agent, before: () => void = () => {}): void => {
    if (down.has(victim.name)) return;
    down.add(victim.name);
    victim.kill();
    before();
    time.after(random.below(AWAY_MS_MAX), () => {
      down.delete(victim.name);
      victim.start();
    });
  };
  switch (kind) {
    case "killController":
      return restart(world.controller);
    case "killAgent":
      return restart(agent);
    case "reboot":
      return restart(agent, () => machine.reboot());
    case "killHolder":
      return machine.killHolder();
    case "cut":
      return net.cut(random.pick([machine.name, "client"]), false);
    case "silentCut":
      return net.cut(machine.name, true);
    case "delay":
      net.delayMsMax = SLOW_MS;
      time.after(random.below(TROUBLE_MS_MAX), () => {
        net.delayMsMax = NORMAL_MS;
      });
      return;
    case "fullDisk":
      world.controllerDisk.failWith = random.pick(["ENOSPC", "EIO"] as const);
      time.after(random.below(TROUBLE_MS_MAX), () => {
        world.controllerDisk.failWith = null;
      });
      return;
  }
}
