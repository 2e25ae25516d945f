/** When a front is worth its memory: short commands come one after the other (src/decisions/0029-front.md). */

import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { CommandContext } from "../../cli/context.ts";
import { isAlive } from "../../platform/caller.ts";

/** Commands that a front runs; bin/ has the same list. */
export const FRONTED: readonly string[] = ["sbatch", "squeue", "scancel", "sinfo", "srun"];

/** So many commands, none more than a moment after the one before, start a front. */
const USES = 6;
const PAUSE_MS_MAX = 1000;

/** Where the front of a state folder is, and where its user's commands are counted. */
export function frontPlaces(home: string) {
  return { folder: `${home}/front`, pidFile: `${home}/front/pid`, usesFile: `${home}/front/uses` };
}

/**
 * Notes that a command ran without a front, and starts one if that is one of many. Nothing that fails here matters.
 * @param program the front
 * @param isNew whether a state folder may be made for it: who uses root's mgpu has none
 */
export async function noteUse(
  { places, environment, files, slurm, loadConfig }: CommandContext,
  program: string,
  isNew: boolean,
): Promise<void> {
  // What runs in a job would end with it.
  if (isOff(environment.MGPU_FRONT) || environment.MGPU_STEP !== undefined) return;
  const { folder, pidFile, usesFile } = frontPlaces(places.home);
  try {
    const info = statSync(usesFile, { throwIfNoEntry: false });
    const now = Date.now();
    const uses = info !== undefined && now - info.mtimeMs < PAUSE_MS_MAX ? info.size + 1 : 1;
    const home = statSync(places.home, { throwIfNoEntry: false });
    if (home === undefined && !isNew) return;
    // Root with a user's variables: in the user's folder links could lead it elsewhere.
    if (home !== undefined && home.uid !== process.getuid?.()) return;
    if (info === undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (files.trustProblem(folder) !== "") return;
    writeFileSync(usesFile, "x".repeat(uses % USES), { mode: 0o600 });
    // What is Slurm's a front hands back.
    if (uses < USES || isRunning(pidFile) || slurm() !== null) return;
    const found = loadConfig();
    if ("problems" in found || isOff(found.file.texts.MGPU_FRONT)) return;
    const { startDaemon } = await import("../../platform/daemon.ts");
    startDaemon(program, [], `${places.logFolder}/front.log`);
  } catch {
    // A folder that can't be written.
  }
}

/** Whether the variable or the key of the configuration says no. */
function isOff(text: string | undefined): boolean {
  return text === "0" || text === "never";
}

function isRunning(pidFile: string): boolean {
  try {
    return isAlive(Number(readFileSync(pidFile, "latin1")));
  } catch {
    return false;
  }
}
