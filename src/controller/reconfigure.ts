/** A controller that reads its configuration again: what may change while it runs is changed, the rest is told. */

import { SETTINGS, type Settings } from "../config/settings.ts";
import { partitionDiff } from "../core/partition-config.ts";
import type { Result } from "../protocol/procedures.ts";
import type { ControllerContext } from "./context.ts";
import { configurePartitions } from "./partition-config.ts";

/** What was read; one line for each problem where it can't be used. */
export type Reload = () => { readonly settings: Settings } | { readonly problems: readonly string[] };

type Name = keyof Settings;
type Mutable = { -readonly [K in Name]: Settings[K] };

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/**
 * Reads the configuration and takes over what changed. Nothing is changed if anything in it is wrong.
 * @returns a line for each change, such as `limits.min_job_age: 300 -> 10`, and for each that a running controller
 *   can't take over
 */
export async function reconfigure(
  context: ControllerContext,
  reload: Reload,
): Promise<Result<"controller.reconfigure">> {
  const { log, loop } = context;
  const read = reload();
  if ("problems" in read) {
    for (const problem of read.problems) log.error("the configuration was not taken over", { problem });
    return { changed: [], refused: [], problems: [...read.problems] };
  }
  const settings = context.settings as Mutable;
  const names = (Object.keys(SETTINGS) as Name[]).filter((name) => text(settings[name]) !== text(read.settings[name]));
  const line = (name: Name): string => `${SETTINGS[name].key}: ${text(settings[name])} -> ${text(read.settings[name])}`;
  const live = names.filter((name) => SETTINGS[name].isLive);
  const before = settings.partitions;
  const parts = live.includes("partitions") ? partitionDiff(before, read.settings.partitions) : [];
  const changed = [...live.filter((name) => name !== "partitions").map(line), ...parts];
  const refused = names.filter((name) => !SETTINGS[name].isLive).map(line);
  if (live.includes("licenses")) {
    await loop.execute({ type: "licenses.configure", licenses: read.settings.licenses });
  }
  if (parts.length > 0) changed.push(...(await configurePartitions(context, read.settings.partitions)));
  Object.assign(settings, Object.fromEntries(live.map((name) => [name, read.settings[name]])));
  // More may start now.
  if (live.length > 0) context.perform([{ type: "schedule" }]);
  for (const change of changed) log.info("configuration changed", { change });
  for (const change of refused) log.warn("configuration changes with the next start only", { change });
  return { changed, refused, problems: [] };
}
