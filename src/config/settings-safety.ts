/** Settings of what jobs may run, and of how large logs may grow. */

import { absolutePaths, type Key, positive, whole } from "./setting.ts";

/** Whether the kernel keeps jobs within their memory: where it can, always, or never. */
const ENFORCEMENTS = ["auto", "cgroup", "poll"] as const;

export interface SafetySettings {
  readonly memoryEnforcement: (typeof ENFORCEMENTS)[number];
  /** Absolute paths of folders or files, of which programs of jobs must be; none for any program. */
  readonly allowedScriptPaths: readonly string[];
  /** MB of a log after which a new one is begun, and how many old ones are kept. */
  readonly logMaxMB: number;
  readonly logBackups: number;
}

export const SAFETY_SETTINGS: { readonly [K in keyof SafetySettings]: Key<SafetySettings[K]> } = {
  allowedScriptPaths: {
    key: "security.allowed_script_paths",
    about: "folders of which the scripts and programs of jobs must be, after symbolic links; any without it",
    isLive: true,
    variable: "MGPU_ALLOWED_SCRIPT_PATHS",
    fallback: [],
    parse: absolutePaths,
    expected: "absolute paths with commas between them",
  },
  memoryEnforcement: {
    key: "node.memory_enforcement",
    about:
      "how jobs are kept within their memory: by cgroups of the kernel where this daemon can make any (auto), by nothing less (cgroup: without them no job with a limit starts), or by looking once a second (poll)",
    variable: "MGPU_MEMORY_ENFORCEMENT",
    fallback: "auto",
    parse: (text) => ENFORCEMENTS.find((one) => one === text),
    expected: ENFORCEMENTS.join(", "),
  },
  logMaxMB: {
    key: "logging.max_size",
    about: "MB that a daemon's log may have before it is set aside",
    variable: "MGPU_LOG_MAX_SIZE",
    fallback: 100,
    parse: positive,
    expected: "MB, at least 1",
  },
  logBackups: {
    key: "logging.backups",
    about: "logs set aside that are kept: FILE.1 is the newest",
    variable: "MGPU_LOG_BACKUPS",
    fallback: 5,
    parse: whole,
    expected: "a count, 0 for none",
  },
};
