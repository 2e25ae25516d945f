/**
 * Settings of a controller that outlive it: decisions/0008-remembered-settings.md.
 *
 * The file is one JSON object of the variables that were set, with their texts: `{"MGPU_FAKE_GPUS": "4"}`.
 */

import type { Environment } from "./places.ts";
import { SETTINGS } from "./settings.ts";

/** What a controller that starts in place of one that crashed gets. */
export interface Resumed {
  /** Remembered settings that the environment says nothing of. */
  readonly added: Readonly<Record<string, string>>;
  /** One phrase for each setting of the environment that is another than the remembered: it wins. */
  readonly differences: readonly string[];
}

/**
 * Joins what was remembered with an environment.
 * @param remembered of {@link parseRemembered}; `null` where nothing is, and nothing differs
 */
export function resumeSettings(remembered: Readonly<Record<string, string>> | null, env: Environment): Resumed {
  const added: Record<string, string> = {};
  const differences: string[] = [];
  if (remembered === null) return { added, differences };
  for (const { variable } of Object.values(SETTINGS)) {
    const before = remembered[variable] ?? "";
    const now = env[variable];
    if (now === undefined) {
      if (before) added[variable] = before;
    } else if (now !== before) {
      differences.push(`${variable} is ${now || "empty"} here, it was ${before || "not set"}`);
    }
  }
  return { added, differences };
}

/** The file's text. */
export function formatRemembered(settings: Readonly<Record<string, string>>): string {
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** What the file's text says; `null` if it is none of ours. */
export function parseRemembered(text: string): Record<string, string> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    return null;
  }
}
