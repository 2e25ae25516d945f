/** How a listing is read here: the clock, the zone, Slurm's variables, and names of groups. */

import { utf8Text } from "../util/bytes.ts";
import type { ListingView } from "../view/job-columns.ts";
import { momentText } from "../view/time-format.ts";
import type { CommandContext } from "./context.ts";

/** Characters of an array's tasks, as in Slurm, and the most that may be asked for. */
const TASKS_LENGTH = 64;
const TASKS_LENGTH_MAX = 65_536;

/** The view of one listing; the cluster's name is asked for when it is printed. */
export function listingView(
  context: CommandContext,
  options: { readonly isUnconverted: boolean; clusterName(): string },
): ListingView {
  const { clock, environment } = context;
  const nowMs = clock.now();
  const utcOffset = (atMs: number): number => context.utcOffsetMinutes(atMs);
  return {
    nowMs,
    moment: momentText(environment.SLURM_TIME_FORMAT ?? "", nowMs, utcOffset),
    groupName: groupNamer(context),
    clusterName: options.clusterName,
    tasksLengthMax: tasksLength(environment.SLURM_BITSTR_LEN),
    isUnconverted: options.isUnconverted,
  };
}

/** What SLURM_BITSTR_LEN says; 0 is no limit. */
function tasksLength(text: string | undefined): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return TASKS_LENGTH;
  return Math.min(Number(text), TASKS_LENGTH_MAX);
}

/** By names of /etc/group, which is read when the first one is asked for. */
function groupNamer(context: CommandContext): (gid: number) => string {
  let names: ReadonlyMap<string, string> | null = null;
  return (gid) => {
    names ??= groupNames(context);
    return names.get(String(gid)) ?? String(gid);
  };
}

/** What /etc/group says: names by number. */
export function groupNames({ files }: Pick<CommandContext, "files">): ReadonlyMap<string, string> {
  try {
    const lines = utf8Text(files.read("/etc/group")).split("\n");
    const groups = lines.map((line) => line.split(":")).filter(([, , gid = ""]) => /^\d+$/.test(gid));
    return new Map(groups.map(([name = "", , gid = ""]) => [gid, name]));
  } catch {
    return new Map();
  }
}
