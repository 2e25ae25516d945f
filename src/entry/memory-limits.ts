/** What a node daemon of this machine may do about the memory of jobs. */

import type { Settings } from "../config/settings.ts";
import { type MemoryLimits, memoryLimitsText } from "../node/memory-limits.ts";
import type { Log } from "../platform/log.ts";
import { openMemoryGroups } from "../platform/memory-groups.ts";

/** As the settings wish, told to the log. @param scope tells the daemons of a machine apart */
export function memoryLimitsHere(wish: Settings["memoryEnforcement"], scope: string, log: Log): MemoryLimits {
  const isRequired = wish === "cgroup";
  const opened = wish === "poll" ? { problem: "node.memory_enforcement is poll" } : openMemoryGroups(scope, isRequired);
  const limits =
    "problem" in opened ? { groups: null, ...opened, isRequired } : { groups: opened, problem: "", isRequired };
  log[isRequired && !limits.groups ? "error" : "info"]("memory of jobs", { limits: memoryLimitsText(limits) });
  return limits;
}
