/**
 * Settings of a controller that outlive it: decisions/0008-remembered-settings.md.
 *
 * The file is one JSON object of the variables that were set, with their texts: `{"MGPU_FAKE_GPUS": "4"}`. One that ran
 * without a node of its own adds `"controllerAlone": "yes"`.
 */

import type { Environment } from "./places.ts";
import { SETTINGS } from "./settings.ts";

/** In the file of a controller that ran without a node daemon in its process, beside the variables. */
const ALONE = "controllerAlone";

/** What to remember of a controller that got these variables. */
export function rememberedOf(given: Readonly<Record<string, string>>, hasNode: boolean): Record<string, string> {
  return hasNode ? { ...given } : { ...given, [ALONE]: "yes" };
}

/**
 * Whether the controller was started apart from its node daemons, by hand or by a service: it is not for any command to
 * start it again, and one with a node in its process would be another cluster.
 */
export function ranAlone(remembered: Readonly<Record<string, string>> | null): boolean {
  return remembered?.[ALONE] === "yes";
}

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
