/** What a node daemon looks at for `mgpu doctor`. */

import type { Joined } from "../config/joined.ts";
import type { NodePlaces, Places } from "../config/places.ts";
import type { Examiner } from "../node/examine.ts";
import type { MemoryLimits } from "../node/memory-limits.ts";
import { examineMachine } from "../platform/machine-facts.ts";
import { openBell, ringBell } from "../platform/probe.ts";
import { realSecureDoor } from "../platform/secure.ts";

/**
 * @param joined the controller on another machine; `null` where it is on this one
 * @param memory how the daemon keeps jobs within their memory
 */
export function examinerOf(
  places: Places,
  mine: NodePlaces,
  joined: Joined | null,
  { groups, problem, isRequired }: MemoryLimits,
): Examiner {
  const own = [
    { what: "state folder", path: places.home },
    { what: "spool", path: mine.folder },
  ];
  const door = realSecureDoor();
  return {
    async examine(asker) {
      const facts = await examineMachine({ own, asker });
      return { ...facts, cgroup: { ...facts.cgroup, memory: { folder: groups?.folder ?? "", problem, isRequired } } };
    },
    openBell: (credential) => openBell(door, credential),
    ring: ringBell,
    callBack: () => joined && ringBell(joined.target, joined),
  };
}
